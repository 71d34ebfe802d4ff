//! Where a device's history goes. Does not decide what is worth writing down.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use schema::{DeviceId, UserId};

use super::{Entry, Line};

/// The run's one clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now())
    }
    pub fn now_us(&self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }
}

/// A file of a history, or nowhere. A write error is kept and told by `finish`: a client must not stop for it, and a
/// history that is not whole must not pass.
#[derive(Debug, Default)]
pub struct Recorder {
    file: Option<BufWriter<File>>,
    error: Option<io::Error>,
}

impl Recorder {
    pub fn nowhere() -> Self {
        Self::default()
    }

    /// The file of one device in the run's folder, which is made if need be. A device that comes a second time goes on
    /// in its file.
    pub fn device(folder: &Path, user: UserId, device: DeviceId) -> io::Result<Self> {
        let mut recorder = Self::named(folder, &format!("device-{device}"))?;
        recorder.write(0, &Entry::Client { user, device });
        Ok(recorder)
    }

    /// The file of the harness itself.
    pub fn harness(folder: &Path) -> io::Result<Self> {
        Self::named(folder, "harness")
    }

    /// The file of a worker that writes for many devices: it says whose the lines are with `Entry::Client`.
    pub fn worker(folder: &Path, worker: u32) -> io::Result<Self> {
        Self::named(folder, &format!("worker-{worker}"))
    }

    fn named(folder: &Path, name: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let file = File::options().create(true).append(true).open(folder.join(format!("{name}.jsonl")))?;
        Ok(Self { file: Some(BufWriter::new(file)), error: None })
    }

    pub fn is_on(&self) -> bool {
        self.file.is_some()
    }

    pub fn write(&mut self, at_us: u64, entry: &Entry) {
        let Some(file) = &mut self.file else { return };
        let line = serde_json::to_writer(&mut *file, &(at_us, entry)).map_err(io::Error::from).and_then(|()| file.write_all(b"\n"));
        if let Err(error) = line {
            self.error.get_or_insert(error);
        }
    }

    pub fn finish(mut self) -> io::Result<()> {
        if let Some(mut file) = self.file.take() {
            file.flush()?;
        }
        self.error.map_or(Ok(()), Err)
    }
}

/// Reading back what `write` wrote.
pub(super) fn line(text: &str) -> Result<Line, serde_json::Error> {
    serde_json::from_str(text)
}
