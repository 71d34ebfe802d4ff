//! TLS 1.3 between a node and its store process where they are not on one machine: the store process shows a certificate
//! that the node's own file vouches for. Who the node is, the greeting says.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::greet::Stream;
use crate::Error;

/// Whether this "host:port" can be reached from this machine alone.
pub fn is_loopback(address: &str) -> bool {
    let host = host(address);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

/// How a node dials.
#[derive(Clone)]
pub struct Dial {
    address: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Dial {
    /// `authority`: a PEM file of whoever signed the store process's certificate, or of that itself. Errors: without one where
    /// others could listen.
    pub fn new(address: &str, authority: Option<&Path>) -> Result<Self, Error> {
        let Some(authority) = authority else {
            if !is_loopback(address) {
                let why = format!("{address} is not this machine: give the certificate of its authority in store.tls_ca");
                return Err(Error::Unusable(why));
            }
            return Ok(Self { address: address.to_owned(), tls: None });
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(authority)? {
            roots.add(certificate).map_err(|error| unusable(authority, &error))?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| unusable(authority, &error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(host(address).to_owned());
        let name = name.map_err(|_| Error::Unusable(format!("{address} is no address: write it like \"store.example:7700\"")))?;
        Ok(Self { address: address.to_owned(), tls: Some((TlsConnector::from(Arc::new(config)), name)) })
    }

    pub async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            Some((connector, name)) => Box::new(connector.connect(name.clone(), stream).await?),
            None => Box::new(stream),
        })
    }
}

/// How a store process lets in.
#[derive(Clone, Default)]
pub struct Door(Option<TlsAcceptor>);

impl Door {
    /// PEM files.
    pub fn new(chain: &Path, key: &Path) -> Result<Self, Error> {
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| unusable(chain, &error))?
            .with_no_client_auth()
            .with_single_cert(certificates(chain)?, private)
            .map_err(|error| unusable(chain, &error))?;
        Ok(Self(Some(TlsAcceptor::from(Arc::new(config)))))
    }

    pub fn has_tls(&self) -> bool {
        self.0.is_some()
    }

    pub async fn open(&self, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        stream.set_nodelay(true)?;
        Ok(match &self.0 {
            Some(acceptor) => Box::new(acceptor.accept(stream).await?),
            None => Box::new(stream),
        })
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| unusable(file, &error))?;
    if read.is_empty() {
        return Err(unusable(file, &"there is no certificate in it"));
    }
    Ok(read)
}

fn unusable(file: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Unusable(format!("{} cannot be used for TLS: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_talked_to_in_the_clear() {
        for near in ["127.0.0.1:7700", "127.9.9.9:1", "[::1]:7700", "localhost:7700"] {
            assert!(is_loopback(near) && Dial::new(near, None).is_ok(), "{near}");
        }
        for far in ["10.0.0.1:7700", "store.example:7700", "[2001:db8::1]:7700", "localhost.example:1", "0.0.0.0:1"] {
            assert!(!is_loopback(far), "{far}");
            let refused = Dial::new(far, None).err().unwrap().to_string();
            assert!(refused.ends_with("give the certificate of its authority in store.tls_ca"), "{refused}");
        }
    }
}
