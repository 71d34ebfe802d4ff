//! Carries what slots journaled into the projections, for all slots of the node at once, and raises their watermarks.
//!
//! Order is everything: rows, then a sync, then the watermark. A crash in between repeats rows that change nothing.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use schema::record::{Annotation, ERASURE_STAMP, HistoryRow, Watermark};
use schema::{Event, EventBody, SlotId};
use store::{Error, Journal, Range, RecordsExt, Write};
use tokio::sync::Notify;

use super::{history::edit_sort, project};
use crate::metrics::metrics;
use crate::read::{Reader, erased};

/// Events of one round, over all slots: so few that a slot whose appends wait gets its turn again at once.
const ROUND_EVENTS: usize = 4_096;
/// Of those, for slots that have waited since before the round, whatever came to fuller ones meanwhile.
const ROUND_DUE_EVENTS: usize = ROUND_EVENTS / 4;
/// Rows of one store call: what the store lets in between people's messages.
const ROWS_MAX: usize = 128;
/// A quiet slot's events are carried at the latest after this long, a busy one's not more often than that.
const QUIET: Duration = Duration::from_millis(1_000);
const BUSY: Duration = Duration::from_millis(50);
/// Above a slot's watermark, and above all; as much is carried without a pause, or appends would come to wait.
const PRESSED_EVENTS: usize = 1_024;
const PRESSED_BYTES: usize = 16 << 20;
/// Edits of one message that a deletion erases; a page of the store's.
const EDITS_MAX: usize = 10_000;

pub struct Projector {
    pub reader: Reader,
    pub journal: Arc<dyn Journal>,
    /// Rung by a slot that has much to carry.
    pub bell: Arc<Notify>,
    pub slots: u16,
    /// Told when a slot's watermark rose.
    pub projected: Box<dyn Fn(SlotId, u64) + Send + Sync>,
}

impl Projector {
    pub async fn run(self: Arc<Self>) {
        loop {
            if !self.is_pressed() {
                tokio::time::sleep(BUSY).await;
                let _ = tokio::time::timeout(QUIET, self.bell.notified()).await;
            }
            if let Err(error) = self.carry().await {
                tracing::warn!(%error, "the projections wait");
                tokio::time::sleep(QUIET).await;
            }
        }
    }

    fn is_pressed(&self) -> bool {
        self.reader.above().bytes() >= PRESSED_BYTES || self.slots().any(|slot| self.reader.slot_tail(slot).events() >= PRESSED_EVENTS)
    }

    fn slots(&self) -> impl Iterator<Item = SlotId> {
        (0..self.slots).map(SlotId)
    }

    /// Everything that was in the tails before the call is carried when it returns; it does, however much comes meanwhile.
    pub async fn carry(&self) -> Result<(), Error> {
        let span = |slot| self.reader.slot_tail(slot).span();
        let ends: Vec<(SlotId, u64)> = self.slots().filter_map(|slot| Some((slot, span(slot)?.1))).collect();
        loop {
            let is_due = |(slot, end): &(SlotId, u64)| span(*slot).is_some_and(|(first, _)| first <= *end).then_some(*slot);
            let due: Vec<SlotId> = ends.iter().filter_map(is_due).collect();
            if due.is_empty() {
                return Ok(());
            }
            self.carry_round(&due).await?;
        }
    }

    async fn carry_round(&self, due: &[SlotId]) -> Result<(), Error> {
        let began = std::time::Instant::now();
        let batches = self.chosen(due);
        let mut writes = Vec::new();
        for (slot, _, events) in &batches {
            writes.extend(project(*slot, events.iter().map(|e| &**e)));
            for (delete, target) in events.iter().filter_map(|event| deleted(event)) {
                self.write(std::mem::take(&mut writes)).await?;
                self.write(self.erasures(delete, target).await?).await?;
            }
        }
        self.write(writes).await?;
        self.reader.records.sync().await?;
        // Side by side: the store makes one group of what the slots ask for.
        let raises: Vec<_> = batches.iter().map(|(slot, block, _)| self.raise(*slot, *block)).collect();
        try_join_all(raises).await?;
        metrics().project_seconds.record(began.elapsed().as_secs_f64());
        Ok(())
    }

