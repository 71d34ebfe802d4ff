//! The power goes after any write to the disk. What was said to be durable is there afterwards; what was not may be there or not, but
//! never in part.

use std::io;
use std::sync::Arc;

use openraft::entry::FromAppData;
use openraft::storage::{RaftLogStorage, RaftLogStorageExt, RaftStateMachine};
use openraft::testing::log_id;
use openraft::{RaftLogReader, RaftSnapshotBuilder};
use parking_lot::Mutex;
use redb::StorageBackend;

use super::super::{Disk, Entry, Vote};
use super::storage;
use crate::ring::NodeId;
use crate::state::Command;

/// A disk with a cache that forgets. After `writes_left` writes it fails, as one does that has no power.
#[derive(Clone, Debug)]
struct Plate(Arc<Mutex<Bytes>>);

#[derive(Debug, Default)]
struct Bytes {
    synced: Vec<u8>,
    cached: Vec<u8>,
    /// Since the last sync.
    unsynced: Vec<(usize, Vec<u8>)>,
    writes_left: usize,
}

impl Plate {
    /// With a file that is whole; the power goes `writes` writes later.
    fn new(writes: usize) -> Self {
        let plate = Self(Arc::new(Mutex::new(Bytes { writes_left: usize::MAX, ..Bytes::default() })));
        drop(Disk::open_on(plate.clone()).expect("there is power"));
        plate.0.lock().writes_left = writes;
        plate
    }
    /// What the plate holds when power is back: of what was not synced every second write, in any order.
    fn after_the_cut(&self) -> Self {
        let bytes = self.0.lock();
        let mut left = bytes.synced.clone();
        for (at, data) in bytes.unsynced.iter().skip(1).step_by(2) {
            if at + data.len() <= left.len() {
                left[*at..at + data.len()].copy_from_slice(data);
            }
        }
        Self(Arc::new(Mutex::new(Bytes { synced: left.clone(), cached: left, unsynced: Vec::new(), writes_left: usize::MAX })))
    }
    fn has_power(&self) -> bool {
        self.0.lock().writes_left > 0
    }
}

impl Bytes {
    fn use_power(&mut self) -> io::Result<()> {
        self.writes_left = self.writes_left.saturating_sub(1);
        if self.writes_left == 0 { Err(io::Error::other("no power")) } else { Ok(()) }
    }
}

impl StorageBackend for Plate {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().cached.len() as u64)
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.0.lock();
        let found = bytes.cached.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(found.ok_or_else(|| io::Error::other("behind the end"))?);
        Ok(())
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut bytes = self.0.lock();
        bytes.use_power()?;
        bytes.cached.resize(len as usize, 0);
        bytes.synced.resize(len as usize, 0);
        Ok(())
    }
    fn sync_data(&self) -> io::Result<()> {
        let mut bytes = self.0.lock();
        bytes.use_power()?;
        bytes.synced = bytes.cached.clone();
        bytes.unsynced.clear();
        Ok(())
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.0.lock();
        bytes.use_power()?;
        bytes.cached[offset as usize..offset as usize + data.len()].copy_from_slice(data);
        bytes.unsynced.push((offset as usize, data.to_vec()));
        Ok(())
    }
}

/// What was said to be durable before the power went.
#[derive(Debug, Default)]
struct Promised {
    vote: Option<Vote>,
    last: u64,
    purged: u64,
    snapshot: u64,
}

fn entry(index: u64) -> Entry {
    let mut entry = Entry::from_app_data(Command::Drain { node: NodeId(index) });
    entry.log_id = log_id(1, 1, index);
    entry
}

/// Votes, appends, truncates, compacts, until the power goes or all is done.
async fn work(plate: &Plate) -> Promised {
    let mut promised = Promised::default();
    let Ok(opened) = Disk::open_on(plate.clone()) else { return promised };
    let (mut log, mut machine) = storage(opened);
    for round in 1..=6 {
        let vote = Vote::new(round, 1);
        if log.save_vote(&vote).await.is_err() {
            return promised;
        }
        promised.vote = Some(vote);
        let first = promised.last + 1;
        let entries: Vec<_> = (first..first + 5).map(entry).collect();
        if log.blocking_append(entries.clone()).await.is_err() {
            return promised;
        }
        promised.last = first + 4;
        if round == 3 {
            // What a new leader overwrites; may be gone from here on.
            promised.last -= 2;
            let cut = log.truncate(log_id(1, 1, promised.last + 1)).await;
            let again = log.blocking_append([entry(promised.last + 1)]).await;
            if cut.is_err() || again.is_err() {
                return promised;
            }
            promised.last += 1;
        }
        if round % 2 == 0 {
            let upto = first + 1;
            let known = machine.applied_state().await.expect("in memory").0.map_or(0, |last| last.index);
            machine.apply((known + 1..=upto).map(entry)).await.expect("in memory");
            if machine.get_snapshot_builder().await.build_snapshot().await.is_err() {
                return promised;
            }
            promised.snapshot = upto;
            if log.purge(log_id(1, 1, upto)).await.is_err() {
                return promised;
            }
            promised.purged = upto;
        }
    }
    promised
}

#[tokio::test]
async fn what_was_durable_is_there_after_a_power_cut_at_any_write() {
    let mut cuts = 0;
    for writes in 1.. {
        let plate = Plate::new(writes);
        let promised = work(&plate).await;
        let finished = plate.has_power();
        let (mut log, mut machine) = storage(Disk::open_on(plate.after_the_cut()).expect("the file opens after a cut"));
        let vote = log.read_vote().await.expect("in memory");
        assert!(vote >= promised.vote, "cut {writes}: the vote {:?} was forgotten: {vote:?}", promised.vote);
        let state = log.get_log_state().await.expect("in memory");
        let (last, purged) = (state.last_log_id.map_or(0, |id| id.index), state.last_purged_log_id.map_or(0, |id| id.index));
        assert!(last >= promised.last, "cut {writes}: entry {} was forgotten, the last is {last}", promised.last);
        let snapshot = machine.applied_state().await.expect("in memory").0.map_or(0, |id| id.index);
        assert!(
            snapshot >= promised.snapshot && snapshot >= purged,
            "cut {writes}: the log is gone up to {purged}, the state is of {snapshot}"
        );
        let entries = log.try_get_log_entries(..).await.expect("in memory");
        let indexes: Vec<_> = entries.iter().map(|entry| entry.log_id.index).collect();
        assert_eq!(indexes, (purged + 1..=last).collect::<Vec<_>>(), "cut {writes}: the log has a hole");
        assert!(entries.iter().all(|found| *found == entry(found.log_id.index)), "cut {writes}: an entry changed");
        if finished {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 30, "the power was cut {cuts} times only");
}
