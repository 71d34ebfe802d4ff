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
use crate::session::SessionMessage;
use crate::slot::core::{Bounds, Core, Effect, Input, READ_BLOCKS, Stop};

impl State {
    pub(super) async fn restart(&mut self, myself: &ActorRef<SlotMessage>) {
        let bounds = Bounds { tail_events_max: self.shared.config.tail_events_max, tail_bytes_max: self.shared.config.tail_bytes_max };
        // Whatever the activation before has under way is not ours to hear of.
        self.activation = self.shared.activate(self.slot);
        self.core = Core::new(self.slot, bounds);
        let placement = self.shared.ring.placement(self.slot);
        self.grant = (placement.owner == self.shared.ring.node()).then_some(placement.grant);
        let Some(grant) = self.grant else { return };
        self.step(myself, Input::Start { epoch: grant << 16 | u64::from(self.activation) }).await;
    }

    /// Also called when nothing has changed for this slot.
    pub(super) async fn placed(&mut self, myself: &ActorRef<SlotMessage>) {
        let placement = self.shared.ring.placement(self.slot);
        let ours = (placement.owner == self.shared.ring.node()).then_some(placement.grant);
        if ours == self.grant {
            return;
        }
        self.shared.reader.slot_tail(self.slot).close();
        if ours.is_none() {
            self.release();
        } else {
            self.drop_rooms();
        }
        self.restart(myself).await;
    }

    /// Somebody else has the slot: whatever is not applied is for them.
    fn release(&mut self) {
        let shared = self.shared.clone();
        self.send_rooms_away();
        for (_, user) in std::mem::take(&mut self.sessions_by_actor) {
            shared.sessions.tell_awake(user, SessionMessage::Leave);
        }
        shared.sessions.leave(|user| shared.session_slot(*user) == self.slot);
        self.serving_waits.clear();
    }

    /// What waits for them, and what they have begun, is asked of whoever has them next.
    fn send_rooms_away(&mut self) {
        let shared = self.shared.clone();
        for (room, cell) in std::mem::take(&mut self.rooms) {
            let _ = cell.send_message(RoomMessage::Moved);
            shared.give_back(room);
            // Behind all that it was told before.
            let _ = cell.send_message(RoomMessage::End);
        }
        self.rooms_by_actor.clear();
        std::mem::take(&mut self.wanted).into_iter().for_each(|room| shared.give_back(room));
    }

    fn drop_rooms(&mut self) {
        if self.shared.peers.are_any() && self.refusal == ErrorCode::Unavailable {
            return self.send_rooms_away();
        }
        for (room, cell) in std::mem::take(&mut self.rooms) {
            let _ = cell.send_message(RoomMessage::Dropped(self.refusal));
            self.refuse(room);
        }
        self.rooms_by_actor.clear();
        std::mem::take(&mut self.wanted).into_iter().for_each(|room| self.refuse(room));
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

    pub(super) async fn serving(&mut self, tail: Vec<(u64, Vec<Arc<Event>>)>) {
        self.repeats = 0;
        self.refusal = ErrorCode::Unavailable;
        // Given up meanwhile: then this activation has ended, and nothing comes here any more.
        let grant = self.grant.expect("a slot is served by a grant");
        self.shared.reader.slot_tail(self.slot).open(grant, tail.clone());
        if !self.show_missed_of_all().await {
            return;
        }
        for (_, events) in tail {
            // What landed after the last activation lost sight of it was never shown.
            by_room(events).into_iter().for_each(|(room, events)| self.shared.show(room, &events));
        }
        self.serving_waits.drain(..).for_each(|wait| drop(wait.send(Ok(()))));
    }

    pub(super) fn stopped(&mut self, myself: &ActorRef<SlotMessage>, stop: Stop) {
        metrics().slot_stops.increment(1);
        self.refusal = if stop == Stop::ReadOnly { ErrorCode::ReadOnly } else { ErrorCode::Unavailable };
        self.drop_rooms();
        let pause_ms = match stop {
            Stop::Moved => 0,
            Stop::ReadOnly => PAUSES_MS[PAUSES_MS.len() - 1],
            Stop::Superseded { epoch } => {
                // Whoever has it knows more than we do.
                self.shared.reader.slot_tail(self.slot).close();
                tracing::warn!(slot = self.slot.0, epoch, "a higher epoch owns the slot");
                // Or a table has yet to come; else whoever follows the group asks it for a grant above.
                self.shared.ring.outgrown.meet(self.slot, epoch);
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
