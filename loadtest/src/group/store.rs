//! The store process of a group: `hubbub store serve` in a folder of its own. Killed when it is dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, Key, Place};

/// It reads its journal first.
const START_MAX: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Store {
    binary: PathBuf,
    folder: PathBuf,
    place: Place,
    child: Child,
}

impl Store {
    /// When it serves, at `place.http`. An address that is not this machine's own gets a certificate.
    pub async fn start(binary: &Path, folder: &Path, place: Place) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let address = place.http;
        if !address.ip().is_loopback() {
            let made = rcgen::generate_simple_self_signed(vec![address.ip().to_string()]).context("a certificate for the store process")?;
            std::fs::write(folder.join("chain.pem"), made.cert.pem())?;
            std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem())?;
        }
        let child = spawn(binary, folder, &place)?;
        let mut store = Self { binary: binary.to_owned(), folder: folder.to_owned(), place, child };
        store.until_there().await?;
        Ok(store)
    }

    /// What a node has to know.
    pub fn keys(&self) -> Vec<Key<'static>> {
        let file = |name: &str| format!("{:?}", self.folder.join(name).display().to_string());
        let mut keys = vec![
            ("store", "backend", "\"remote\"".to_owned()),
            ("store", "address", format!("\"{}\"", self.place.http)),
            ("store", "secret_file", file("data/secret")),
        ];
        if !self.place.http.ip().is_loopback() {
            keys.push(("store", "tls_ca", file("chain.pem")));
        }
        keys
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// On the same data and address.
    pub async fn start_again(&mut self) -> Result<()> {
        self.child = spawn(&self.binary, &self.folder, &self.place)?;
        self.until_there().await
    }

    async fn until_there(&mut self) -> Result<()> {
        let begun = Instant::now();
        while !process::is_ready(self.place.admin).await {
            if let Some(status) = self.child.try_wait()? {
                bail!("the store process ended while it started ({status}):\n{}", self.last_words());
            }
            ensure!(begun.elapsed() < START_MAX, "the store process does not serve:\n{}", self.last_words());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// A metric's value now.
    pub async fn metric(&self, name: &str) -> Result<f64> {
        Ok(process::metric(self.place.admin, name).await?)
    }

    pub fn last_words(&self) -> String {
        process::end_of(&self.folder.join("log"))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn spawn(binary: &Path, folder: &Path, place: &Place) -> Result<Child> {
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    let (address, admin) = (place.http, place.admin);
    let mut command = process::within(&place.within, binary);
    command.args(["store", "serve", "--listen", &address.to_string(), "--admin", &admin.to_string(), "--data"]).arg(folder.join("data"));
    if !address.ip().is_loopback() {
        command.arg("--tls-cert").arg(folder.join("chain.pem")).arg("--tls-key").arg(folder.join("key.pem"));
    }
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    process::apart(&mut command);
    process::spawn_on(command, place.cpus.clone()).with_context(|| format!("cannot start {}", binary.display()))
}
