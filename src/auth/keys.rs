//! The keys of access tokens at rest: made at the first start, rotated by a command, dropped when nothing they signed lives.

use schema::record::SigningKey;
use store::{Expect, Put, Range, Records, RecordsExt};

use super::token::{self, Keyring};
use super::{Auth, Error};

/// Rotating more often than tokens expire is pointless; this is far above that.
const KEYS_MAX: usize = 64;
/// How long a retired key goes on verifying: milliseconds.
const RETIRED_MS: u64 = (token::LIFE_S + token::LEEWAY_S + 60) * 1000;

pub(super) async fn load_or_make(records: &dyn Records, issuer: &str, now: u64) -> Result<Keyring, Error> {
    let mut keys = load(records, now).await?;
    if keys.iter().all(|key| key.retired_at.is_some()) {
        let key = token::make_key(now)?;
        put(records, &key, Expect::Absent).await?;
        keys.push(key);
    }
    Keyring::new(&keys, issuer)
}

/// Without those that were retired so long ago that nothing they signed is alive.
async fn load(records: &dyn Records, now: u64) -> Result<Vec<SigningKey>, Error> {
    let rows = records.list::<SigningKey>(Range::all(SigningKey::partition(), KEYS_MAX)).await?;
    let alive = |key: &SigningKey| key.retired_at.is_none_or(|at| now <= at + RETIRED_MS);
    Ok(rows.into_iter().map(|(key, _)| key).filter(alive).collect())
}

async fn put(records: &dyn Records, key: &SigningKey, expect: Expect) -> Result<(), Error> {
    match records.store(key, expect).await? {
        Put::Done { .. } => Ok(()),
        Put::Conflict { .. } => Err(Error::Again),
    }
}

impl Auth {
    /// A new key signs from now on; the old ones verify until what they signed has expired. Returns the new `kid`.
    pub async fn rotate_keys(&self) -> Result<String, Error> {
        let now = self.now();
        let old = self.records().list::<SigningKey>(Range::all(SigningKey::partition(), KEYS_MAX)).await?;
        if old.len() >= KEYS_MAX - 1 {
            return Err(Error::Busy);
        }
        // First the new one: a crash in between leaves two that sign, never none. It must also be the newest by the
        // clock that made the others.
        let newest = old.iter().map(|(key, _)| key.created_at).max().unwrap_or(0);
        let key = token::make_key(now.max(newest + 1))?;
        put(self.records(), &key, Expect::Absent).await?;
        for (old, version) in old {
            if old.retired_at.is_none() {
                put(self.records(), &SigningKey { retired_at: Some(now), ..old }, Expect::Version(version)).await?;
            }
        }
        self.reload_keys().await?;
        Ok(key.kid)
    }

    /// The one that signs now.
    pub fn kid(&self) -> String {
        self.0.keys.load().kid().to_owned()
    }

    /// Takes up what another node or command changed, and drops what is over.
    pub(super) async fn reload_keys(&self) -> Result<(), Error> {
        let now = self.now();
        self.0.keys.store(load_or_make(self.records(), &self.0.config.issuer, now).await?.into());
        for (key, _) in self.records().list::<SigningKey>(Range::all(SigningKey::partition(), KEYS_MAX)).await? {
            if key.retired_at.is_some_and(|at| now > at + RETIRED_MS) {
                self.records().delete(SigningKey::key_of(&key.kid)).await?;
            }
        }
        Ok(())
    }
}
