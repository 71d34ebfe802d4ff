//! Conditional writes whose outcome is known: a write that may or may not have happened is repeated until it is told.

use schema::record::Record;
use store::{Expect, Put, RecordsExt};

use super::{Auth, Error};

const TRIES: usize = 4;

impl Auth {
    /// Errors: the store's; `Unknown` only when it stays so.
    pub(super) async fn put<R: Record>(&self, record: &R, expect: Expect) -> Result<Put, Error> {
        let mut unknown = None;
        for _ in 0..TRIES {
            match self.records().store(record, expect).await {
                Err(store::Error::Unknown(why)) => unknown = Some(store::Error::Unknown(why)),
                Ok(Put::Conflict { version }) if unknown.is_some() => {
                    // Perhaps with our own earlier try.
                    let mine = schema::wire::to_msgpack(record);
                    let row = self.records().get(record.key()).await?;
                    let landed = row.filter(|row| row.value == mine);
                    return Ok(landed.map_or(Put::Conflict { version }, |row| Put::Done { version: row.stamp }));
                }
                known => return Ok(known?),
            }
        }
        Err(unknown.map_or(Error::Again, Error::Store))
    }
}
