//! The two traits over the line: calls become frames, long answers are asked for in pages, and no answer is `Unknown`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use schema::SlotId;
use schema::record::Key;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::call::{call, in_parts};
use super::core::{Core, Limits, Unanswered};
use super::frame::{Answered, Call, NumberedBlock};
use super::grant::take_grant;
use super::line::{Line, Status, tell};
use super::metrics::metrics;
use super::secret::Secret;
use super::tls::Dial;
use crate::op::{Done, Op, fits};
use crate::{Answer, Append, Appended, Error, Expect, Fenced, Journal, Put, Range, Records, Row, StoredBlock, Write};

#[derive(Clone)]
pub struct RemoteConfig {
    /// "host:port" of the store process.
    pub address: String,
    pub secret: Secret,
    /// A PEM file: whose certificates are believed. Needed where the address is not this machine.
    pub authority: Option<PathBuf>,
    /// How long a call that somebody waits for may take, and a plain one.
    pub within: Duration,
    pub plain_within: Duration,
    /// For the store process to be there at the start.
    pub open_within: Duration,
    pub limits: Limits,
}

impl RemoteConfig {
    pub fn new(address: impl Into<String>, secret: Secret) -> Self {
        Self {
            address: address.into(),
            secret,
            authority: None,
            within: Duration::from_secs(5),
            plain_within: Duration::from_secs(15),
            open_within: Duration::from_secs(10),
            limits: Limits::default(),
        }
    }
}

/// A store process as a node has it. Hangs up when it is dropped.
pub struct Remote {
    line: Arc<Line>,
    task: JoinHandle<()>,
    within: Duration,
    plain_within: Duration,
    grant: u64,
}

impl Remote {
    /// Waits for the store process, and takes a grant. Errors: it is not there, or does not let us in.
    pub async fn open(config: RemoteConfig) -> Result<Self, Error> {
        let RemoteConfig { address, secret, authority, within, plain_within, open_within, limits } = config;
        let dial = Dial::new(&address, authority.as_deref())?;
        let status = watch::Sender::new(Status::Away(String::new()));
        let line = Arc::new(Line { core: Core::new(limits).into(), wake: Notify::new(), status, begun: Instant::now() });
        let task = tokio::spawn(line.clone().keep(dial, secret));
        let mut remote = Self { line, task, within, plain_within, grant: 0 };
        let opened = tokio::time::timeout(open_within, async {
            let above = remote.greeted().await?;
            take_grant(&remote, above).await
        });
        remote.grant = opened.await.unwrap_or_else(|_| {
            let last = remote.line.status.borrow().clone();
            let why = if let Status::Away(why) = last { why } else { "it is slow".into() };
            Err(Error::Unusable(format!(
                "the store process at {address} does not answer ({why}): start it with `hubbub store serve`, or set store.address"
            )))
        })?;
        Ok(remote)
    }

    /// The store process's own grant. Errors: it refuses us.
    async fn greeted(&self) -> Result<u64, Error> {
        let mut status = self.line.status.subscribe();
        loop {
            match &*status.borrow_and_update() {
                Status::Up(welcome) => return Ok(welcome.grant),
                Status::Refused(why) => return Err(Error::Unusable((*why).to_owned())),
                Status::Away(_) => {}
            }
            // The sender is ours: it does not go while we wait.
            drop(status.changed().await);
        }
    }

    /// Whether there is a connection, now.
    pub fn is_connected(&self) -> bool {
        self.line.core.lock().is_up()
    }

    /// Looks at nothing but the connection, so that a probe may ask often: what is wrong, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        match &*self.line.status.borrow() {
            Status::Up(_) => Ok(()),
            Status::Away(why) => Err(format!("the store process is away: {why}")),
            Status::Refused(why) => Err((*why).to_owned()),
        }
    }

    async fn ask(&self, call: Call, until: Instant) -> Result<Answered, Unanswered> {
        let until_ms = until.saturating_duration_since(self.line.begun).as_millis() as u64;
        let (waits, answered) = oneshot::channel();
        let taken = self.line.core.lock().ask(call, until_ms, waits);
        if let Err(told) = taken {
            metrics().refused.increment(1);
            tell([told]);
        } else {
            self.line.wake.notify_one();
        }
        answered.await.unwrap_or(Err(Unanswered::Lost))
    }

    async fn look(&self, call: Call, until: Instant) -> Result<Answered, Error> {
        match self.ask(call, until).await {
            Ok(Answered::Failed(failure)) => Err(failure.into()),
            Ok(answered) => Ok(answered),
            Err(unanswered) => Err(Error::Unknown(unanswered.to_string())),
        }
    }

    /// Never a guess: without an answer it may have happened or not.
    async fn submit(&self, op: Op) -> Result<Done, Error> {
        op.check()?;
        let within = if op.is_plain() { self.plain_within } else { self.within };
        // What was answered is durable there: the process that answers a sync might be another one than that which was written to.
        let Some(call) = call(op) else { return Ok(Done::Written) };
        let done = match self.ask(call, Instant::now() + within).await {
            Ok(Answered::Failed(failure)) => Err(failure.into()),
            Ok(answered) => answered.done().ok_or_else(out_of_place),
            Err(unanswered) => Err(Error::Unknown(unanswered.to_string())),
        };
        if matches!(done, Err(Error::Unknown(_))) {
            metrics().unknown.increment(1);
        }
        done
    }
}

