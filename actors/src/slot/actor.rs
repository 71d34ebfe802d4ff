//! The shell of a slot: carries the core's effects to the journal and the rooms, and brings the outcomes back.
//! It supervises the rooms and sessions of its slot.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use schema::block::Block;
use schema::record::Watermark;
use schema::{ErrorCode, Event, RoomId, SlotId, UserId};
use store::{Append, Error, RecordsExt, StoredBlock};

use super::core::{Bounds, Core, Effect, Input, READ_BLOCKS, Stop};
use crate::metrics::metrics;
use crate::room::{RoomActor, RoomMessage};
use crate::session::SessionActor;
use crate::shared::Shared;

pub enum SlotMessage {
    Step {
        activation: u16,
        input: Box<Input>,
    },
    Submit {
        activation: u16,
        /// The room's actor. A failure is heard of before what the failed one had sent: that must not be journaled any more.
        from: ActorId,
        event: Arc<Event>,
    },
    WakeRoom(RoomId),
    WakeSession(UserId),
    Projected(u64),
    Restart,
    /// Answers once the slot serves, or says why it cannot.
    WhenServing(tokio::sync::oneshot::Sender<Result<(), String>>),
}

/// Wait before an identical repeat; grows with each to the last.
const PAUSES_MS: [u64; 5] = [20, 50, 100, 250, 1_000];
/// Events above the watermark at which the projector is rung.
const BELL_EVENTS: usize = 64;

pub struct SlotActor;

pub struct State {
    shared: Arc<Shared>,
    slot: SlotId,
    core: Core,
    activation: u16,
    repeats: usize,
    rooms: HashMap<RoomId, ActorCell>,
    rooms_by_actor: HashMap<ActorId, RoomId>,
    sessions_by_actor: HashMap<ActorId, UserId>,
    /// Rooms to wake as soon as the slot serves and none of their events is in flight.
    wanted: HashSet<RoomId>,
    serving_waits: Vec<tokio::sync::oneshot::Sender<Result<(), String>>>,
    /// Why the last activation ended, while the next one does not serve.
    refusal: ErrorCode,
}

impl Actor for SlotActor {
    type Msg = SlotMessage;
    type State = State;
    type Arguments = (Arc<Shared>, SlotId);

    async fn pre_start(&self, myself: ActorRef<SlotMessage>, (shared, slot): Self::Arguments) -> Result<State, ActorProcessingErr> {
        let bounds = Bounds { tail_events_max: shared.config.tail_events_max, tail_bytes_max: shared.config.tail_bytes_max };
        let _ = myself.cast(SlotMessage::Restart);
        Ok(State {
            core: Core::new(slot, bounds),
            shared,
            slot,
            activation: 0,
            repeats: 0,
            rooms: HashMap::new(),
            rooms_by_actor: HashMap::new(),
            sessions_by_actor: HashMap::new(),
            wanted: HashSet::new(),
            serving_waits: Vec::new(),
            refusal: ErrorCode::Unavailable,
        })
    }

    async fn handle(&self, myself: ActorRef<SlotMessage>, message: SlotMessage, state: &mut State) -> Result<(), ActorProcessingErr> {
        match message {
            SlotMessage::Step { activation, input } if activation == state.activation => state.step(&myself, *input).await,
            SlotMessage::Submit { activation, from, event } if activation == state.activation && state.is_awake(event.room, from) => {
                state.step(&myself, Input::Submit(vec![event])).await;
            }
            // From before the last restart, or of an actor that failed: nobody waits for it.
            SlotMessage::Step { .. } | SlotMessage::Submit { .. } => {}
            // No telling when it can be written again: better said at once than kept waiting.
            SlotMessage::WakeRoom(room) if !state.core.is_serving() && state.refusal == ErrorCode::ReadOnly => state.refuse(room),
            SlotMessage::WakeRoom(room) => {
                state.wanted.insert(room);
                state.wake_wanted(&myself).await;
            }
            SlotMessage::WakeSession(user) => state.wake_session(&myself, user).await,
            SlotMessage::Projected(block) => state.step(&myself, Input::Projected { block }).await,
            SlotMessage::Restart => state.restart(&myself).await,
            SlotMessage::WhenServing(answer) if state.core.is_serving() => drop(answer.send(Ok(()))),
            SlotMessage::WhenServing(answer) => state.serving_waits.push(answer),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SlotMessage>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, why) => {
                tracing::error!(slot = state.slot.0, %why, "an actor failed and is made anew");
                state.show_missed(cell.get_id()).await;
                state.gone(&myself, &cell).await;
            }
            SupervisionEvent::ActorTerminated(cell, _, _) => state.gone(&myself, &cell).await,
            _ => {}
        }
        Ok(())
    }
}

