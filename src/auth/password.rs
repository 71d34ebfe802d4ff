//! Argon2id (RFC 9106; m = 19 MiB, t = 2, p = 1) in a bounded pool: so many at once, so many waiting, the rest is refused.
//! Does not know accounts; an unknown name is checked against `stand_in`, so that it takes the same time.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::Error;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

#[derive(Clone)]
pub struct Passwords {
    /// Invariant: at most this many times 19 MiB are in use.
    running: Arc<Semaphore>,
    /// Running and waiting.
    places: Arc<Semaphore>,
    /// The hash of a password that nobody knows.
    stand_in: Arc<str>,
}

impl Passwords {
    /// Hashes once, on the calling thread.
    pub fn new(parallel: usize, waiting_max: usize) -> Result<Self, Error> {
        let mut nobody = [0; 32];
        aws_lc_rs::rand::fill(&mut nobody).map_err(|_| Error::Broken("no randomness"))?;
        Ok(Self {
            running: Arc::new(Semaphore::new(parallel.max(1))),
            places: Arc::new(Semaphore::new(parallel.max(1) + waiting_max)),
            stand_in: hash(&nobody)?.into(),
        })
    }

    /// A PHC string. Errors: `Busy`.
    pub async fn hash(&self, password: &str) -> Result<String, Error> {
        let password = password.to_owned();
        self.run(move || hash(password.as_bytes())).await?
    }

    /// Against the hash of an account, or of nobody: then false, after the same work. Errors: `Busy`.
    pub async fn verify(&self, password: &str, phc: Option<String>) -> Result<bool, Error> {
        let password = password.to_owned();
        let (known, phc) = match phc {
            Some(phc) => (true, phc),
            None => (false, self.stand_in.to_string()),
        };
        let matches = self.run(move || verify(password.as_bytes(), &phc)).await?;
        Ok(known && matches)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| {
            metrics::counter!("hubbub_auth_passwords_refused_total").increment(1);
            Error::Busy
        })?;
        let turn = self.running.clone().acquire_owned().await.map_err(|_| Error::Busy)?;
        // The permits travel with the work: a caller that goes away does not free a place that is still computing.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((turn, place));
            result
        });
        done.await.map_err(|_| Error::Broken("a password could not be computed"))
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &[u8]) -> Result<String, Error> {
    let hash: PasswordHash = argon2().hash_password(password).map_err(|_| Error::Broken("a password could not be hashed"))?;
    Ok(hash.to_string())
}

fn verify(password: &[u8], phc: &str) -> bool {
    PasswordHash::new(phc).is_ok_and(|hash| argon2().verify_password(password, &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let passwords = Passwords::new(1, 4).unwrap();
        let phc = passwords.hash("correct horse").await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(passwords.verify("correct horse", Some(phc.clone())).await.unwrap());
        assert!(!passwords.verify("correct hors", Some(phc)).await.unwrap());
        assert!(!passwords.verify("correct horse", None).await.unwrap());
        assert!(!passwords.verify("x", Some("not a hash".into())).await.unwrap());
    }

    #[tokio::test]
    async fn more_passwords_than_places_are_refused_as_busy() {
        let passwords = Passwords::new(1, 1).unwrap();
        let turn = passwords.running.clone().acquire_owned().await.unwrap();
        let waiting = [passwords.hash("one"), passwords.hash("two"), passwords.hash("three")];
        let mut waiting: Vec<_> = waiting.into_iter().map(Box::pin).collect();
        let polled: Vec<_> = waiting.iter_mut().map(|hash| futures_util::FutureExt::now_or_never(hash.as_mut())).collect();
        assert!(polled[0].is_none() && polled[1].is_none());
        assert_eq!(polled[2], Some(Err(Error::Busy)));
        drop(turn);
        assert!(waiting.remove(0).await.is_ok());
    }
}