    /// A part for those that are due, the quietest first: with little they are done. The rest for the fullest, whose appends
    /// would be the first to wait.
    fn chosen(&self, due: &[SlotId]) -> Vec<(SlotId, u64, Vec<Arc<Event>>)> {
        // Whatever stands in a tail counts, or it would never have a turn.
        let sized = |slot| (self.reader.slot_tail(slot).events().max(1), slot);
        let mut quietest: Vec<(usize, SlotId)> = due.iter().copied().map(sized).collect();
        quietest.sort_unstable();
        let mut fullest: Vec<(usize, SlotId)> = self.slots().map(sized).collect();
        fullest.sort_unstable_by_key(|(events, _)| Reverse(*events));
        let mut shares: HashMap<SlotId, usize> = HashMap::new();
        let kept = share_out(ROUND_DUE_EVENTS, &quietest, &mut shares);
        share_out(ROUND_EVENTS - ROUND_DUE_EVENTS + kept, &fullest, &mut shares);
        let batch = |(_, slot): (usize, SlotId)| {
            let share = shares.get(&slot).filter(|share| **share > 0)?;
            let (block, events) = self.reader.slot_tail(slot).oldest(*share)?;
            Some((slot, block, events))
        };
        fullest.into_iter().filter_map(batch).collect()
    }

    /// The rows up to this block are synced.
    async fn raise(&self, slot: SlotId, block: u64) -> Result<(), Error> {
        self.reader.records.raise(&Watermark { slot, block }, block).await?;
        self.reader.slot_tail(slot).drop_upto(block);
        (self.projected)(slot, block);
        self.journal.trim(slot, block).await
    }

    /// In many small calls at once: the store takes as many of them in one group as messages leave room for.
    async fn write(&self, writes: Vec<Write>) -> Result<(), Error> {
        let mut writes = writes.into_iter().peekable();
        let mut calls = Vec::new();
        while writes.peek().is_some() {
            calls.push(self.reader.records.put_many(writes.by_ref().take(ROWS_MAX).collect()));
        }
        try_join_all(calls).await.map(drop)
    }

    /// A deleted message and all edits of it lose their bodies and keep their cmids.
    async fn erasures(&self, delete: &Event, target: u64) -> Result<Vec<Write>, Error> {
        let stamp = ERASURE_STAMP + delete.seq;
        let mut writes = Vec::new();
        let from = [target.to_be_bytes().as_slice(), &edit_sort(0)].concat();
        let to = [target.to_be_bytes().as_slice(), b"i"].concat();
        let edits = Range::all(Annotation::partition(delete.room, target), EDITS_MAX).from(from).to(to);
        for (Annotation(edit), _) in self.reader.records.list::<Annotation>(edits).await? {
            writes.push(Write::put(&HistoryRow(erased(&edit)), stamp));
            writes.push(Write::delete(Annotation::key_of(delete.room, target, &edit_sort(edit.seq)), stamp));
        }
        if let Some((HistoryRow(message), _)) = self.reader.records.fetch(HistoryRow::key_of(delete.room, target)).await? {
            writes.push(Write::put(&HistoryRow(erased(&message)), stamp));
        }
        Ok(writes)
    }
}

/// Adds to each slot's share what it has beyond it, in this order, until so many events are given. What is left of them.
fn share_out(mut left: usize, slots: &[(usize, SlotId)], shares: &mut HashMap<SlotId, usize>) -> usize {
    for (events, slot) in slots {
        let share = shares.entry(*slot).or_default();
        let more = left.min(events.saturating_sub(*share));
        (*share, left) = (*share + more, left - more);
    }
    left
}

fn deleted(event: &Event) -> Option<(&Event, u64)> {
    if let EventBody::Delete { target, .. } = event.body { Some((event, target)) } else { None }
}
