//! The way from owners to the one simulated store. Every call waits here until the world picks it, and the world says
//! what befalls it. A caller that died leaves its calls behind: they are carried out later, or never.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use parking_lot::Mutex;
use schema::SlotId;
use schema::record::{ERASURE_STAMP, HistoryRow, Key, Table, Watermark};
use store::op::{Done, Op};
use store::records::decode;
use store::sim::{Fault, Outcome, SimCore};
use store::{Answer, Append, Appended, Error, Expect, Fenced, Journal, Put, Range, Records, Row, StoredBlock, Write};

use crate::invariants;
use crate::plant::Plant;
use crate::rng::Rng;
use crate::witness::Witness;

/// What befalls a call that something befalls. `read_only`: of sixteen writes, so many find a full disk.
pub fn draw_fault(rng: &mut Rng, write: bool, read_only: usize) -> Fault {
    match rng.below(16) {
        _ if !write => Fault::Never,
        0..5 => Fault::AnswerLost,
        5..9 => Fault::Never,
        n if n < 16 - read_only => Fault::Late,
        _ => Fault::ReadOnly,
    }
}

#[derive(Clone)]
pub enum Ask {
    Write(Op),
    Blocks { slot: SlotId, from: u64, limit: usize },
    Get(Key),
    Scan(Range),
}

pub enum Told {
    Done(Done),
    Blocks(Vec<StoredBlock>),
    Row(Option<Row>),
    Rows(Vec<Row>),
}

struct Pending {
    task: u64,
    node: usize,
    ask: Ask,
    answer: Option<Result<Told, Error>>,
    orphan: bool,
}

pub struct Net {
    pub core: SimCore,
    pub plant: Option<Plant>,
    pub witness: Witness,
    /// Whose future is being polled: calls made meanwhile are its.
    pub task: u64,
    pub node: usize,
    calls: BTreeMap<u64, Pending>,
    next: u64,
    /// For a store without stamps: the order in which writes arrive.
    arrivals: u64,
    /// Blocks that a broken store wrote over others.
    overlay: BTreeMap<(SlotId, u64), Bytes>,
}

pub type Shared = Arc<Mutex<Net>>;

/// Blocks after which a slot counts as rolled, for `Plant::NoFenceOnRoll`.
const ROLLED: u64 = 4;

impl Net {
    pub fn new(plant: Option<Plant>) -> Self {
        let (core, witness) = (SimCore::default(), Witness::default());
        Self { core, plant, witness, task: 0, node: 0, calls: BTreeMap::new(), next: 0, arrivals: 0, overlay: BTreeMap::new() }
    }

    /// Calls that wait, in the order in which they were made; with the task to go on with (`None`: its caller is gone).
    pub fn waiting(&self) -> Vec<(u64, Option<u64>, bool)> {
        let open = self.calls.iter().filter(|(_, call)| call.answer.is_none());
        open.map(|(id, call)| (*id, (!call.orphan).then_some(call.task), matches!(call.ask, Ask::Write(_)))).collect()
    }
    pub fn waits(&self, task: u64) -> bool {
        self.calls.values().any(|call| call.task == task && call.answer.is_none() && !call.orphan)
    }

    /// Whether a call is to raise a watermark: the moment to cut the power, or to let a day pass.
    pub fn is_raise(&self, call: u64) -> bool {
        let ask = self.calls.get(&call).map(|call| &call.ask);
        matches!(ask, Some(Ask::Write(Op::PutMax { key, .. })) if key.table == Table::Watermarks)
    }

