//! The state as openraft drives it. It is in memory; what is on disk is the last snapshot, from which and from the log a start makes it
//! again. Whoever wants to know the state watches it; nobody but the log changes it.

use std::io::Cursor;
use std::sync::Arc;

use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder, Snapshot, StorageIOError};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::disk::{Write, decode, encode};
use super::{Entry, Error, Group, LogId, SnapshotMeta, StorageError, Stored, StoredMembership, Writer};
use crate::state::{Outcome, State};

pub struct Machine {
    applied: Arc<Mutex<Applied>>,
    shown: watch::Sender<Arc<State>>,
    writer: Writer,
}

#[derive(Default)]
struct Applied {
    last: Option<LogId>,
    membership: StoredMembership,
    state: State,
    snapshot: Option<(SnapshotMeta, Vec<u8>)>,
    /// Two snapshots of the same entry have different names.
    built: u64,
}

impl Machine {
    /// The state is that of the last snapshot until openraft has gone through the log.
    pub fn new(stored: &mut Stored, writer: Writer) -> Result<Self, Error> {
        let mut applied = Applied::default();
        if let Some((meta, bytes)) = stored.snapshot.take() {
            applied.install(meta, bytes)?;
        }
        let shown = watch::Sender::new(Arc::new(applied.state.clone()));
        Ok(Self { applied: Arc::new(Mutex::new(applied)), shown, writer })
    }

    pub fn watch(&self) -> watch::Receiver<Arc<State>> {
        self.shown.subscribe()
    }

    fn show(&self, state: State) {
        self.shown.send_if_modified(|shown| {
            let changed = shown.version != state.version;
            if changed {
                *shown = Arc::new(state);
            }
            changed
        });
    }
}

impl Applied {
    fn install(&mut self, meta: SnapshotMeta, bytes: Vec<u8>) -> Result<(), Error> {
        self.state = decode(&bytes)?;
        self.last = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        self.snapshot = Some((meta, bytes));
        Ok(())
    }

    fn apply(&mut self, entry: Entry) -> Outcome {
        self.last = Some(entry.log_id);
        match entry.payload {
            EntryPayload::Blank => Outcome::Done,
            EntryPayload::Normal(command) => self.state.apply(entry.log_id.index, &command),
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership);
                Outcome::Done
            }
        }
    }
}

impl RaftStateMachine<Group> for Machine {
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        let applied = self.applied.lock();
        Ok((applied.last, applied.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Outcome>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let (outcomes, state) = {
            let mut applied = self.applied.lock();
            let before = applied.state.version;
            let outcomes = entries.into_iter().map(|entry| applied.apply(entry)).collect();
            (outcomes, (applied.state.version != before).then(|| applied.state.clone()))
        };
        if let Some(state) = state {
            self.show(state);
        }
        Ok(outcomes)
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        Builder { applied: self.applied.clone(), writer: self.writer.clone() }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: Box<Cursor<Vec<u8>>>) -> Result<(), StorageError> {
        let bytes = snapshot.into_inner();
        let fault = |error: &(dyn std::error::Error + 'static)| {
            StorageIOError::write_snapshot(Some(meta.signature()), openraft::AnyError::error(error.to_string()))
        };
        // Looked at before it is kept: what cannot be read must not replace what can.
        decode::<State>(&bytes).map_err(|error| fault(&error))?;
        self.writer.write(Write::Snapshot(meta.clone(), bytes.clone())).await.map_err(|error| fault(&error))?;
        let state = {
            let mut applied = self.applied.lock();
            applied.install(meta.clone(), bytes).map_err(|error| fault(&error))?;
            applied.state.clone()
        };
        self.show(state);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Group>>, StorageError> {
        let snapshot = self.applied.lock().snapshot.clone();
        Ok(snapshot.map(|(meta, bytes)| Snapshot { meta, snapshot: Box::new(Cursor::new(bytes)) }))
    }
}

pub struct Builder {
    applied: Arc<Mutex<Applied>>,
    writer: Writer,
}

impl RaftSnapshotBuilder<Group> for Builder {
    /// Is on disk when this returns; the log below it may go then.
    async fn build_snapshot(&mut self) -> Result<Snapshot<Group>, StorageError> {
        let (meta, bytes) = {
            let mut applied = self.applied.lock();
            applied.built += 1;
            let index = applied.last.map_or(0, |last| last.index);
            let meta = SnapshotMeta {
                last_log_id: applied.last,
                last_membership: applied.membership.clone(),
                snapshot_id: format!("{index}-{}", applied.built),
            };
            (meta, encode(&applied.state))
        };
        let written = self.writer.write(Write::Snapshot(meta.clone(), bytes.clone())).await;
        written.map_err(|error| StorageIOError::write_snapshot(Some(meta.signature()), &error))?;
        let mut applied = self.applied.lock();
        // One that was installed meanwhile is further.
        if applied.snapshot.as_ref().is_none_or(|(kept, _)| kept.last_log_id <= meta.last_log_id) {
            applied.snapshot = Some((meta.clone(), bytes.clone()));
        }
        Ok(Snapshot { meta, snapshot: Box::new(Cursor::new(bytes)) })
    }
}
