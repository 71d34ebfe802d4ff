//! Properties: whatever is done to a store, it answers like the plainest model of it. The models share no code with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use schema::SlotId;
use schema::limits::{SEGMENT_BLOCKS_MAX, SEGMENT_MS_MAX};
use schema::record::{Key, Mode, Table};
use store::ledger::Ledger;
use store::{Append, Appended, Embedded, EmbeddedConfig, Expect, Fenced, Put, Range, Records, Row, SimStore, Write};
use uuid::Uuid;

/// Small names, so that rows meet each other; some are prefixes of others.
fn name() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0u8, b'a', 255]), 0..3)
}
fn key(table: Table) -> impl Strategy<Value = Key> {
    (name(), name()).prop_map(move |(partition, sort)| Key::new(table, &[&partition], &[&sort]))
}
fn value() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

#[derive(Clone, Debug)]
enum Step {
    PutMany(Vec<Write>),
    PutMax(Key, Bytes, u64),
    Put(Key, Bytes, Expect),
    Delete(Key),
    Get(Key),
    Scan(Range),
    Sync,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let write = (key(Table::Members), 0..6u64, prop::option::of(value())).prop_map(|(key, stamp, value)| Write { key, stamp, value });
    let expect = prop_oneof![Just(Expect::Any), Just(Expect::Absent), (0..4u64).prop_map(Expect::Version)];
    let any_key = || prop::sample::select(vec![Table::Members, Table::Markers, Table::Logins]).prop_flat_map(key);
    let range = (any_key(), name(), name(), 0..6usize, any::<bool>()).prop_map(|(partition, from, to, limit, newest_first)| Range {
        partition,
        from: from.into(),
        to: to.into(),
        limit,
        newest_first,
    });
    prop_oneof![
        6 => prop::collection::vec(write, 1..5).prop_map(Step::PutMany),
        3 => (key(Table::Markers), value(), 0..6u64).prop_map(|(key, value, stamp)| Step::PutMax(key, value, stamp)),
        4 => (key(Table::Logins), value(), expect).prop_map(|(key, value, expect)| Step::Put(key, value, expect)),
        2 => key(Table::Logins).prop_map(Step::Delete),
        4 => any_key().prop_map(Step::Get),
        6 => range.prop_map(Step::Scan),
        1 => Just(Step::Sync),
        1 => Just(Step::Reopen),
    ]
}

/// Every row that was ever written: stamp, and a value unless it was deleted.
#[derive(Default)]
struct Model(BTreeMap<Key, (u64, Option<Bytes>)>);

impl Model {
    fn write(&mut self, key: Key, stamp: u64, value: Option<Bytes>) {
        let wins = match self.0.get(&key) {
            None => true,
            Some((old, Some(_))) => stamp > *old || stamp == *old && value.is_none(),
            Some((old, None)) => stamp > *old,
        };
        if wins {
            self.0.insert(key, (stamp, value));
        }
    }
    fn put(&mut self, key: Key, value: Bytes, expect: Expect) -> Put {
        let version = self.0.get(&key).map_or(0, |(version, _)| *version);
        let may = expect == Expect::Any || expect == Expect::Absent && version == 0 || version > 0 && expect == Expect::Version(version);
        if !may {
            return Put::Conflict { version };
        }
        self.0.insert(key, (version + 1, Some(value)));
        Put::Done { version: version + 1 }
    }
    fn rows(&self, keep: impl Fn(&Key) -> bool) -> Vec<Row> {
        let live = self.0.iter().filter(|(key, _)| keep(key));
        live.filter_map(|(key, (stamp, value))| Some(Row { key: key.clone(), value: value.clone()?, stamp: *stamp })).collect()
    }
    fn scan(&self, range: &Range) -> Vec<Row> {
        let mut rows = self.rows(|key| {
            let same = (key.table, &key.partition) == (range.partition.table, &range.partition.partition);
            same && key.sort >= range.from && (range.to.is_empty() || key.sort < range.to)
        });
        if range.newest_first {
            rows.reverse();
        }
        rows.truncate(range.limit);
        rows
    }
}

