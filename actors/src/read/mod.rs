//! Reading rooms without waking them: what the slot's tail holds, then history. Used for pages, resumes, wakings and views.
//!
//! Always the tail first: what leaves it in between is in history by then. The other order would miss events.

mod channels;
mod kept;
mod page;
mod pins;
mod rooms;
mod view;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use cluster::{Kind, NodeId, Ring};
use schema::peer::{Answer, Question};
use schema::record::HistoryRow;
use schema::{Event, EventBody, RoomId, SlotId, limits};
use store::{Fenced, Journal, Range, Records, RecordsExt};
use tokio::time::Instant;

use crate::peer::Peers;
use crate::slot::{Above, Memberships, Tail};
use kept::Kept;

pub use page::PageQuery;
pub use pins::Pinned;
pub(crate) use rooms::{ROOMS_MAX, room_list, rooms_in};
pub use view::View;

/// A hole between history and tail that did not close: the store does not hold what it was given.
const READS_MAX: usize = 8;
/// For the tail of a room whose owner changes, and between two looks at the table.
const TAIL_WITHIN: Duration = Duration::from_secs(4);
const TAIL_AGAIN: Duration = Duration::from_millis(20);
/// How long a node believes that a slot is still its own without asking the store; less than what others may be behind.
const CONFIRMED_FOR: Duration = Duration::from_secs(3);
/// An epoch below every grant's: to fence by it only asks.
const NO_GRANT: u64 = 1;
/// Of pages in memory, where nothing else is said.
pub(crate) const PAGES_BYTES_MAX: usize = 32 << 20;

#[derive(Clone)]
pub struct Reader {
    pub records: Arc<dyn Records>,
    /// Who decides whose a slot is. `None`: nobody else is there.
    journal: Option<Arc<dyn Journal>>,
    ring: Arc<Ring>,
    peers: Arc<Peers>,
    /// By slot number.
    tails: Arc<[Arc<Tail>]>,
    memberships: Arc<Memberships>,
    above: Arc<Above>,
    kept: Arc<Kept>,
}

impl Reader {
    pub fn new(records: Arc<dyn Records>, ring: Arc<Ring>) -> Self {
        let (memberships, above) = (Arc::<Memberships>::default(), Arc::<Above>::default());
        let tails = (0..ring.slots()).map(|_| Arc::new(Tail::new(memberships.clone(), above.clone()))).collect();
        let kept = Arc::new(Kept::new(PAGES_BYTES_MAX));
        Self { records, journal: None, ring, peers: Arc::default(), tails, memberships, above, kept }
    }
    /// With the other nodes, who have the tails of their slots.
    pub fn among(mut self, peers: Arc<Peers>) -> Self {
        self.peers = peers;
        self
    }
    /// Asks there whose a slot is.
    pub(crate) fn confirmed_by(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }
    /// Keeps so many bytes of pages in memory, and forgets those it kept.
    pub fn keeping(mut self, pages_bytes_max: usize) -> Self {
        self.kept = Arc::new(Kept::new(pages_bytes_max));
        self
    }
    /// Bytes of pages that are kept.
    pub fn kept_bytes(&self) -> u64 {
        self.kept.page_bytes()
    }
    pub fn slot(&self, room: RoomId) -> SlotId {
        self.ring.slot(Kind::Room, room.as_bytes())
    }
    pub fn slot_tail(&self, slot: SlotId) -> &Arc<Tail> {
        &self.tails[usize::from(slot.0)]
    }
    /// What all tails hold.
    pub fn above(&self) -> &Arc<Above> {
        &self.above
    }
    /// The bytes of the fullest tail.
    pub fn tail_bytes_most(&self) -> usize {
        self.tails.iter().map(|tail| tail.bytes()).max().unwrap_or(0)
    }
    /// What the room list of a user may not show yet.
    pub fn memberships(&self) -> &Memberships {
        &self.memberships
    }
    /// Who has the room; `None`: this node.
    pub fn owner(&self, room: RoomId) -> Option<NodeId> {
        let owner = self.ring.placement(self.slot(room)).owner;
        (owner != self.ring.node()).then_some(owner)
    }

