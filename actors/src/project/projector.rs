//! Carries what slots journaled into the projections, for all slots of the node at once, and raises their watermarks.
//!
//! Order is everything: rows, then a sync, then the watermark. A crash in between repeats rows that change nothing.

use std::cmp::Reverse;
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

    /// Everything that was in the tails before the call is carried when it returns.
    pub async fn carry(&self) -> Result<(), Error> {
        let span = |slot| self.reader.slot_tail(slot).span();
        let ends: Vec<(SlotId, u64)> = self.slots().filter_map(|slot| Some((slot, span(slot)?.1))).collect();
        let is_due = |(slot, end): &(SlotId, u64)| span(*slot).is_some_and(|(first, _)| first <= *end);
        while ends.iter().any(is_due) {
            self.carry_round().await?;
        }
        Ok(())
    }

    /// The fullest slots, whose appends would be the first to wait.
    async fn carry_round(&self) -> Result<(), Error> {
        let began = std::time::Instant::now();
        let batches = self.fullest();
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

    fn fullest(&self) -> Vec<(SlotId, u64, Vec<Arc<Event>>)> {
        let mut slots: Vec<(usize, SlotId)> = self.slots().map(|slot| (self.reader.slot_tail(slot).events(), slot)).collect();
        slots.sort_unstable_by_key(|(events, _)| Reverse(*events));
        let mut left = ROUND_EVENTS;
        let mut batches = Vec::new();
        for (_, slot) in slots {
            if left == 0 {
                break;
            }
            let Some((block, events)) = self.reader.slot_tail(slot).oldest(left) else { continue };
            left = left.saturating_sub(events.len());
            batches.push((slot, block, events));
        }
        batches
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

fn deleted(event: &Event) -> Option<(&Event, u64)> {
    if let EventBody::Delete { target, .. } = event.body { Some((event, target)) } else { None }
}
