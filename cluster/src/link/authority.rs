//! The group's own certificate authority: it says which key is which node's, and nobody else is let in. X.509 (RFC 5280) by
//! rcgen; a node's certificate names it as `node-ID.hubbub.internal` and serves for both ends of a connection.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

use crate::NodeId;

const DAY: Duration = Duration::from_secs(24 * 3600);
const AUTHORITY_LASTS: Duration = DAY.saturating_mul(365 * 20);
/// A node makes the next one long before.
pub const NODE_LASTS: Duration = DAY.saturating_mul(365);
/// Clocks differ.
const EARLIER: Duration = DAY;

#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("a certificate or key cannot be read: {0}")]
    Read(#[from] rustls_pki_types::pem::Error),
    #[error("a certificate does not say when it ends")]
    NoEnd,
}

pub struct Authority {
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What a node shows for itself, and whom it believes.
pub struct Credentials {
    pub certificate: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
    pub authority: CertificateDer<'static>,
}

impl Authority {
    /// A new one: nothing that another signed is believed by those who have this.
    pub fn make() -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = name("hubbub cluster");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        lasts(&mut params, AUTHORITY_LASTS);
        let certificate = params.self_signed(&key)?;
        Ok(Self { certificate_pem: certificate.pem(), issuer: Issuer::new(params, key) })
    }

    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        let issuer = Issuer::from_ca_cert_pem(certificate, KeyPair::from_pem(key)?)?;
        Ok(Self { certificate_pem: certificate.to_owned(), issuer })
    }
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }
    /// Whoever has it can make nodes.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A fresh key and its certificate.
    pub fn issue(&self, node: NodeId) -> Result<Credentials, AuthorityError> {
        let (certificate, key) = self.issue_pem(node)?;
        Credentials::from_pem(&certificate, &key, &self.certificate_pem)
    }
    /// The same, certificate and key, to be written down.
    pub fn issue_pem(&self, node: NodeId) -> Result<(String, String), AuthorityError> {
        let request = Request::make()?;
        Ok((self.sign(node, request.pem(), NODE_LASTS)?, request.key_pem()))
    }

    /// PEM of the certificate for whoever has the key of the request. What else the request wishes for does not matter.
    pub fn sign(&self, node: NodeId, request_pem: &str, lasts_for: Duration) -> Result<String, AuthorityError> {
        let key = CertificateSigningRequestParams::from_pem(request_pem)?.public_key;
        let mut params = CertificateParams::new(vec![node_name(node)])?;
        params.distinguished_name = name(&node_name(node));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        lasts(&mut params, lasts_for);
        Ok(params.signed_by(&key, &self.issuer)?.pem())
    }

    /// SHA-256 of the certificate, by which those know it who have a token.
    pub fn fingerprint(&self) -> Result<[u8; 32], AuthorityError> {
        Ok(fingerprint(&CertificateDer::from_pem_slice(self.certificate_pem.as_bytes())?))
    }
}

/// A fresh key of a node that has no certificate yet, and the request for one (PKCS #10, RFC 2986).
pub struct Request {
    key: KeyPair,
    pem: String,
}

impl Request {
    pub fn make() -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let pem = CertificateParams::new(Vec::new())?.serialize_request(&key)?.pem()?;
        Ok(Self { key, pem })
    }
    pub fn pem(&self) -> &str {
        &self.pem
    }
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}

impl Credentials {
    pub fn from_pem(certificate: &str, key: &str, authority: &str) -> Result<Self, AuthorityError> {
        Ok(Self {
            certificate: CertificateDer::from_pem_slice(certificate.as_bytes())?,
            key: PrivateKeyDer::from_pem_slice(key.as_bytes())?,
            authority: CertificateDer::from_pem_slice(authority.as_bytes())?,
        })
    }
    /// From when on nobody believes it.
    pub fn ends(&self) -> Result<SystemTime, AuthorityError> {
        let (_, certificate) = x509_parser::parse_x509_certificate(&self.certificate).map_err(|_| AuthorityError::NoEnd)?;
        let seconds = u64::try_from(certificate.validity().not_after.timestamp()).map_err(|_| AuthorityError::NoEnd)?;
        Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }
    /// What the membership keeps of it.
    pub fn fingerprint(&self) -> [u8; 32] {
        fingerprint(&self.certificate)
    }
}

/// SHA-256 of the certificate as it is on the wire.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// The name in a node's certificate (`.internal` is reserved for private use).
pub fn node_name(node: NodeId) -> String {
    format!("node-{}.hubbub.internal", node.0)
}
/// The other way round; `None`: no name of a node.
pub fn node_of_name(name: &str) -> Option<NodeId> {
    name.strip_prefix("node-")?.strip_suffix(".hubbub.internal")?.parse().ok().map(NodeId)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

fn lasts(params: &mut CertificateParams, span: Duration) {
    let now = SystemTime::now();
    (params.not_before, params.not_after) = ((now - EARLIER).into(), (now + span).into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_in_its_certificate_and_nobody_else_is() {
        assert_eq!(node_of_name(&node_name(NodeId(17))), Some(NodeId(17)));
        for name in ["node-17.hubbub.example", "node-.hubbub.internal", "17.hubbub.internal", "node--1.hubbub.internal"] {
            assert_eq!(node_of_name(name), None, "{name}");
        }
    }

    #[test]
    fn an_authority_that_was_written_down_signs_as_before() {
        let made = Authority::make().unwrap();
        let read = Authority::from_pem(made.certificate_pem(), &made.key_pem()).unwrap();
        assert_eq!(read.issue(NodeId(1)).unwrap().authority, made.issue(NodeId(2)).unwrap().authority);
    }
}