    /// Waits until this node serves the slot. False: it does not, and will not soon.
    pub async fn serves(&self, slot: SlotId, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        loop {
            let placement = self.ring.placement(slot);
            let is_ours = placement.owner == self.ring.node();
            if is_ours && tokio::time::timeout(TAIL_AGAIN, self.slot_tail(slot).opened(placement.grant)).await.is_ok() {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            if !is_ours {
                tokio::time::sleep(TAIL_AGAIN).await;
            }
        }
    }

    /// The room's applied events above the watermark, by its owner. Errors: `Unknown`, nobody can say now.
    pub async fn tail(&self, room: RoomId) -> Result<Vec<Arc<Event>>, store::Error> {
        if self.tail_here(room).is_some() {
            self.confirm(self.slot(room)).await?;
        }
        match self.tail_here(room) {
            Some(tail) => Ok(tail),
            None => self.tail_elsewhere(room).await,
        }
    }

    /// Of a slot that this node serves: it may have been given to another while this node was cut off, or stopped. Whoever
    /// reads after this sees all that was acknowledged up to `CONFIRMED_FOR` before. Errors: `Unknown`, it was, or the store
    /// does not say.
    pub(crate) async fn confirm(&self, slot: SlotId) -> Result<(), store::Error> {
        let (Some(journal), tail) = (&self.journal, self.slot_tail(slot)) else { return Ok(()) };
        if tail.is_confirmed(CONFIRMED_FOR) {
            return Ok(());
        }
        let _one_asks = tail.confirming().await;
        if tail.is_confirmed(CONFIRMED_FOR) {
            return Ok(());
        }
        let (grant, asked) = (self.ring.placement(slot).grant, Instant::now());
        match journal.fence(slot, NO_GRANT).await {
            Ok(Fenced::Stale { epoch }) if epoch >> 16 > grant => Err(store::Error::Unknown("another node has the slot".into())),
            // A full disk is there to be read, and nobody can take a slot meanwhile.
            Ok(Fenced::Stale { .. } | Fenced::Ok { .. }) | Err(store::Error::ReadOnly(_)) => {
                tail.confirm(grant, asked);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn tail_elsewhere(&self, room: RoomId) -> Result<Vec<Arc<Event>>, store::Error> {
        let deadline = Instant::now() + TAIL_WITHIN;
        while Instant::now() < deadline {
            let Some(owner) = self.owner(room) else {
                // Ours since a moment ago: it is being read.
                let slot = self.slot(room);
                let _ = tokio::time::timeout(TAIL_AGAIN, self.slot_tail(slot).opened(self.ring.placement(slot).grant)).await;
                match self.tail_here(room) {
                    Some(tail) => return Ok(tail),
                    None => continue,
                }
            };
            match self.tail_of(owner, room).await {
                Some(tail) => return Ok(tail),
                None => tokio::time::sleep(TAIL_AGAIN).await,
            }
        }
        Err(store::Error::Unknown("the room's owner is not heard".into()))
    }

    async fn tail_of(&self, owner: NodeId, room: RoomId) -> Option<Vec<Arc<Event>>> {
        let mut tail: Vec<Arc<Event>> = Vec::new();
        loop {
            let after = tail.last().map_or(0, |event| event.seq);
            let Answer::Tail { events, more } = self.peers.ask(owner, &Question::Tail { room, after }).await? else { return None };
            tail.extend(events.into_iter().map(Arc::new));
            if !more {
                return Some(tail);
            }
        }
    }

    /// The same of a room that this node serves; `None`: it does not.
    pub fn tail_here(&self, room: RoomId) -> Option<Vec<Arc<Event>>> {
        let slot = self.slot(room);
        let placement = self.ring.placement(slot);
        self.slot_tail(slot).look(room, placement.grant).filter(|_| placement.owner == self.ring.node())
    }

    /// The events `from..=to`, contiguous, with what was deleted erased; `to` is at most a head that was applied.
    /// Errors: the store's; `Corrupt` when a hole stays.
    pub async fn events(&self, room: RoomId, from: u64, to: u64) -> Result<Vec<Arc<Event>>, store::Error> {
        for _ in 0..READS_MAX {
            let tail = self.tail(room).await?;
            let mut events = BTreeMap::new();
            let history_ends = tail.first().map_or(to, |e| to.min(e.seq - 1));
            for event in self.history(room, from, history_ends).await? {
                events.insert(event.seq, Arc::new(event));
            }
            for event in tail.iter().filter(|e| (from..=to).contains(&e.seq)) {
                events.entry(event.seq).or_insert_with(|| event.clone());
            }
            let whole = events.keys().zip(from..).all(|(seq, expected)| *seq == expected);
            if whole && events.len() as u64 == (to + 1).saturating_sub(from) {
                return Ok(erase_deleted(events, &tail));
            }
            tokio::task::yield_now().await;
        }
        Err(store::Error::Corrupt(format!("history of room {room} has a hole in {from}..={to}")))
    }

    /// Rows of history alone.
    async fn history(&self, room: RoomId, from: u64, to: u64) -> Result<Vec<Event>, store::Error> {
        let mut events = Vec::new();
        let mut next = from.max(1);
        while next <= to {
            let bucket_end = (HistoryRow::bucket(next) + 1) * limits::HISTORY_BUCKET;
            let last = to.min(bucket_end);
            let range = Range::all(HistoryRow::key_of(room, next), (last - next + 1) as usize)
                .from(next.to_be_bytes().to_vec())
                .to((last + 1).to_be_bytes().to_vec());
            let rows = self.records.list::<HistoryRow>(range).await?;
            let full = rows.len() as u64 == last - next + 1;
            events.extend(rows.into_iter().map(|(row, _)| row.0));
            if !full {
                break;
            }
            next = last + 1;
        }
        Ok(events)
    }
}

/// Deletions that history does not know yet hide their messages and the edits of them.
fn erase_deleted(events: BTreeMap<u64, Arc<Event>>, tail: &[Arc<Event>]) -> Vec<Arc<Event>> {
    let deleted: HashSet<u64> = tail
        .iter()
        .filter_map(|e| match e.body {
            EventBody::Delete { target, .. } => Some(target),
            _ => None,
        })
        .collect();
    let is_erased = |event: &Event| match &event.body {
        EventBody::Message(_) => deleted.contains(&event.seq),
        EventBody::Edit { target, .. } => deleted.contains(target),
        _ => false,
    };
    events.into_values().map(|event| if is_erased(&event) { Arc::new(erased(&event)) } else { event }).collect()
}

/// What stays of an event: who and when, and the cmid, so that a late resend does not bring it back.
pub fn erased(event: &Event) -> Event {
    Event { body: EventBody::Erased, ..event.clone() }
}
