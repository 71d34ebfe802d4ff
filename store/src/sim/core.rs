//! Pure. A store as a value: the same rules as every backend, and the faults of a network and a power cut on demand. The
//! world outside says which fault each call meets, when a held call lands, what time it is: nothing here is random.

use std::collections::BTreeMap;

use bytes::Bytes;
use schema::SlotId;
use schema::record::Key;

use crate::cell::{self, Cell};
use crate::ledger::Ledger;
use crate::op::{Done, Op};
use crate::{Append, Appended, Error, Expect, Put, Range, Row, StoredBlock};

/// What befalls one writing call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    None,
    /// Refused as if the disk were full.
    ReadOnly,
    /// Never carried out; the caller cannot know.
    Never,
    /// Carried out; the caller cannot know.
    AnswerLost,
    /// Held; the caller cannot know, and it may be carried out at any later time, or never.
    Late,
    /// Held, and the caller waits: carried out and answered when it is released.
    Slow,
}

/// Names a held call.
pub type Ticket = u64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Answered(Result<Done, Error>),
    /// Of a `Fault::Slow`: the answer is what `release` returns.
    Waiting(Ticket),
}

/// Journal and conditional writes are durable at once; plain rows (stamped, max) with the next `Sync`, as the contract has it.
#[derive(Clone, Debug)]
pub struct SimCore {
    slots: BTreeMap<SlotId, Slot>,
    rows: BTreeMap<Key, Cell>,
    /// What a power cut leaves for certain.
    synced: BTreeMap<Key, Cell>,
    /// Plain writes since the last sync, in order: any part of them may survive.
    unsynced: Vec<(Key, Cell)>,
    held: BTreeMap<Ticket, Op>,
    tickets: Ticket,
    grant: u64,
    now_ms: u64,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    ledger: Ledger,
    blocks: BTreeMap<u64, Bytes>,
}

impl Default for SimCore {
    fn default() -> Self {
        Self {
            slots: BTreeMap::new(),
            rows: BTreeMap::new(),
            synced: BTreeMap::new(),
            unsynced: Vec::new(),
            held: BTreeMap::new(),
            tickets: 0,
            grant: 1,
            now_ms: 0,
        }
    }
}

impl SimCore {
    pub fn apply(&mut self, op: Op, fault: Fault) -> Outcome {
        if let Err(error) = op.check() {
            return Outcome::Answered(Err(error));
        }
        let unknown = || Outcome::Answered(Err(Error::Unknown("the store did not answer in time".into())));
        match fault {
            Fault::None => Outcome::Answered(Ok(self.carry_out(op))),
            Fault::ReadOnly => Outcome::Answered(Err(Error::ReadOnly("the disk is nearly full".into()))),
            Fault::Never => unknown(),
            Fault::AnswerLost => {
                self.carry_out(op);
                unknown()
            }
            Fault::Late => {
                self.hold(op);
                unknown()
            }
            Fault::Slow => Outcome::Waiting(self.hold(op)),
        }
    }

    /// Calls that may still be carried out, oldest first.
    pub fn held(&self) -> impl Iterator<Item = (Ticket, &Op)> {
        self.held.iter().map(|(ticket, op)| (*ticket, op))
    }

    /// Carries a held call out, now. `None`: there is none of this name (any more).
    pub fn release(&mut self, ticket: Ticket) -> Option<Done> {
        let op = self.held.remove(&ticket)?;
        Some(self.carry_out(op))
    }

    /// A held call never lands.
    pub fn forget(&mut self, ticket: Ticket) -> Option<Op> {
        self.held.remove(&ticket)
    }

