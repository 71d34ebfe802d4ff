//! Which access tokens are known to be signed by one of our keys, because this node signed them or has verified them before:
//! a client shows the same token with every request and after every cut, and the signature is nearly all that a check costs.
//!
//! Keeps a salted digest of the whole token and nothing of what it says: its times, its key and whether its login was revoked
//! are looked at each time. Bounded: over it the oldest token of a place goes, and is verified once more.

use aws_lc_rs::digest::{Context, SHA256};
use parking_lot::Mutex;

use super::Error;

/// Half a MiB, whatever happens.
const TOKENS_MAX: usize = 32 * 1024;
/// Tokens that share a place.
const WAYS: usize = 4;
const SHARDS: usize = 16;

/// 128 bits of SHA-256: whoever wants to be taken for a token that is here has to find a second one with its digest.
type Digest = [u8; 16];

pub struct Verified {
    salt: [u8; 16],
    /// Of each place the newest first; zeros are nobody's digest.
    shards: [Mutex<Box<[[Digest; WAYS]]>>; SHARDS],
}

impl Verified {
    /// Errors: `Broken` without randomness.
    pub fn new() -> Result<Self, Error> {
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| Error::Broken("no randomness"))?;
        let places = TOKENS_MAX / WAYS / SHARDS;
        Ok(Self { salt, shards: std::array::from_fn(|_| Mutex::new(vec![[Digest::default(); WAYS]; places].into())) })
    }

    /// Only what a key of ours signed comes here.
    pub fn add(&self, token: &str) {
        let digest = self.digest(token);
        let (mut shard, place) = self.place(&digest);
        if !shard[place].contains(&digest) {
            shard[place].rotate_right(1);
            shard[place][0] = digest;
        }
    }

    pub fn has(&self, token: &str) -> bool {
        let digest = self.digest(token);
        let (shard, place) = self.place(&digest);
        shard[place].contains(&digest)
    }

    fn digest(&self, token: &str) -> Digest {
        let mut context = Context::new(&SHA256);
        context.update(&self.salt);
        context.update(token.as_bytes());
        let mut digest = Digest::default();
        digest.copy_from_slice(&context.finish().as_ref()[..16]);
        digest
    }

    fn place(&self, digest: &Digest) -> (parking_lot::MutexGuard<'_, Box<[[Digest; WAYS]]>>, usize) {
        let number = usize::from(u16::from_le_bytes([digest[0], digest[1]]));
        let shard = self.shards[number % SHARDS].lock();
        let place = number / SHARDS % shard.len();
        (shard, place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_mebibyte_is_kept_however_many_tokens_come_and_the_newest_are_among_them() {
        let verified = Verified::new().unwrap();
        let tokens: Vec<String> = (0..4 * TOKENS_MAX).map(|n| format!("token {n}")).collect();
        tokens.iter().for_each(|token| verified.add(token));
        let bytes: usize = verified.shards.iter().map(|shard| size_of_val(&**shard.lock())).sum();
        assert_eq!(bytes, 512 << 10);
        assert!(tokens.iter().rev().take(100).all(|token| verified.has(token)));
        assert!(tokens.iter().filter(|token| verified.has(token)).count() <= TOKENS_MAX);
        assert!(!verified.has("token") && !verified.has(""));
    }

    #[test]
    fn a_token_that_comes_again_takes_no_second_place() {
        let verified = Verified::new().unwrap();
        (0..100).for_each(|_| verified.add("a token"));
        let kept =
            |shard: &Mutex<Box<[[Digest; WAYS]]>>| shard.lock().iter().flatten().filter(|digest| **digest != Digest::default()).count();
        assert_eq!(verified.shards.iter().map(kept).sum::<usize>(), 1);
    }
}
