//! Secrets that are only ever compared: 256 random bits as text, and the hash that is kept instead of them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::Error;

/// 43 characters.
pub fn make() -> Result<String, Error> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Broken("no randomness"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Without salt: there is nothing to guess in 256 random bits.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