    pub fn set_now(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    pub fn grant(&self) -> u64 {
        self.grant
    }

    /// A process starts on this data again; nothing is lost by that.
    pub fn restart(&mut self) {
        self.grant += 1;
    }

    /// A power cut, and a start: of the plain writes since the last sync only those survive that `survives` keeps, whatever
    /// their order was. Held calls stay held: they were on their way, not in the store.
    pub fn crash(&mut self, mut survives: impl FnMut(&Key) -> bool) {
        for (key, cell) in std::mem::take(&mut self.unsynced) {
            if survives(&key) {
                merge(&mut self.synced, key, cell);
            }
        }
        self.rows = self.synced.clone();
        self.restart();
    }

    pub fn read(&self, slot: SlotId, from: u64, limit: usize) -> Vec<StoredBlock> {
        let Some(slot) = self.slots.get(&slot) else { return Vec::new() };
        slot.blocks.range(from..).take(limit).map(|(number, block)| StoredBlock { number: *number, block: block.clone() }).collect()
    }

    pub fn get(&self, key: &Key) -> Option<Row> {
        let cell = self.rows.get(key)?;
        Some(Row { key: key.clone(), value: cell.value.clone()?, stamp: cell.stamp })
    }

    pub fn scan(&self, range: &Range) -> Vec<Row> {
        let start = Key { sort: range.from.clone(), ..range.partition.clone() };
        let inside = |key: &Key| {
            let same = key.table == range.partition.table && key.partition == range.partition.partition;
            same && (range.to.is_empty() || key.sort < range.to)
        };
        let mut rows: Vec<Row> = self.rows.range(start..).take_while(|(key, _)| inside(key)).filter_map(|(key, _)| self.get(key)).collect();
        if range.newest_first {
            rows.reverse();
        }
        rows.truncate(range.limit);
        rows
    }

    fn hold(&mut self, op: Op) -> Ticket {
        self.tickets += 1;
        self.held.insert(self.tickets, op);
        self.tickets
    }

    fn carry_out(&mut self, op: Op) -> Done {
        match op {
            Op::Fence { slot, epoch } => return Done::Fenced(self.slots.entry(slot).or_default().ledger.fence(epoch)),
            Op::Append(append) => return Done::Appended(self.append(append)),
            Op::Trim { slot, upto } => self.trim(slot, upto),
            Op::Put { key, value, expect } => return Done::Put(self.put(key, value, expect)),
            Op::PutMany(writes) => {
                for write in writes {
                    if cell::stamped_wins(self.rows.get(&write.key), write.stamp, write.value.is_none()) {
                        self.plain(write.key, Cell { stamp: write.stamp, value: write.value });
                    }
                }
            }
            Op::PutMax { key, value, stamp } => {
                if cell::max_wins(self.rows.get(&key), stamp) {
                    self.plain(key, Cell { stamp, value: Some(value) });
                }
            }
            Op::Delete(key) => {
                self.rows.remove(&key);
                self.synced.remove(&key);
            }
            Op::Sync => self.sync(),
        }
        Done::Written
    }

    fn append(&mut self, append: Append) -> Appended {
        let slot = self.slots.entry(append.slot).or_default();
        match slot.ledger.append(&append, self.now_ms) {
            Ok(entry) => {
                slot.blocks.insert(entry.number, append.block);
                Appended::Applied
            }
            Err(moved) => moved,
        }
    }

    fn trim(&mut self, slot: SlotId, upto: u64) {
        let Some(slot) = self.slots.get_mut(&slot) else { return };
        if let Some(trimmed) = slot.ledger.trim(upto, self.now_ms) {
            slot.blocks.retain(|number, _| !trimmed.blocks.contains(number));
            self.sync();
        }
    }

    fn put(&mut self, key: Key, value: Bytes, expect: Expect) -> Put {
        let put = cell::conditional(self.rows.get(&key), expect);
        if let Put::Done { version } = put {
            let cell = Cell { stamp: version, value: Some(value) };
            self.synced.insert(key.clone(), cell.clone());
            self.rows.insert(key, cell);
        }
        put
    }

    fn sync(&mut self) {
        self.synced.extend(std::mem::take(&mut self.unsynced));
    }

    fn plain(&mut self, key: Key, cell: Cell) {
        self.unsynced.push((key.clone(), cell.clone()));
        self.rows.insert(key, cell);
    }
}

/// A write that survived, over what was synced: the modes' rules hold for what a disk kept, too.
fn merge(rows: &mut BTreeMap<Key, Cell>, key: Key, cell: Cell) {
    if cell::stamped_wins(rows.get(&key), cell.stamp, cell.value.is_none()) {
        rows.insert(key, cell);
    }
}