impl State {
    async fn step(&mut self, myself: &ActorRef<SlotMessage>, input: Input) {
        let mut effects = Vec::new();
        self.core.handle(input, &mut effects);
        for effect in effects {
            self.carry_out(myself, effect).await;
        }
    }

    async fn carry_out(&mut self, myself: &ActorRef<SlotMessage>, effect: Effect) {
        match effect {
            Effect::ReadWatermark | Effect::Fence { .. } | Effect::ReadTail { .. } => self.take_over_step(myself, effect, 0),
            Effect::Again(step) => {
                let pause = self.pause_ms();
                self.take_over_step(myself, *step, pause);
            }
            Effect::Append { append, again } => {
                let pause = if again { self.pause_ms() } else { 0 };
                self.append(myself, append, pause);
            }
            Effect::Serving { tail, .. } => {
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
                self.wake_wanted(myself).await;
            }
            Effect::Applied { block, events } => {
                self.repeats = 0;
                self.applied(block, events);
                self.wake_wanted(myself).await;
            }
            Effect::Stopped(stop) => self.stopped(myself, stop),
        }
    }

    fn pause_ms(&mut self) -> u64 {
        let pause = PAUSES_MS[self.repeats.min(PAUSES_MS.len() - 1)];
        self.repeats += 1;
        pause
    }