fn out_of_place() -> Error {
    Error::Unknown("the store process answered something else".into())
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Journal for Remote {
    fn fence(&self, slot: SlotId, epoch: u64) -> Answer<'_, Result<Fenced, Error>> {
        Box::pin(async move { Ok(self.submit(Op::Fence { slot, epoch }).await?.fenced()) })
    }
    fn append(&self, append: Append) -> Answer<'_, Result<Appended, Error>> {
        Box::pin(async move { Ok(self.submit(Op::Append(append)).await?.appended()) })
    }
    fn read(&self, slot: SlotId, from: u64, limit: usize) -> Answer<'_, Result<Vec<StoredBlock>, Error>> {
        Box::pin(async move {
            if limit == 0 {
                return Ok(Vec::new());
            }
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            match self.look(Call::Read { slot, from, limit }, Instant::now() + self.within).await? {
                Answered::Blocks { blocks } => {
                    Ok(blocks.into_iter().map(|NumberedBlock { number, block }| StoredBlock { number, block }).collect())
                }
                _ => Err(out_of_place()),
            }
        })
    }
    fn trim(&self, slot: SlotId, upto: u64) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.submit(Op::Trim { slot, upto }).await.map(drop) })
    }
    fn grant(&self) -> u64 {
        self.grant
    }
}

impl Records for Remote {
    fn get(&self, key: Key) -> Answer<'_, Result<Option<Row>, Error>> {
        Box::pin(async move {
            if !fits(&key) {
                return Ok(None);
            }
            match self.look(Call::Get { key: key.clone().into() }, Instant::now() + self.within).await? {
                Answered::Row { row } => Ok(row.map(|row| Row { key, value: row.value, stamp: row.stamp })),
                _ => Err(out_of_place()),
            }
        })
    }

    /// In pages, as of the moment of each: what is written meanwhile may be in it or not.
    fn scan(&self, mut range: Range) -> Answer<'_, Result<Vec<Row>, Error>> {
        Box::pin(async move {
            range.partition.sort = Bytes::new();
            if !fits(&range.partition) {
                return Ok(Vec::new());
            }
            let (until, mut found) = (Instant::now() + self.within, Vec::new());
            while found.len() < range.limit {
                let Range { partition, from, to, limit, newest_first } = range.clone();
                let limit = u32::try_from(limit - found.len()).unwrap_or(u32::MAX);
                let page = self.look(Call::Scan { partition: partition.clone().into(), from, to, limit, newest_first }, until).await?;
                let Answered::Rows { rows, more } = page else { return Err(out_of_place()) };
                let Some(last) = rows.last().map(|row| row.sort.clone()) else { break };
                found.extend(rows.into_iter().map(|row| row.of(&partition)));
                if !more || !go_on_behind(&mut range, last) {
                    break;
                }
            }
            Ok(found)
        })
    }
    fn put(&self, key: Key, value: Bytes, expect: Expect) -> Answer<'_, Result<Put, Error>> {
        Box::pin(async move { Ok(self.submit(Op::Put { key, value, expect }).await?.put()) })
    }
    fn put_many(&self, writes: Vec<Write>) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move {
            let whole = Op::PutMany(writes);
            whole.check()?;
            let Op::PutMany(writes) = whole else { return Ok(()) };
            for part in in_parts(writes) {
                self.submit(Op::PutMany(part)).await?;
            }
            Ok(())
        })
    }
    fn put_max(&self, key: Key, value: Bytes, stamp: u64) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.submit(Op::PutMax { key, value, stamp }).await.map(drop) })
    }
    fn delete(&self, key: Key) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.submit(Op::Delete(key)).await.map(drop) })
    }
    fn sync(&self) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.submit(Op::Sync).await.map(drop) })
    }
}

/// What is left of the range behind this row. `false`: nothing.
fn go_on_behind(range: &mut Range, last: Bytes) -> bool {
    if range.newest_first {
        // An empty end would be none.
        range.to = last;
        !range.to.is_empty()
    } else {
        // The next key there is.
        range.from = [&last[..], &[0]].concat().into();
        true
    }
}
