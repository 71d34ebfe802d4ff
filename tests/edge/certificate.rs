//! A certificate of our own, for every test that speaks TLS.

use std::path::Path;

use ::aws_lc_rs::rand::SystemRandom;
use ::aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u16::try_from(body.len()).unwrap();
    let mut out = vec![tag];
    match length {
        0..=127 => out.push(length as u8),
        128..=255 => out.extend([0x81, length as u8]),
        _ => out.extend([&[0x82][..], &length.to_be_bytes()].concat()),
    }
    out.extend(body);
    out
}

/// A certificate for `localhost` (X.509 v3, RFC 5280), signed by itself; written as PEM with its key.
pub fn write_certificate(folder: &Path) -> CertificateDer<'static> {
    const SEQUENCE: u8 = 0x30;
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
    let oid = |hex: &[u8]| der(0x06, &[hex]);
    let ecdsa_sha256 = der(SEQUENCE, &[&oid(b"\x2a\x86\x48\xce\x3d\x04\x03\x02")]);
    let name = der(SEQUENCE, &[&der(0x31, &[&der(SEQUENCE, &[&oid(b"\x55\x04\x03"), &der(0x0c, &[b"localhost"])])])]);
    let validity = der(SEQUENCE, &[&der(0x17, &[b"240101000000Z"]), &der(0x17, &[b"491231235959Z"])]);
    let p256 = der(SEQUENCE, &[&oid(b"\x2a\x86\x48\xce\x3d\x02\x01"), &oid(b"\x2a\x86\x48\xce\x3d\x03\x01\x07")]);
    let public = der(SEQUENCE, &[&p256, &der(0x03, &[&[0], key.public_key().as_ref()])]);
    let names = der(SEQUENCE, &[&oid(b"\x55\x1d\x11"), &der(0x04, &[&der(SEQUENCE, &[&der(0x82, &[b"localhost"])])])]);
    let extensions = der(0xa3, &[&der(SEQUENCE, &[&names])]);
    let version = der(0xa0, &[&der(0x02, &[&[2]])]);
    let signed = der(SEQUENCE, &[&version, &der(0x02, &[&[1]]), &ecdsa_sha256, &name, &validity, &name, &public, &extensions]);
    let signature = key.sign(&random, &signed).unwrap();
    let certificate = der(SEQUENCE, &[&signed, &ecdsa_sha256, &der(0x03, &[&[0], signature.as_ref()])]);
    let pem = |label: &str, der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    std::fs::write(folder.join("chain.pem"), pem("CERTIFICATE", &certificate)).unwrap();
    std::fs::write(folder.join("key.pem"), pem("PRIVATE KEY", pkcs8.as_ref())).unwrap();
    certificate.into()
}