    fn take_over_step(&self, myself: &ActorRef<SlotMessage>, step: Effect, pause_ms: u64) {
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

    fn append(&self, myself: &ActorRef<SlotMessage>, append: Append, pause_ms: u64) {
        let (shared, activation, myself) = (self.shared.clone(), self.activation, myself.clone());
        tokio::spawn(async move {
            pause(pause_ms).await;
            let place = match &shared.appends {
                Some(places) => Some(places.acquire().await),
                None => None,
            };
            let answer = shared.journal.append(append).await;
            drop(place);
            if matches!(answer, Err(Error::Unknown(_))) {
                metrics().append_unknown.increment(1);
            }
            let _ = myself.cast(SlotMessage::Step { activation, input: Box::new(Input::Appended(answer)) });
        });
    }

    fn applied(&mut self, block: u64, events: Vec<Arc<Event>>) {
        metrics().applied.increment(events.len() as u64);
        metrics().block_events.record(events.len() as f64);
        self.shared.reader.slot_tail(self.slot).push(block, events.clone());
        for (room, events) in by_room(events) {
            match self.rooms.get(&room) {
                Some(cell) => drop(cell.send_message(RoomMessage::Applied(events))),
                // Its actor is gone, its events are in the journal: show them, the room wakes with them.
                None => self.shared.show(room, &events),
            }
        }
        if self.core.tail_events() >= BELL_EVENTS {
            self.shared.bell.notify_one();
        }
    }

    async fn wake_wanted(&mut self, myself: &ActorRef<SlotMessage>) {
        if !self.core.is_serving() || self.wanted.is_empty() {
            return;
        }
        let ready: Vec<RoomId> =
            self.wanted.iter().copied().filter(|room| !self.rooms.contains_key(room) && !self.core.is_in_flight(*room)).collect();
        for room in ready {
            self.wanted.remove(&room);
            let arguments = (self.shared.clone(), room, self.activation, myself.clone());
            match Actor::spawn_linked(None, RoomActor, arguments, myself.get_cell()).await {
                Ok((actor, _)) => {
                    self.rooms.insert(room, actor.get_cell());
                    self.rooms_by_actor.insert(actor.get_id(), room);
                    self.shared.rooms.woken(room, actor);
                }
                Err(error) => {
                    tracing::error!(%error, "a room could not be woken");
                    drop(self.shared.rooms.lost(room));
                }
            }
        }
    }

    async fn wake_session(&mut self, myself: &ActorRef<SlotMessage>, user: UserId) {
        match Actor::spawn_linked(None, SessionActor, (self.shared.clone(), user), myself.get_cell()).await {
            Ok((actor, _)) => {
                self.sessions_by_actor.insert(actor.get_id(), user);
                self.shared.sessions.woken(user, actor);
            }
            Err(error) => {
                tracing::error!(%error, "a session could not be woken");
                drop(self.shared.sessions.lost(user));
            }
        }
    }

    fn is_awake(&self, room: RoomId, actor: ActorId) -> bool {
        self.rooms.get(&room).is_some_and(|known| known.get_id() == actor)
    }

    /// A room failed with applied events that it had not shown: whoever watches it must not miss them.
    async fn show_missed(&self, actor: ActorId) {
        let Some(room) = self.rooms_by_actor.get(&actor).copied() else { return };
        let (reader, watched) = (&self.shared.reader, self.shared.subscribers.view(room).map_or(u64::MAX, |view| view.head));
        let missed = match reader.view(room).await {
            Ok(Some(now)) if now.head > watched => reader.events(room, watched + 1, now.head).await,
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        match missed {
            // Shown even if it is nothing: whoever loads the room just now has to load it again.
            Ok(events) => self.shared.show(room, &events),
            Err(error) => tracing::error!(%error, %room, "a room failed and what it did not show cannot be read"),
        }
    }

    /// An actor ended: parked in good order, or broken. Of a broken one nothing unapplied may be journaled.
    async fn gone(&mut self, myself: &ActorRef<SlotMessage>, cell: &ActorCell) {
        if let Some(user) = self.sessions_by_actor.remove(&cell.get_id()) {
            if self.shared.sessions.is_place_of(user, cell.get_id()) {
                drop(self.shared.sessions.lost(user));
            }
            return;
        }
        let Some(room) = self.rooms_by_actor.remove(&cell.get_id()) else { return };
        if self.is_awake(room, cell.get_id()) {
            self.rooms.remove(&room);
            if self.shared.rooms.is_place_of(room, cell.get_id()) {
                drop(self.shared.rooms.lost(room));
            }
            self.step(myself, Input::RoomLost(room)).await;
        }
        self.wake_wanted(myself).await;
    }

    fn stopped(&mut self, myself: &ActorRef<SlotMessage>, stop: Stop) {
        metrics().slot_stops.increment(1);
        self.refusal = if stop == Stop::ReadOnly { ErrorCode::ReadOnly } else { ErrorCode::Unavailable };
        for (room, cell) in self.rooms.drain() {
            let _ = cell.send_message(RoomMessage::Dropped(self.refusal));
            refuse(&self.shared, room, self.refusal);
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

    /// What waits for a room that cannot be woken now.
    fn refuse(&self, room: RoomId) {
        refuse(&self.shared, room, self.refusal);
    }

    async fn restart(&mut self, myself: &ActorRef<SlotMessage>) {
        let bounds = Bounds { tail_events_max: self.shared.config.tail_events_max, tail_bytes_max: self.shared.config.tail_bytes_max };
        self.activation = self.shared.activate(self.slot);
        self.core = Core::new(self.slot, bounds);
        let grant = self.shared.ring.placement(self.slot).grant;
        self.step(myself, Input::Start { epoch: grant << 16 | u64::from(self.activation) }).await;
    }
}

fn refuse(shared: &Shared, room: RoomId, code: ErrorCode) {
    shared.rooms.lost(room).into_iter().for_each(|message| message.refuse(code));
}

async fn pause(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
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

/// The events of each room, in order; a block of one room, the most frequent kind, is not taken apart.
fn by_room(events: Vec<Arc<Event>>) -> Vec<(RoomId, Vec<Arc<Event>>)> {
    let mut rooms: Vec<(RoomId, Vec<Arc<Event>>)> = Vec::new();
    let mut places: HashMap<RoomId, usize> = HashMap::new();
    for event in events {
        match rooms.last_mut() {
            Some((room, of_room)) if *room == event.room => of_room.push(event),
            _ => {
                let place = *places.entry(event.room).or_insert_with(|| {
                    rooms.push((event.room, Vec::new()));
                    rooms.len() - 1
                });
                rooms[place].1.push(event);
            }
        }
    }
    rooms
}
