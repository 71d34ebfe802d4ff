//! The ends and beginnings of an activation: its steps to serving, and what is left to do when it stops.

use std::sync::Arc;
use std::time::Duration;

use ractor::ActorRef;
use schema::block::Block;
use schema::record::Watermark;
use schema::{ErrorCode, Event};
use store::{Error, RecordsExt, StoredBlock};

use super::append::by_room;
use super::{PAUSES_MS, SlotMessage, State, pause};
use crate::metrics::metrics;
use crate::room::RoomMessage;
use crate::slot::core::{Bounds, Core, Effect, Input, READ_BLOCKS, Stop};

impl State {
    pub(super) async fn restart(&mut self, myself: &ActorRef<SlotMessage>) {
        let bounds = Bounds { tail_events_max: self.shared.config.tail_events_max, tail_bytes_max: self.shared.config.tail_bytes_max };
        self.activation = self.shared.activate(self.slot);
        self.core = Core::new(self.slot, bounds);
        let grant = self.shared.ring.placement(self.slot).grant;
        self.step(myself, Input::Start { epoch: grant << 16 | u64::from(self.activation) }).await;
    }

    pub(super) fn take_over_step(&self, myself: &ActorRef<SlotMessage>, step: Effect, pause_ms: u64) {
        let (shared, slot, activation, myself) = (self.shared.clone(), self.slot, self.activation, myself.clone());
        tokio::spawn(async move {
            pause(pause_ms).await;
            let input = match step {
                Effect::ReadWatermark => {
                    let row = shared.reader.records.fetch::<Watermark>(Watermark::key_of(slot)).await;
                    Input::WatermarkRead(row.map(|row| row.map_or(0, |(row, _)| row.block)))
                }
                Effect::Fence { epoch } => Input::Fenced(shared.journal.fence(slot, epoch).await),
                Effect::ReadTail { from } => Input::TailRead(shared.journal.read(slot, from, READ_BLOCKS).await.and_then(decode)),
                _ => return,
            };
            if let Some(error) = failed(&input) {
                tracing::warn!(slot = slot.0, %error, "the slot cannot be taken over yet");
            }
            let _ = myself.cast(SlotMessage::Step { activation, input: Box::new(input) });
        });
    }

    pub(super) fn serving(&mut self, tail: Vec<(u64, Vec<Arc<Event>>)>) {
        self.repeats = 0;
        self.refusal = ErrorCode::Unavailable;
        let shelf = self.shared.reader.slot_tail(self.slot);
        shelf.clear();
        for (block, events) in tail {
            shelf.push(block, events.clone());
            // What landed after the last activation lost sight of it was never shown.
            by_room(events).into_iter().for_each(|(room, events)| self.shared.show(room, &events));
        }
        self.serving_waits.drain(..).for_each(|wait| drop(wait.send(Ok(()))));
    }

    pub(super) fn stopped(&mut self, myself: &ActorRef<SlotMessage>, stop: Stop) {
        metrics().slot_stops.increment(1);
        self.refusal = if stop == Stop::ReadOnly { ErrorCode::ReadOnly } else { ErrorCode::Unavailable };
        for (room, cell) in std::mem::take(&mut self.rooms) {
            let _ = cell.send_message(RoomMessage::Dropped(self.refusal));
            self.refuse(room);
        }
        self.rooms_by_actor.clear();
        std::mem::take(&mut self.wanted).into_iter().for_each(|room| self.refuse(room));
        let pause_ms = match stop {
            Stop::Moved => 0,
            Stop::ReadOnly => PAUSES_MS[PAUSES_MS.len() - 1],
            Stop::Superseded { epoch } => {
                tracing::warn!(slot = self.slot.0, epoch, "a higher epoch owns the slot");
                PAUSES_MS[PAUSES_MS.len() - 1]
            }
            Stop::Broken(error) => {
                tracing::error!(slot = self.slot.0, %error, "the slot cannot be served");
                self.serving_waits.drain(..).for_each(|wait| drop(wait.send(Err(error.to_string()))));
                PAUSES_MS[PAUSES_MS.len() - 1]
            }
        };
        // Detached: it lives until the slot does.
        drop(myself.send_after(Duration::from_millis(pause_ms), || SlotMessage::Restart));
    }
}

fn decode(blocks: Vec<StoredBlock>) -> Result<Vec<(u64, Block)>, Error> {
    blocks
        .into_iter()
        .map(|stored| match Block::decode(&stored.block) {
            Ok(block) => Ok((stored.number, block)),
            Err(error) => Err(Error::Corrupt(format!("block {} cannot be read: {error}", stored.number))),
        })
        .collect()
}

fn failed(input: &Input) -> Option<&Error> {
    match input {
        Input::WatermarkRead(answer) => answer.as_ref().err(),
        Input::Fenced(answer) => answer.as_ref().err(),
        Input::TailRead(answer) => answer.as_ref().err(),
        _ => None,
    }
}
