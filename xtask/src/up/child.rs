//! A program of ours as a child process: started in a group of its own, so that Ctrl-C reaches it once, from us, as SIGTERM.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// A store that was killed may take some seconds to open.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// A drain ends by itself within a minute.
const ENDED_WITHIN: Duration = Duration::from_secs(75);
const POLL: Duration = Duration::from_millis(100);
const LOG_END_LINES: usize = 20;

/// How a node ends whose group has removed it: starting it again does not help.
const REMOVED: i32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    Ready,
    /// It was told to stop before.
    Told,
    /// Its group has removed it.
    Removed,
}

pub struct Child {
    /// As a sentence calls it: "the node".
    name: String,
    child: std::process::Child,
    log: PathBuf,
    /// To stop.
    told: bool,
}

impl Child {
    pub fn start(name: impl Into<String>, mut command: Command, log: &Path) -> Result<Self> {
        let log_file = std::fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(log_file.try_clone()?).stderr(log_file).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { name: name.into(), child, log: log.to_owned(), told: false })
    }

    /// Waits until it is ready.
    pub fn wait_ready(&mut self, stop: &mpsc::Receiver<()>, is_ready: impl Fn() -> bool) -> Result<Came> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if is_ready() {
                return Ok(Came::Ready);
            }
            if let Some(status) = self.ended()? {
                if status.code() == Some(REMOVED) {
                    return Ok(Came::Removed);
                }
                bail!("{} did not start ({status}); the end of its log:\n{}", self.name, self.log_end());
            }
            if stop.recv_timeout(POLL).is_ok() {
                return Ok(Came::Told);
            }
        }
        bail!("{} does not answer after {} s; the end of its log:\n{}", self.name, READY_WITHIN.as_secs(), self.log_end())
    }

    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    pub fn name(&self) -> &str {
        &self.name
    }
    pub fn rename(&mut self, name: String) {
        self.name = name;
    }
    pub fn log(&self) -> &Path {
        &self.log
    }
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM; [`Self::stopped`] waits for what comes of it.
    pub fn begin_stop(&mut self) -> Result<()> {
        if self.ended()?.is_none()
            && let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed())
        {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
            self.told = true;
        }
        Ok(())
    }

    /// Waits for the drain; one that does not end is killed, which its store survives. One that ended before it was told to is
    /// not asked why.
    pub fn stopped(&mut self) -> Result<()> {
        if !self.told {
            return Ok(());
        }
        let deadline = Instant::now() + ENDED_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.ended()? {
                ensure!(status.success(), "{} ended with {status}; the end of its log:\n{}", self.name, self.log_end());
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        self.child.kill()?;
        self.child.wait()?;
        bail!("{} did not end within {} s and was killed", self.name, ENDED_WITHIN.as_secs())
    }

    /// What it said last, for whoever is told that it ended by itself.
    pub fn last_words(&self) -> String {
        format!("the end of its log:\n{}", self.log_end())
    }

    fn log_end(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_END_LINES)..].join("\n")
    }
}

/// An early return must not leave it behind.
impl Drop for Child {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
