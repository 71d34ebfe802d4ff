//! Connections of many people who only read, opened a few at a time. Dropping one closes it.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;

use super::raw::{self, Counts, Glimpse};
use super::{Error, progress};
use crate::client::Target;
use crate::people::{Person, source};

/// Handshakes under way.
const PARALLEL: usize = 32;

pub struct Open {
    pub reader: JoinHandle<crate::client::Error>,
    pub writer: OwnedWriteHalf,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Everybody, in order; each tells `look` what it hears. The first comes from address number `first`.
pub async fn connect(
    target: Target,
    first: u32,
    people: &[Person],
    counts: &Arc<Counts>,
    look: impl Fn(Glimpse) + Clone + Send + 'static,
) -> Result<Vec<Open>, Error> {
    let bar = progress("connecting", people.len());
    let opening = stream::iter(people.iter().enumerate()).map(|(number, person)| {
        let from = Target { source: Some(source(first, number as u32)), ..target };
        let (counts, bar, look) = (Arc::clone(counts), bar.clone(), look.clone());
        async move {
            let (reader, writer) = raw::open(from, person, counts).await?;
            bar.inc(1);
            Ok::<_, Error>(Open { reader: tokio::spawn(reader.run(look)), writer })
        }
    });
    let mut opening = opening.buffered(PARALLEL);
    let mut open = Vec::with_capacity(people.len());
    while let Some(connection) = opening.next().await {
        open.push(connection?);
    }
    bar.finish_and_clear();
    Ok(open)
}
