//! A grant for a process that takes slots for itself, where no Raft log gives grants: counted in a row of the store, so that
//! no two processes on it ever have the same one, and so never the same epoch.
//!
//! With a group this grant is not used: a slot's epoch is `grant << 16 | activation` of the grant in the table of owners.

use schema::record::LastGrant;

use crate::{Error, Expect, Put, Records, RecordsExt};

/// Above `above` and above every one that was taken. A take whose outcome is unknown leaves one out: nobody misses it.
pub async fn take_grant(records: &impl Records, above: u64) -> Result<u64, Error> {
    loop {
        let last = match records.fetch::<LastGrant>(LastGrant::key_of()).await {
            Ok(last) => last,
            Err(Error::Unknown(_)) => continue,
            Err(error) => return Err(error),
        };
        let grant = last.map_or(0, |(last, _)| last.grant).max(above) + 1;
        let expect = last.map_or(Expect::Absent, |(_, version)| Expect::Version(version));
        match records.store(&LastGrant { grant }, expect).await {
            Ok(Put::Done { .. }) => return Ok(grant),
            Ok(Put::Conflict { .. }) | Err(Error::Unknown(_)) => {}
            Err(error) => return Err(error),
        }
    }
}