    pub fn perform(&mut self, call: u64, fault: Fault) {
        let Some(pending) = self.calls.get(&call) else { return };
        let node = pending.node;
        let answer = match pending.ask.clone() {
            Ask::Write(op) => self.write(op, fault, node).map(Told::Done),
            _ if fault != Fault::None => Err(Error::Unknown("the store did not answer in time".into())),
            Ask::Blocks { slot, from, limit } => Ok(Told::Blocks(self.blocks(slot, from, limit))),
            Ask::Get(key) => Ok(Told::Row(self.core.get(&key))),
            Ask::Scan(range) => Ok(Told::Rows(self.core.scan(&range))),
        };
        let pending = self.calls.get_mut(&call).expect("looked at");
        pending.answer = Some(answer);
        if pending.orphan {
            self.calls.remove(&call);
        }
    }

    /// Carries out what was held, or loses it for good.
    pub fn land(&mut self, ticket: u64, lost: bool) {
        if let Some(op) = self.core.forget(ticket)
            && !lost
        {
            // Whose it was, its epoch says.
            self.carry_out(op, 0);
        }
    }

    fn write(&mut self, op: Op, fault: Fault, node: usize) -> Result<Done, Error> {
        let done = match fault {
            Fault::None | Fault::AnswerLost => self.carry_out(op, node),
            _ => match self.core.apply(op, fault) {
                Outcome::Answered(answer) => return answer,
                Outcome::Waiting(_) => unreachable!("slow calls are those that are not picked"),
            },
        };
        if fault == Fault::None { Ok(done) } else { Err(Error::Unknown("the answer was lost".into())) }
    }

    fn apply(&mut self, op: Op) -> Done {
        match self.core.apply(op, Fault::None) {
            Outcome::Answered(Ok(done)) => done,
            other => unreachable!("without a fault: {other:?}"),
        }
    }

    fn carry_out(&mut self, op: Op, node: usize) -> Done {
        match op {
            Op::Append(append) => Done::Appended(self.append(append, node)),
            Op::PutMany(writes) => self.put_many(writes),
            Op::Fence { slot, epoch } => {
                let done = self.apply(op);
                if let Done::Fenced(Fenced::Ok { .. }) = done {
                    let journaled = self.witness.slots.entry(slot).or_default();
                    journaled.fenced = journaled.fenced.max(epoch);
                }
                done
            }
            Op::Trim { slot, .. } => {
                let done = self.apply(op);
                let first = self.core.read(slot, 1, 1).first().map(|block| block.number);
                let journaled = self.witness.slots.entry(slot).or_default();
                journaled.trimmed = first.map_or(journaled.blocks.len() as u64, |first| first - 1);
                let check = invariants::trimmed::check(&self.witness, &self.core, slot);
                self.witness.hold(check);
                done
            }
            Op::PutMax { ref key, .. } if key.table == Table::Watermarks => {
                let key = key.clone();
                let done = self.apply(op);
                self.look_at_watermark(&key);
                done
            }
            Op::Sync => {
                let erased = std::mem::take(&mut self.witness.erased_unsynced);
                self.witness.erased.extend(erased);
                self.apply(op)
            }
            op => self.apply(op),
        }
    }

    fn look_at_watermark(&mut self, key: &Key) {
        let Some(row) = self.core.get(key) else { return };
        let Watermark { slot, block } = decode(&row).expect("a watermark");
        let before = std::mem::replace(&mut self.witness.slots.entry(slot).or_default().watermark, block);
        let check = invariants::watermark::check(&self.witness, &self.core, slot, before.min(block));
        self.witness.hold(check);
    }

