//! TCP with mutual TLS 1.3: both ends show a certificate of the group's authority, and it has to be the one that the
//! membership has for that node.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::server::Acceptor;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{LazyConfigAcceptor, TlsConnector, TlsStream};

use super::authority::{Credentials, fingerprint, node_name, node_of_name};
use super::tls::{self, KNOCKS, Tls};
use super::transport::{Incoming, Transport, Trust};
use crate::NodeId;

pub struct TcpTransport {
    /// `None`: nobody can dial us.
    listener: Option<TcpListener>,
    shown: ArcSwapOption<Shown>,
}

struct Shown {
    tls: Tls,
    trust: Arc<Trust>,
}

pub struct TcpIncoming {
    stream: TcpStream,
    shown: Arc<Shown>,
}

impl TcpTransport {
    /// Errors: the address is taken.
    pub async fn listen(address: Option<SocketAddr>) -> io::Result<Self> {
        let listener = match address {
            Some(address) => Some(TcpListener::bind(address).await?),
            None => None,
        };
        Ok(Self { listener, shown: ArcSwapOption::empty() })
    }
    /// As somebody from the beginning. Errors: the address is taken, the credentials do not fit each other.
    pub async fn bind(address: SocketAddr, credentials: &Credentials, trust: Arc<Trust>) -> io::Result<Self> {
        let transport = Self::listen(Some(address)).await?;
        transport.show(credentials, trust)?;
        Ok(transport)
    }
    /// Errors: it does not listen.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.as_ref().ok_or(io::ErrorKind::NotConnected)?.local_addr()
    }
    fn show(&self, credentials: &Credentials, trust: Arc<Trust>) -> io::Result<()> {
        self.shown.store(Some(Arc::new(Shown { tls: Tls::new(credentials)?, trust })));
        Ok(())
    }
    fn shown(&self) -> io::Result<Arc<Shown>> {
        self.shown.load_full().ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "this node is not in a group yet"))
    }
}

impl Transport for TcpTransport {
    type Stream = TlsStream<TcpStream>;
    type Incoming = TcpIncoming;

    async fn dial(&self, to: NodeId, address: &str) -> io::Result<Self::Stream> {
        let shown = self.shown()?;
        let stream = connect(address).await?;
        let name = ServerName::try_from(node_name(to)).map_err(io::Error::other)?;
        let stream = TlsConnector::from(shown.tls.client.clone()).connect(name, stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        if !certificate.is_some_and(|certificate| (shown.trust)(to, fingerprint(certificate))) {
            return Err(stranger());
        }
        Ok(stream.into())
    }

    async fn knock(&self, address: &str, authority: [u8; 32]) -> io::Result<Self::Stream> {
        let stream = connect(address).await?;
        let whoever = ServerName::try_from("hubbub.internal").map_err(io::Error::other)?;
        Ok(TlsConnector::from(tls::knocking(authority)?).connect(whoever, stream).await?.into())
    }

    async fn resolve(&self, name: &str) -> io::Result<Vec<String>> {
        Ok(tokio::net::lookup_host(name).await?.map(|address| address.to_string()).collect())
    }

    async fn accept(&self) -> io::Result<TcpIncoming> {
        let Some(listener) = &self.listener else { return std::future::pending().await };
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(TcpIncoming { stream, shown: self.shown()? })
    }

    fn appear(&self, _node: NodeId, credentials: &Credentials, trust: Arc<Trust>) -> io::Result<()> {
        self.show(credentials, trust)
    }

    fn replace(&self, credentials: &Credentials) -> io::Result<()> {
        let trust = self.shown()?.trust.clone();
        self.show(credentials, trust)
    }
}

impl Incoming for TcpIncoming {
    type Stream = TlsStream<TcpStream>;

    async fn open(self) -> io::Result<(Option<NodeId>, Self::Stream)> {
        let Self { stream, shown } = self;
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        if hello.client_hello().alpn().is_some_and(|mut names| names.any(|name| name == KNOCKS)) {
            return Ok((None, hello.into_stream(shown.tls.knocked.clone()).await?.into()));
        }
        let stream = hello.into_stream(shown.tls.server.clone()).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let is_trusted = |node: &NodeId, certificate: &CertificateDer<'_>| (shown.trust)(*node, fingerprint(certificate));
        let node = certificate.and_then(|certificate| named(certificate).filter(|node| is_trusted(node, certificate)));
        Ok((Some(node.ok_or_else(stranger)?), stream.into()))
    }
}

async fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub(super) fn named(certificate: &CertificateDer<'_>) -> Option<NodeId> {
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    certificate.valid_dns_names().find_map(node_of_name)
}

fn stranger() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "the certificate is not the one that the membership has for the node")
}
