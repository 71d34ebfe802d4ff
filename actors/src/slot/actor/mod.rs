//! The shell of a slot: carries the core's effects to the journal and the rooms, and brings the outcomes back.
//! It supervises the rooms and sessions of its slot.

mod append;
mod rooms;
mod take_over;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use schema::{ErrorCode, Event, RoomId, SlotId, UserId};
use store::{Appended, Error};

use crate::shared::Shared;
use crate::slot::above::Reserved;
use crate::slot::core::{Bounds, Core, Effect, Input};

pub enum SlotMessage {
    Step {
        activation: u16,
        input: Box<Input>,
    },
    /// What became of the append under way, and the place that it held above the watermark.
    Appended {
        activation: u16,
        answer: Result<Appended, Error>,
        reserved: Reserved,
    },
    Submit {
        activation: u16,
        /// The room's actor. A failure is heard of before what the failed one had sent: that must not be journaled any more.
        from: ActorId,
        room: RoomId,
        events: Vec<Arc<Event>>,
    },
    WakeRoom(RoomId),
    WakeSession(UserId),
    Projected(u64),
    Restart,
    /// The table has another owner or grant for the slot.
    Placed,
    /// Answers once the slot serves, or says why it cannot.
    WhenServing(tokio::sync::oneshot::Sender<Result<(), String>>),
}

/// Wait before an identical repeat; grows with each to the last.
const PAUSES_MS: [u64; 5] = [20, 50, 100, 250, 1_000];

pub struct SlotActor;

pub struct State {
    shared: Arc<Shared>,
    slot: SlotId,
    core: Core,
    activation: u16,
    /// By which this activation has it; `None`: it is somebody else's.
    grant: Option<u64>,
    repeats: usize,
    /// Of the append whose outcome is being worked off.
    reserved: Option<Reserved>,
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
            grant: None,
            repeats: 0,
            reserved: None,
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
            SlotMessage::Submit { activation, from, room, events } if activation == state.activation && state.is_awake(room, from) => {
                state.step(&myself, Input::Submit(events)).await;
            }
            SlotMessage::Appended { activation, answer, reserved } if activation == state.activation => {
                state.reserved = Some(reserved);
                state.step(&myself, Input::Appended(answer)).await;
                // Repeated, it has it again; landed, the tail counts it.
                state.reserved = None;
            }
            // From before the last restart, or of an actor that failed: nobody waits for it.
            SlotMessage::Step { .. } | SlotMessage::Appended { .. } | SlotMessage::Submit { .. } => {}
            // No telling when it can be written again: better said at once than kept waiting.
            SlotMessage::WakeRoom(room) if !state.core.is_serving() && state.refusal == ErrorCode::ReadOnly => state.refuse(room),
            // Told before it was known that somebody else has the slot.
            SlotMessage::WakeRoom(room) if state.grant.is_none() => state.shared.give_back(room),
            SlotMessage::WakeRoom(room) => {
                state.wanted.insert(room);
                state.wake_wanted(&myself).await;
            }
            SlotMessage::WakeSession(user) if state.grant.is_none() => drop(state.shared.sessions.lost(user)),
            SlotMessage::WakeSession(user) => state.wake_session(&myself, user).await,
            SlotMessage::Projected(block) => state.step(&myself, Input::Projected { block }).await,
            SlotMessage::Restart => state.restart(&myself).await,
            SlotMessage::Placed => state.placed(&myself).await,
            // Somebody else serves it by now.
            SlotMessage::WhenServing(answer) if state.grant.is_none() => drop(answer.send(Ok(()))),
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
                let reserved = self.reserved.take_if(|_| again);
                self.append(myself, append, reserved, pause);
            }
            Effect::Serving { tail, .. } => {
                self.serving(tail).await;
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
}

async fn pause(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
