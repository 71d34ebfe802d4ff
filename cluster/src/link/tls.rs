//! What TLS is told: mutual between nodes of the group, and one-sided for somebody who knocks, who knows the group by the
//! fingerprint of its authority alone (as a token has it) and shows nothing.

use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, PeerIncompatible, RootCertStore, ServerConfig, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::authority::{Credentials, fingerprint, node_name};
use super::tcp::named;

/// What somebody who knocks asks for (ALPN, RFC 7301).
pub const KNOCKS: &[u8] = b"hubbub-join";
const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];

pub struct Tls {
    pub client: Arc<ClientConfig>,
    pub server: Arc<ServerConfig>,
    /// For those who knock: they are sent the authority's certificate too, and show none.
    pub knocked: Arc<ServerConfig>,
}

impl Tls {
    pub fn new(Credentials { certificate, key, authority }: &Credentials) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone()).map_err(io::Error::other)?;
        let (roots, provider, chain) = (Arc::new(roots), Arc::new(default_provider()), vec![certificate.clone()]);
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(VERSIONS)
            .map_err(io::Error::other)?
            .with_root_certificates(roots.clone())
            .with_client_auth_cert(chain.clone(), key.clone_key())
            .map_err(io::Error::other)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build().map_err(io::Error::other)?;
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(VERSIONS)
            .map_err(io::Error::other)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key.clone_key())
            .map_err(io::Error::other)?;
        let mut knocked = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(VERSIONS)
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone(), authority.clone()], key.clone_key())
            .map_err(io::Error::other)?;
        knocked.alpn_protocols = vec![KNOCKS.to_vec()];
        Ok(Self { client: client.into(), server: server.into(), knocked: knocked.into() })
    }
}

/// Of somebody who knows nothing of the group but its authority's fingerprint.
pub fn knocking(authority: [u8; 32]) -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(default_provider());
    let mut client = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(VERSIONS)
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned { authority, provider }))
        .with_no_client_auth();
    client.alpn_protocols = vec![KNOCKS.to_vec()];
    Ok(Arc::new(client))
}

/// Believes any node that the authority with this fingerprint vouches for.
#[derive(Debug)]
struct Pinned {
    authority: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let unknown = || Error::from(CertificateError::UnknownIssuer);
        let authority = intermediates.iter().find(|certificate| fingerprint(certificate) == self.authority).ok_or_else(unknown)?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone()).build();
        // Which node it is does not matter, but it has to be one.
        let node = named(end_entity).ok_or_else(unknown)?;
        let name = ServerName::try_from(node_name(node)).map_err(|_| unknown())?;
        verifier.map_err(|_| unknown())?.verify_server_cert(end_entity, &[], &name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