    fn append(&mut self, append: Append, node: usize) -> Appended {
        let (slot, block, mine) = (append.slot, append.block.clone(), append.batch);
        let mut taken = append.epoch;
        let mut done = self.apply(Op::Append(append.clone())).appended();
        if let Appended::Moved { epoch, head, last_batch } = done {
            let forced = match self.plant {
                Some(Plant::EpochOnly) => append.epoch == epoch,
                Some(Plant::EpochUnchecked) => append.epoch < epoch && append.head == head && last_batch != Some(mine),
                Some(Plant::NoFenceOnRoll) => head >= ROLLED && head == append.head && last_batch != Some(mine),
                Some(Plant::PlainWrite) => true,
                _ => false,
            };
            if forced && self.plant == Some(Plant::PlainWrite) && append.head < head {
                self.overlay.insert((slot, append.head + 1), block.clone());
                self.witness.overwritten(slot, append.head + 1, append.epoch, &block);
                return Appended::Applied;
            }
            if forced {
                self.arrivals += 1;
                let batch = uuid::Uuid::from_u128(u128::from(self.arrivals));
                done = self.apply(Op::Append(Append { epoch, head, batch, ..append })).appended();
                taken = taken.min(epoch);
            }
        }
        if done == Appended::Applied {
            self.witness.appended(slot, taken, &block);
            let check = invariants::owners::check(&self.witness, slot, taken, node);
            self.witness.hold(check);
        }
        done
    }

    fn blocks(&self, slot: SlotId, from: u64, limit: usize) -> Vec<StoredBlock> {
        let mut blocks = self.core.read(slot, from, limit);
        for block in &mut blocks {
            if let Some(over) = self.overlay.get(&(slot, block.number)) {
                block.block = over.clone();
            }
        }
        blocks
    }

    fn put_many(&mut self, mut writes: Vec<Write>) -> Done {
        let history: Vec<(Key, bool)> = writes
            .iter()
            .filter(|write| write.key.table == Table::History)
            .map(|write| (write.key.clone(), write.stamp >= ERASURE_STAMP))
            .collect();
        writes.iter_mut().for_each(|write| self.distort(write));
        let done = self.apply(Op::PutMany(writes));
        for (key, erasure) in history {
            if erasure && !self.witness.erased.contains(&key) {
                self.witness.erased_unsynced.insert(key.clone());
            }
            let check = invariants::erased::check(&self.witness, &self.core, &key);
            self.witness.hold(check);
        }
        done
    }

    fn distort(&mut self, write: &mut Write) {
        let erasure = write.key.table == Table::History && write.stamp >= ERASURE_STAMP;
        match self.plant {
            Some(Plant::NoTimestamps) if write.key.table == Table::History => {
                self.arrivals += 1;
                write.stamp = (1 << 50) + self.arrivals;
            }
            Some(Plant::ErasureForgets) if erasure => {
                let value = write.value.take().expect("an erasure is a row");
                let HistoryRow(mut event) = schema::wire::from_msgpack(&value).expect("a history row");
                event.cmid = Default::default();
                write.value = Some(schema::wire::to_msgpack(&HistoryRow(event)));
            }
            Some(Plant::LowStamp) if erasure => {
                let seq = write.key.sort.as_ref().try_into().expect("a seq");
                write.stamp = u64::from_be_bytes(seq);
            }
            _ => {}
        }
    }

    /// Store and owners are one machine here: what was on its way dies with it. What was not synced survives or not, row by
    /// row; everything that must hold is looked at again.
    pub fn power_cut(&mut self, mut survives: impl FnMut() -> bool) {
        self.calls.clear();
        let held: Vec<u64> = self.core.held().map(|(ticket, _)| ticket).collect();
        held.into_iter().for_each(|ticket| drop(self.core.forget(ticket)));
        self.core.crash(|_| survives());
        self.witness.erased_unsynced.clear();
        let keys: Vec<Key> = self.witness.erased.iter().cloned().collect();
        let mut check = keys.iter().try_for_each(|key| invariants::erased::check(&self.witness, &self.core, key));
        for slot in self.witness.slots.keys().copied().collect::<Vec<_>>() {
            let row = self.core.get(&Watermark::key_of(slot));
            let block = row.map_or(0, |row| decode::<Watermark>(&row).expect("a watermark").block);
            self.witness.slots.get_mut(&slot).expect("a key").watermark = block;
            check = check.and_then(|()| invariants::watermark::check(&self.witness, &self.core, slot, 0));
            check = check.and_then(|()| invariants::trimmed::check(&self.witness, &self.core, slot));
        }
        self.witness.hold(check);
    }
}

