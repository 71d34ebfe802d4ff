//! People who sign up as anybody would, over the API: each password is hashed with all the care the node takes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use schema::DeviceId;
use uuid::Uuid;

use super::{PASSWORD, PATIENCE, Person, Tell, source};
use crate::client::{Api, Error, Target, is_temporary};

/// At a time.
const PARALLEL: usize = 8;

/// So many people, named by the prefix and their number. `sources`: the first of the loopback addresses that they come from;
/// none: the machine's own. Errors: the node refuses for good, or for a minute.
pub async fn sign_up(target: Target, sources: Option<u32>, prefix: &str, count: u32, tell: Tell<'_>) -> Result<Vec<Person>> {
    let done = AtomicU32::new(0);
    let people = stream::iter(0..count)
        .map(|n| {
            let (name, done) = (format!("{prefix}{n}"), &done);
            let target = Target { source: sources.map(|first| source(first, n)), ..target };
            async move {
                let person = sign_up_one(target, &name).await.with_context(|| format!("{name} could not be signed up"))?;
                tell(done.fetch_add(1, Ordering::Relaxed) + 1);
                anyhow::Ok(person)
            }
        })
        .buffered(PARALLEL);
    people.try_collect().await
}

/// A node that is busy hashing, or just going down, is asked again.
async fn sign_up_one(target: Target, name: &str) -> Result<Person> {
    let (device, begun) = (DeviceId(Uuid::now_v7()), Instant::now());
    loop {
        match Api::nobody(target).sign_up(name, PASSWORD, device).await {
            Ok(tokens) => return Ok(Person { name: name.to_owned(), device, tokens }),
            Err(error) if is_temporary(&error) && begun.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(Error::Connect(error)) => bail!("nobody answers at {}: {error}", target.node),
            Err(error) => bail!(
                "{error}. A node lets one address sign up 60 people and then one each 30 s: ask for fewer accounts, or raise `auth.signups_per_address_burst`"
            ),
        }
    }
}