/// `reopen`: the same data in a store that was just started.
async fn agree<S: Records>(mut store: S, steps: Vec<Step>, reopen: impl Fn(S) -> S) {
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::PutMany(writes) => {
                store.put_many(writes.clone()).await.unwrap();
                writes.into_iter().for_each(|write| model.write(write.key, write.stamp, write.value));
            }
            Step::PutMax(key, value, stamp) => {
                store.put_max(key.clone(), value.clone(), stamp).await.unwrap();
                model.write(key, stamp, Some(value));
            }
            Step::Put(key, value, expect) => {
                assert_eq!(store.put(key.clone(), value.clone(), expect).await.unwrap(), model.put(key, value, expect));
            }
            Step::Delete(key) => {
                store.delete(key.clone()).await.unwrap();
                model.0.remove(&key);
            }
            Step::Get(key) => assert_eq!(store.get(key.clone()).await.unwrap(), model.rows(|other| *other == key).pop()),
            Step::Scan(range) => assert_eq!(store.scan(range.clone()).await.unwrap(), model.scan(&range), "{range:?}"),
            Step::Sync => store.sync().await.unwrap(),
            Step::Reopen => {
                store.sync().await.unwrap();
                store = reopen(store);
            }
        }
    }
    for table in Table::ALL.iter().filter(|table| table.mode() != Mode::Stamped || **table == Table::Members) {
        for row in model.rows(|key| key.table == *table) {
            assert_eq!(store.get(row.key.clone()).await.unwrap(), Some(row));
        }
    }
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_embedded_store_answers_like_the_model(steps in prop::collection::vec(step(), 1..80)) {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let config = EmbeddedConfig { cache_bytes: 8 << 20, reserve_bytes: 0, ballast_bytes: 0, ..EmbeddedConfig::default() };
            Embedded::open(folder.path(), config).unwrap()
        };
        block_on(agree(open(), steps, |store| { drop(store); open() }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_simulated_store_answers_like_the_model(steps in prop::collection::vec(step(), 1..80)) {
        block_on(agree(SimStore::default(), steps, |store| { store.with(|core| core.crash(|_| false)); store }));
    }

    #[test]
    fn a_ledger_takes_one_owner_at_a_time_and_leaves_no_gap(turns in prop::collection::vec(turn(), 1..300)) {
        duel(turns);
    }
}

/// What one of three owners, or the clock, or a projection does next.
#[derive(Clone, Debug)]
enum Turn {
    Fence {
        owner: usize,
        ahead: u64,
    },
    /// `behind`: how far the owner's idea of the head is off; `repeat`: with the batch of its last try.
    Append {
        owner: usize,
        behind: u64,
        repeat: bool,
    },
    Many {
        owner: usize,
        count: u64,
    },
    Trim {
        upto: u64,
    },
    Wait {
        ms: u64,
    },
}

fn turn() -> impl Strategy<Value = Turn> {
    let owner = || 0..3usize;
    prop_oneof![
        2 => (owner(), 0..3u64).prop_map(|(owner, ahead)| Turn::Fence { owner, ahead }),
        6 => (owner(), 0..3u64, any::<bool>()).prop_map(|(owner, behind, repeat)| Turn::Append { owner, behind, repeat }),
        1 => (owner(), 1..SEGMENT_BLOCKS_MAX).prop_map(|(owner, count)| Turn::Many { owner, count }),
        2 => (0..2000u64).prop_map(|upto| Turn::Trim { upto }),
        1 => (0..SEGMENT_MS_MAX + 10).prop_map(|ms| Turn::Wait { ms }),
    ]
}

#[derive(Default)]
struct Duel {
    ledger: Ledger,
    now_ms: u64,
    /// Epoch and batch of every block, from block 1 on.
    log: Vec<(u64, Uuid)>,
    kept: u64,
    fenced: u64,
    epochs: [u64; 3],
    batches: u128,
}

fn duel(turns: Vec<Turn>) {
    let mut duel = Duel { kept: 1, ..Duel::default() };
    for turn in turns {
        match turn {
            Turn::Fence { owner, ahead } => duel.fence(owner, ahead),
            Turn::Append { owner, behind, repeat } => duel.append(owner, behind, repeat),
            Turn::Many { owner, count } => (0..count).for_each(|_| duel.append(owner, 0, false)),
            Turn::Trim { upto } => duel.trim(upto),
            Turn::Wait { ms } => duel.now_ms += ms,
        }
    }
}

impl Duel {
    fn head(&self) -> u64 {
        self.log.len() as u64
    }

    fn fence(&mut self, owner: usize, ahead: u64) {
        let epoch = (self.epochs[owner] + ahead).max(1);
        let expected = if epoch < self.fenced { Fenced::Stale { epoch: self.fenced } } else { Fenced::Ok { head: self.head() } };
        assert_eq!(self.ledger.fence(epoch), expected);
        self.epochs[owner] = epoch;
        self.fenced = self.fenced.max(epoch);
    }

    fn append(&mut self, owner: usize, behind: u64, repeat: bool) {
        let last = self.log.last().map(|(_, batch)| *batch);
        self.batches += 1;
        let batch = if repeat { last } else { None }.unwrap_or(Uuid::from_u128(self.batches));
        let (epoch, head) = (self.epochs[owner], self.head().saturating_sub(behind));
        let append = Append { slot: SlotId(1), epoch, head, batch, block: Bytes::new() };
        let may = epoch != 0 && epoch == self.fenced && head == self.head() && last != Some(batch);
        match self.ledger.append(&append, self.now_ms) {
            Ok(entry) => {
                assert!(may, "{append:?} was taken at epoch {}, head {}", self.fenced, self.head());
                self.log.push((epoch, batch));
                assert_eq!(entry.number, self.head());
            }
            Err(moved) => {
                assert!(!may, "{append:?} was refused");
                assert_eq!(moved, Appended::Moved { epoch: self.fenced, head: self.head(), last_batch: last });
            }
        }
    }

    fn trim(&mut self, upto: u64) {
        if let Some(trimmed) = self.ledger.trim(upto, self.now_ms) {
            assert_eq!(*trimmed.blocks.start(), self.kept);
            assert!(*trimmed.blocks.end() <= upto.min(self.head()) && trimmed.blocks.start() <= trimmed.blocks.end());
            self.kept = trimmed.blocks.end() + 1;
        } else {
            // What stays although it may go is less than a segment, or a young one.
            let may_go = upto.min(self.head()) + 1;
            assert!(may_go.saturating_sub(self.kept) <= SEGMENT_BLOCKS_MAX, "kept from {} with {may_go} trimmable", self.kept);
        }
        assert_eq!(self.ledger.kept(), self.kept);
        assert_eq!(self.ledger.head(), self.head());
    }
}

/// The traits are used as objects; this is what the server holds.
#[test]
fn both_backends_stand_behind_the_two_traits() {
    fn hold<S: store::Journal + Records>(store: S) -> (Arc<dyn store::Journal>, Arc<dyn Records>) {
        let store = Arc::new(store);
        (store.clone(), store)
    }
    let (journal, _records) = hold(SimStore::default());
    assert_eq!(journal.grant(), 1);
    let folder = tempfile::tempdir().unwrap();
    let (journal, _records) =
        hold(Embedded::open(folder.path(), EmbeddedConfig { ballast_bytes: 0, ..EmbeddedConfig::default() }).unwrap());
    assert_eq!(journal.grant(), 1);
}
