//! Secrets that are only ever compared: 256 random bits as text, and the hash that is kept instead of them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::Error;

/// 43 characters.
pub fn make() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(salt()?))
}

/// The secret that follows from a token and a salt: the same again for who has both.
pub fn derive(token: &str, salt: &[u8; 32]) -> String {
    let hash = Sha256::new_with_prefix(b"hubbub refresh successor").chain_update(salt).chain_update(token);
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// 32 random bytes.
pub fn salt() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Broken("no randomness"))?;
    Ok(bytes)
}

/// Without salt: there is nothing to guess in 256 random bits.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
