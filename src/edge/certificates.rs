//! TLS certificates from files, taken anew when the files change; connections that are open keep theirs.
//!
//! A file that cannot be read or does not fit its key leaves the old certificate in use and is said in the log: a
//! half-copied renewal must not take the node off the net.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::ProducesTickets;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the certificate chain in {0} cannot be read: {1}")]
    Chain(PathBuf, rustls_pki_types::pem::Error),
    #[error("there is no certificate in {0}")]
    Empty(PathBuf),
    #[error("the private key in {0} cannot be read: {1}")]
    Key(PathBuf, rustls_pki_types::pem::Error),
    #[error("the certificate and the key cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

pub struct Certificates {
    chain: PathBuf,
    key: PathBuf,
    /// One for the life of the process, so that tickets outlive a renewal.
    ticketer: Arc<dyn ProducesTickets>,
    config: ArcSwap<ServerConfig>,
    changed: Mutex<[Option<SystemTime>; 2]>,
}

impl Certificates {
    /// PEM files: the chain, the leaf first, and its key.
    pub fn load(chain: PathBuf, key: PathBuf) -> Result<Self, Error> {
        let ticketer = aws_lc_rs::Ticketer::new()?;
        let changed = Mutex::new([&chain, &key].map(changed));
        let config = ArcSwap::from_pointee(read(&chain, &key, &ticketer)?);
        Ok(Self { chain, key, ticketer, config, changed })
    }

    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }

    /// Reads the files again, if they changed since the last time or `always`; says whether a new certificate is in use.
    pub fn reload(&self, always: bool) -> Result<bool, Error> {
        let now = [&self.chain, &self.key].map(changed);
        if std::mem::replace(&mut *self.changed.lock(), now) == now && !always {
            return Ok(false);
        }
        self.config.store(Arc::new(read(&self.chain, &self.key, &self.ticketer)?));
        Ok(true)
    }
}

fn changed(path: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

fn read(chain: &PathBuf, key: &PathBuf, ticketer: &Arc<dyn ProducesTickets>) -> Result<ServerConfig, Error> {
    let wrong = |error| Error::Chain(chain.clone(), error);
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(chain).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)?;
    if certificates.is_empty() {
        return Err(Error::Empty(chain.clone()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| Error::Key(key.clone(), error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = ticketer.clone();
    Ok(config)
}
