//! Conditional rows in memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use parking_lot::Mutex;
use schema::record::Key;
use store::{Answer, Error, Expect, Put, Range, Records, Row, Write};

#[derive(Default)]
pub struct Memory(Mutex<BTreeMap<Key, (u64, Bytes)>>);

impl Records for Memory {
    fn get(&self, key: Key) -> Answer<'_, Result<Option<Row>, Error>> {
        let row = self.0.lock().get(&key).map(|(stamp, value)| Row { key, value: value.clone(), stamp: *stamp });
        Box::pin(async { Ok(row) })
    }
    fn scan(&self, range: Range) -> Answer<'_, Result<Vec<Row>, Error>> {
        let rows = self.0.lock();
        let inside = rows.iter().filter(|(key, _)| key.table == range.partition.table && key.partition == range.partition.partition);
        let inside = inside.filter(|(key, _)| key.sort >= range.from && (range.to.is_empty() || key.sort < range.to));
        let rows = inside.take(range.limit).map(|(key, (stamp, value))| Row { key: key.clone(), value: value.clone(), stamp: *stamp });
        let rows = rows.collect();
        Box::pin(async { Ok(rows) })
    }
    fn put(&self, key: Key, value: Bytes, expect: Expect) -> Answer<'_, Result<Put, Error>> {
        let mut rows = self.0.lock();
        let version = rows.get(&key).map_or(0, |(version, _)| *version);
        let fits = match expect {
            Expect::Any => true,
            Expect::Absent => version == 0,
            Expect::Version(expected) => version == expected,
        };
        let put = if fits {
            rows.insert(key, (version + 1, value));
            Put::Done { version: version + 1 }
        } else {
            Put::Conflict { version }
        };
        Box::pin(async move { Ok(put) })
    }
    fn put_many(&self, _: Vec<Write>) -> Answer<'_, Result<(), Error>> {
        unreachable!("accounts are conditional rows")
    }
    fn put_max(&self, _: Key, _: Bytes, _: u64) -> Answer<'_, Result<(), Error>> {
        unreachable!("accounts are conditional rows")
    }
    fn delete(&self, key: Key) -> Answer<'_, Result<(), Error>> {
        self.0.lock().remove(&key);
        Box::pin(async { Ok(()) })
    }
    fn sync(&self) -> Answer<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}
