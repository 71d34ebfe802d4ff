//! Whom a TLS connection believes: a CA file, the system's roots, or, when it is asked for by a plain name, anybody. Says
//! what is wrong with a file; decides nothing about where to connect.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde::{Deserialize, Serialize};

/// Where the common systems keep the roots that they believe.
const SYSTEM_ROOTS: [&str; 3] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// What a run's workers have to know to speak TLS; the roots travel with it, the files stay where they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// As the node's certificate has to name it.
    pub name: String,
    /// PEM; none: any certificate will do.
    roots: Option<String>,
}

/// A trust that is ready to be used. One for each run: it stays until the process ends, so that every connection can name it.
#[derive(Debug)]
pub struct Tls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

impl Trust {
    /// Certificates that this file's authorities signed; without a file, those of the system.
    pub fn of(name: &str, file: Option<&Path>) -> Result<Self, String> {
        let system = || SYSTEM_ROOTS.iter().map(Path::new).find(|path| path.exists());
        let file = file.or_else(system).ok_or("this system has no roots where they are looked for: name a CA file with --ca")?;
        let roots = std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let trust = Self { name: name.to_owned(), roots: Some(roots) };
        trust.ready().map(|_| trust).map_err(|error| format!("{}: {error}", file.display()))
    }

    /// Whoever answers is believed.
    pub fn anybody(name: &str) -> Self {
        Self { name: name.to_owned(), roots: None }
    }

    pub fn ready(&self) -> Result<&'static Tls, String> {
        let name = ServerName::try_from(self.name.clone()).map_err(|_| format!("`{}` is no name of a server", self.name))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        let config = match &self.roots {
            Some(pem) => builder.with_root_certificates(roots(pem)?).with_no_client_auth(),
            None => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))).with_no_client_auth(),
        };
        Ok(Box::leak(Box::new(Tls { config: Arc::new(config), name })))
    }
}

fn roots(pem: &str) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        // A system's list has some that nobody can use: those are left out.
        store.add(certificate.map_err(|error| format!("it is not PEM: {error}"))?).ok();
    }
    if store.is_empty() { Err("there is no certificate of an authority in it".to_owned()) } else { Ok(store) }
}

/// Still checks that who answers has the key of the certificate it shows.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_authority_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        assert!(Trust::of("localhost", Some(&file)).unwrap_err().starts_with("cannot read "));
        std::fs::write(&file, "nothing").unwrap();
        let why = Trust::of("localhost", Some(&file)).unwrap_err();
        assert!(why.ends_with("ca.pem: there is no certificate of an authority in it"), "{why}");
    }
}
