//! Records: rows under (table, partition, sort), written in one of three modes that the table fixes (`schema::record::Mode`).

use bytes::Bytes;
use futures_util::future::try_join_all;
use schema::record::{Key, Record};

use crate::{Answer, Error};

/// The raw calls, over bytes; `RecordsExt` gives them types. A row above `op::{KEY_BYTES_MAX, VALUE_BYTES_MAX}` is refused as
/// `Unusable`, and the whole call with it; to read under such a key finds nothing.
pub trait Records: Send + Sync + 'static {
    fn get(&self, key: Key) -> Answer<'_, Result<Option<Row>, Error>>;

    /// Rows of one partition in the order of their sort keys; at most `range.limit`.
    fn scan(&self, range: Range) -> Answer<'_, Result<Vec<Row>, Error>>;

    /// The rows of each range, in the order of the ranges, each as `scan` would answer it; not of one moment. For who needs
    /// several at once: a backend whose calls cost more than its rows makes one call of them.
    fn scan_all(&self, ranges: Vec<Range>) -> Answer<'_, Result<Vec<Vec<Row>>, Error>> {
        Box::pin(try_join_all(ranges.into_iter().map(|range| self.scan(range))))
    }

    /// Conditional tables only.
    fn put(&self, key: Key, value: Bytes, expect: Expect) -> Answer<'_, Result<Put, Error>>;

    /// Stamped tables only: puts and deletes, each kept only where its stamp is the highest of its row (a delete wins a tie).
    /// Plain and idempotent: repeating it, or a part of it, changes nothing. Durable by the next `sync` at the latest.
    fn put_many(&self, writes: Vec<Write>) -> Answer<'_, Result<(), Error>>;

    /// `Max` tables only: kept if `stamp` is above the stored one. Durable by the next `sync` at the latest.
    fn put_max(&self, key: Key, value: Bytes, stamp: u64) -> Answer<'_, Result<(), Error>>;

    /// Conditional tables only: removes the row whatever it holds.
    fn delete(&self, key: Key) -> Answer<'_, Result<(), Error>>;

    /// Everything written before this call survives a power cut once it answers.
    fn sync(&self) -> Answer<'_, Result<(), Error>>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub key: Key,
    pub value: Bytes,
    /// The stamp of a stamped or max row, the version of a conditional one.
    pub stamp: u64,
}

/// A part of one partition: sort keys in `[from, to)`; an empty `to` has no end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// `sort` of this key is not looked at.
    pub partition: Key,
    pub from: Bytes,
    pub to: Bytes,
    pub limit: usize,
    pub newest_first: bool,
}

impl Range {
    pub fn all(partition: Key, limit: usize) -> Self {
        Self { partition, from: Bytes::new(), to: Bytes::new(), limit, newest_first: false }
    }
    /// This row, or none.
    pub fn one(key: Key) -> Self {
        let (from, to) = (key.sort.clone(), [&key.sort[..], &[0]].concat().into());
        Self { partition: key, from, to, limit: 1, newest_first: false }
    }
    pub fn from(mut self, sort: impl Into<Bytes>) -> Self {
        self.from = sort.into();
        self
    }
    pub fn to(mut self, sort: impl Into<Bytes>) -> Self {
        self.to = sort.into();
        self
    }
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Any,
    Absent,
    Version(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    Done {
        version: u64,
    },
    /// The row is there, at this version (0: it is not).
    Conflict {
        version: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub key: Key,
    pub stamp: u64,
    /// `None` deletes.
    pub value: Option<Bytes>,
}

impl Write {
    pub fn put<R: Record>(record: &R, stamp: u64) -> Self {
        Self { key: record.key(), stamp, value: Some(schema::wire::to_msgpack(record)) }
    }
    pub fn delete(key: Key, stamp: u64) -> Self {
        Self { key, stamp, value: None }
    }
}

/// Typed access.
pub trait RecordsExt: Records {
    fn fetch<R: Record>(&self, key: Key) -> impl Future<Output = Result<Option<(R, u64)>, Error>> + Send {
        async move {
            match self.get(key).await? {
                Some(row) => Ok(Some((decode(&row)?, row.stamp))),
                None => Ok(None),
            }
        }
    }
    fn list<R: Record>(&self, range: Range) -> impl Future<Output = Result<Vec<(R, u64)>, Error>> + Send {
        async move { self.scan(range).await?.iter().map(|row| Ok((decode(row)?, row.stamp))).collect() }
    }
    fn store<R: Record>(&self, record: &R, expect: Expect) -> impl Future<Output = Result<Put, Error>> + Send {
        let (key, value) = (record.key(), schema::wire::to_msgpack(record));
        async move { self.put(key, value, expect).await }
    }
    fn raise<R: Record>(&self, record: &R, stamp: u64) -> impl Future<Output = Result<(), Error>> + Send {
        let (key, value) = (record.key(), schema::wire::to_msgpack(record));
        async move { self.put_max(key, value, stamp).await }
    }
}

impl<S: Records + ?Sized> RecordsExt for S {}

/// Errors: `Corrupt`, naming the row.
pub fn decode<R: Record>(row: &Row) -> Result<R, Error> {
    schema::wire::from_msgpack(&row.value)
        .map_err(|error| Error::Corrupt(format!("a row of {} cannot be read: {error}", row.key.table.name())))
}