/// The store as one owner has it.
#[derive(Clone)]
pub struct Wire(pub Shared);

struct Call {
    net: Shared,
    ask: Option<Ask>,
    id: u64,
}

impl Wire {
    fn call(&self, ask: Ask) -> Call {
        Call { net: self.0.clone(), ask: Some(ask), id: 0 }
    }
    async fn write(&self, op: Op) -> Result<Done, Error> {
        match self.call(Ask::Write(op)).await? {
            Told::Done(done) => Ok(done),
            _ => unreachable!("a write is answered as one"),
        }
    }
}

impl Future for Call {
    type Output = Result<Told, Error>;
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let ask = self.ask.take();
        let shared = self.net.clone();
        let mut net = shared.lock();
        if let Some(ask) = ask {
            net.next += 1;
            self.id = net.next;
            let (task, node) = (net.task, net.node);
            net.calls.insert(self.id, Pending { task, node, ask, answer: None, orphan: false });
            return Poll::Pending;
        }
        match net.calls.get_mut(&self.id).expect("a call that waits").answer.take() {
            Some(answer) => {
                net.calls.remove(&self.id);
                Poll::Ready(answer)
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Call {
    /// The caller died. Nobody cares for an answer; a write is on its way all the same.
    fn drop(&mut self) {
        let mut net = self.net.lock();
        let Some(call) = net.calls.get_mut(&self.id) else { return };
        call.orphan = true;
        if call.answer.is_some() || !matches!(call.ask, Ask::Write(_)) {
            net.calls.remove(&self.id);
        }
    }
}

impl Journal for Wire {
    fn fence(&self, slot: SlotId, epoch: u64) -> Answer<'_, Result<Fenced, Error>> {
        Box::pin(async move { Ok(self.write(Op::Fence { slot, epoch }).await?.fenced()) })
    }
    fn append(&self, append: Append) -> Answer<'_, Result<Appended, Error>> {
        Box::pin(async move { Ok(self.write(Op::Append(append)).await?.appended()) })
    }
    fn read(&self, slot: SlotId, from: u64, limit: usize) -> Answer<'_, Result<Vec<StoredBlock>, Error>> {
        Box::pin(async move {
            match self.call(Ask::Blocks { slot, from, limit }).await? {
                Told::Blocks(blocks) => Ok(blocks),
                _ => unreachable!("a read is answered as one"),
            }
        })
    }
    fn trim(&self, slot: SlotId, upto: u64) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.write(Op::Trim { slot, upto }).await.map(drop) })
    }
    fn grant(&self) -> u64 {
        self.0.lock().core.grant()
    }
}

impl Records for Wire {
    fn get(&self, key: Key) -> Answer<'_, Result<Option<Row>, Error>> {
        Box::pin(async move {
            match self.call(Ask::Get(key)).await? {
                Told::Row(row) => Ok(row),
                _ => unreachable!("a get is answered as one"),
            }
        })
    }
    fn scan(&self, range: Range) -> Answer<'_, Result<Vec<Row>, Error>> {
        Box::pin(async move {
            match self.call(Ask::Scan(range)).await? {
                Told::Rows(rows) => Ok(rows),
                _ => unreachable!("a scan is answered as one"),
            }
        })
    }
    fn put(&self, key: Key, value: Bytes, expect: Expect) -> Answer<'_, Result<Put, Error>> {
        Box::pin(async move { Ok(self.write(Op::Put { key, value, expect }).await?.put()) })
    }
    fn put_many(&self, writes: Vec<Write>) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.write(Op::PutMany(writes)).await.map(drop) })
    }
    fn put_max(&self, key: Key, value: Bytes, stamp: u64) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.write(Op::PutMax { key, value, stamp }).await.map(drop) })
    }
    fn delete(&self, key: Key) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.write(Op::Delete(key)).await.map(drop) })
    }
    fn sync(&self) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.write(Op::Sync).await.map(drop) })
    }
}
