//! TCP with mutual TLS 1.3: both ends show a certificate of the group's authority, and it has to be the one that the
//! membership has for that node.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::authority::{Credentials, fingerprint, node_name, node_of_name};
use super::transport::{Incoming, Transport};
use crate::NodeId;

/// Whether the membership has this certificate (SHA-256) for the node.
pub type Trust = dyn Fn(NodeId, [u8; 32]) -> bool + Send + Sync;

pub struct TcpTransport {
    listener: TcpListener,
    trust: Arc<Trust>,
    tls: ArcSwap<Tls>,
}

struct Tls {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

pub struct TcpIncoming {
    stream: TcpStream,
    acceptor: TlsAcceptor,
    trust: Arc<Trust>,
}

impl TcpTransport {
    /// Errors: the address is taken, the credentials do not fit each other.
    pub async fn bind(address: SocketAddr, credentials: &Credentials, trust: Arc<Trust>) -> io::Result<Self> {
        let tls = ArcSwap::from_pointee(Tls::new(credentials)?);
        Ok(Self { listener: TcpListener::bind(address).await?, trust, tls })
    }
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
    /// From here on connections are made with these; those that are open stay.
    pub fn replace(&self, credentials: &Credentials) -> io::Result<()> {
        self.tls.store(Arc::new(Tls::new(credentials)?));
        Ok(())
    }
}

impl Tls {
    fn new(Credentials { certificate, key, authority }: &Credentials) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone()).map_err(io::Error::other)?;
        let (roots, provider, chain) = (Arc::new(roots), Arc::new(default_provider()), vec![certificate.clone()]);
        let versions = &[&rustls::version::TLS13];
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .map_err(io::Error::other)?
            .with_root_certificates(roots.clone())
            .with_client_auth_cert(chain.clone(), key.clone_key())
            .map_err(io::Error::other)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build().map_err(io::Error::other)?;
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(io::Error::other)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key.clone_key())
            .map_err(io::Error::other)?;
        Ok(Self { client: Arc::new(client), server: Arc::new(server) })
    }
}

impl Transport for TcpTransport {
    type Stream = TlsStream<TcpStream>;
    type Incoming = TcpIncoming;

    async fn dial(&self, to: NodeId, address: &str) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(node_name(to)).map_err(io::Error::other)?;
        let stream = TlsConnector::from(self.tls.load().client.clone()).connect(name, stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        if !certificate.is_some_and(|certificate| (self.trust)(to, fingerprint(certificate))) {
            return Err(stranger());
        }
        Ok(stream.into())
    }

    async fn accept(&self) -> io::Result<TcpIncoming> {
        let (stream, _) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(TcpIncoming { stream, acceptor: self.tls.load().server.clone().into(), trust: self.trust.clone() })
    }
}

impl Incoming for TcpIncoming {
    type Stream = TlsStream<TcpStream>;

    async fn open(self) -> io::Result<(NodeId, Self::Stream)> {
        let stream = self.acceptor.accept(self.stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let node = certificate.and_then(|certificate| named(certificate).filter(|node| (self.trust)(*node, fingerprint(certificate))));
        Ok((node.ok_or_else(stranger)?, stream.into()))
    }
}

fn named(certificate: &CertificateDer<'_>) -> Option<NodeId> {
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    certificate.valid_dns_names().find_map(node_of_name)
}

fn stranger() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "the certificate is not the one that the membership has for the node")
}
