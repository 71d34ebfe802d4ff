//! What a node and its store process both know, and how each shows the other that it does without saying it: HMAC-SHA-256
//! (RFC 2104) over two nonces, another text for each side so that no proof can be sent back. Compared in constant time.

use std::io;
use std::path::Path;

use aws_lc_rs::{hmac, rand};
use bytes::Bytes;

use crate::Error;

/// Shorter ones could be guessed by whoever heard a greeting.
pub const SECRET_BYTES_MIN: usize = 32;
const SECRET_BYTES_MAX: u64 = 4096;
pub const NONCE_BYTES: usize = 32;

#[derive(Clone)]
pub struct Secret(hmac::Key);

/// Who shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Node,
    Store,
}

impl Secret {
    /// Errors: too short.
    pub fn new(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() < SECRET_BYTES_MIN {
            let why = format!("the secret has {} bytes: make one of at least {SECRET_BYTES_MIN} random ones", bytes.len());
            return Err(Error::Unusable(why));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// From a file; line ends at its end do not count.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let failed = |why: String| Error::Unusable(format!("the secret {} cannot be used: {why}", file.display()));
        let length = std::fs::metadata(file).map_err(|error| failed(error.to_string()))?.len();
        if length > SECRET_BYTES_MAX {
            return Err(failed(format!("it has {length} bytes, more than {SECRET_BYTES_MAX}")));
        }
        let mut bytes = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
        while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            bytes.pop();
        }
        Self::new(&bytes).map_err(|error| failed(error.to_string()))
    }

    pub fn prove(&self, side: Side, nonces: &Nonces) -> Bytes {
        Bytes::copy_from_slice(hmac::sign(&self.0, &nonces.text(side)).as_ref())
    }
    pub fn is_proof(&self, side: Side, nonces: &Nonces, proof: &[u8]) -> bool {
        hmac::verify(&self.0, &nonces.text(side), proof).is_ok()
    }
}

/// One greeting's: without both a proof could be one of another greeting.
pub struct Nonces {
    pub node: Bytes,
    pub store: Bytes,
}

impl Nonces {
    fn text(&self, side: Side) -> Vec<u8> {
        let name: &[u8] = match side {
            Side::Node => b"hubbub node",
            Side::Store => b"hubbub store",
        };
        // Lengths before, so that two different pairs never give one text.
        [name, &[self.node.len() as u8], &self.node, &[self.store.len() as u8], &self.store].concat()
    }
}

pub fn nonce() -> io::Result<Bytes> {
    let mut bytes = [0; NONCE_BYTES];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    Ok(Bytes::copy_from_slice(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces(node: u8, store: u8) -> Nonces {
        Nonces { node: Bytes::from(vec![node; NONCE_BYTES]), store: Bytes::from(vec![store; NONCE_BYTES]) }
    }

    #[test]
    fn a_proof_is_of_one_side_one_greeting_and_one_secret() {
        let (ours, theirs) = (Secret::new(&[1; 32]).unwrap(), Secret::new(&[2; 32]).unwrap());
        let proof = ours.prove(Side::Node, &nonces(1, 2));
        assert!(ours.is_proof(Side::Node, &nonces(1, 2), &proof));
        assert!(!ours.is_proof(Side::Store, &nonces(1, 2), &proof));
        assert!(!ours.is_proof(Side::Node, &nonces(1, 3), &proof));
        assert!(!ours.is_proof(Side::Node, &nonces(3, 2), &proof));
        assert!(!theirs.is_proof(Side::Node, &nonces(1, 2), &proof));
        assert!(!ours.is_proof(Side::Node, &nonces(1, 2), &[]));
    }

    #[test]
    fn a_short_secret_is_refused_and_a_line_end_is_no_part_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, format!("{}\n", "s".repeat(31))).unwrap();
        assert!(Secret::read(&file).err().unwrap().to_string().contains("the secret has 31 bytes"));
        std::fs::write(&file, format!("{}\n", "s".repeat(32))).unwrap();
        let proof = Secret::read(&file).unwrap().prove(Side::Node, &nonces(1, 2));
        assert!(Secret::new(&[b's'; 32]).unwrap().is_proof(Side::Node, &nonces(1, 2), &proof));
        assert!(Secret::read(&folder.path().join("none")).is_err());
    }
}
