//! Carries what slots journaled into the projections, for all slots of the node at once, and raises their watermarks.
//!
//! Order is everything: rows, then a sync, then the watermark. A crash in between repeats rows that change nothing.

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

/// Blocks of one slot that are carried at once.
const BLOCKS_MAX: usize = 64;
/// Rows of one store call.
const ROWS_MAX: usize = 2_000;
/// A quiet slot's events are carried at the latest after this long, a busy one's not more often than that.
const QUIET: Duration = Duration::from_millis(1_000);
const BUSY: Duration = Duration::from_millis(50);
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
            let _ = tokio::time::timeout(QUIET, self.bell.notified()).await;
            if let Err(error) = self.carry().await {
                tracing::warn!(%error, "the projections wait");
                tokio::time::sleep(QUIET).await;
            }
            tokio::time::sleep(BUSY).await;
        }
    }

    /// Once over all slots; everything that was in the tails before the call is carried when it returns.
    pub async fn carry(&self) -> Result<(), Error> {
        loop {
            let batches: Vec<_> = (0..self.slots)
                .map(SlotId)
                .filter_map(|slot| self.reader.slot_tail(slot).oldest(BLOCKS_MAX).map(|(block, events)| (slot, block, events)))
                .collect();
            if batches.is_empty() {
                return Ok(());
            }
            let began = std::time::Instant::now();
            let mut writes = Vec::new();
            for (slot, _, events) in &batches {
                writes.extend(project(*slot, events.iter().map(|e| &**e)));
                let deletes: Vec<(&Event, u64)> = events.iter().filter_map(|event| deleted(event)).collect();
                if writes.len() >= ROWS_MAX || !deletes.is_empty() {
                    self.write(std::mem::take(&mut writes)).await?;
                }
                for (delete, target) in deletes {
                    self.write(self.erasures(delete, target).await?).await?;
                }
            }
            self.write(writes).await?;
            self.reader.records.sync().await?;
            // Side by side: the store makes one group of what the slots ask for.
            let raises: Vec<_> = batches.iter().map(|(slot, block, _)| self.raise(*slot, *block)).collect();
            try_join_all(raises).await?;
            metrics().project_seconds.record(began.elapsed().as_secs_f64());
        }
    }

    /// The rows up to this block are synced.
    async fn raise(&self, slot: SlotId, block: u64) -> Result<(), Error> {
        self.reader.records.raise(&Watermark { slot, block }, block).await?;
        self.reader.slot_tail(slot).drop_upto(block);
        (self.projected)(slot, block);
        self.journal.trim(slot, block).await
    }

    async fn write(&self, mut writes: Vec<Write>) -> Result<(), Error> {
        while !writes.is_empty() {
            let rest = writes.split_off(writes.len().min(ROWS_MAX));
            self.reader.records.put_many(writes).await?;
            writes = rest;
        }
        Ok(())
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
