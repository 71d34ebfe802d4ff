//! The shell of a room: wakes its core, brings it requests and what it needs to know, and carries out what it decides.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use schema::client::{Act, Order};
use schema::{ErrorCode, Event, RoomId, UserId};

use super::core::{Ask, Core, Effect, Fact, Input, Need};
use super::{learn, wake};
use crate::error::code_of;
use crate::metrics::metrics;
use crate::reply::{Answering, RETRY_MS};
use crate::shared::{Shared, now_ms};
use crate::slot::SlotMessage;

pub enum RoomMessage {
    /// In the order in which they came.
    Requests(Vec<Request>),
    Applied(Vec<Arc<Event>>),
    Learned {
        token: u64,
        fact: Result<Fact, ErrorCode>,
    },
    /// The slot stopped: nothing that is not applied will be.
    Dropped(ErrorCode),
    /// Somebody else has the room, or another activation: what is not applied is for them.
    Moved,
    /// The last that it is told after that.
    End,
    Tick,
    Park,
}

impl RoomMessage {
    /// Answers requests that no room will see.
    pub fn refuse(self, code: ErrorCode) {
        if let Self::Requests(requests) = self {
            requests.into_iter().for_each(|request| request.answering.refuse(code, code.is_temporary().then_some(RETRY_MS)));
        }
    }

    /// The requests of people here that no room of this node will see.
    pub fn moved(self) -> Vec<Request> {
        let Self::Requests(requests) = self else { return Vec::new() };
        let moved = |Request { user, order, act, answering }| answering.moved().map(|answering| Request { user, order, act, answering });
        requests.into_iter().filter_map(moved).collect()
    }
}

/// What one person wants done, and where the answer goes.
pub struct Request {
    pub user: UserId,
    pub order: Order,
    pub act: Act,
    pub answering: Answering,
}

/// A request without an answer.
struct Waiting {
    answering: Answering,
    /// What was asked, for whoever has the room next; not where its node keeps it, nor where there are no others.
    again: Option<(UserId, Order, Act)>,
}

impl Waiting {
    fn again(self) -> Option<Request> {
        let (answering, (user, order, act)) = (self.answering.moved()?, self.again?);
        Some(Request { user, order, act, answering })
    }
}

pub struct RoomActor;

pub struct State {
    shared: Arc<Shared>,
    room: RoomId,
    activation: u16,
    slot: ActorRef<SlotMessage>,
    /// `None` until the room has woken.
    core: Option<Core>,
    answers: HashMap<u64, Waiting>,
    has_moved: bool,
    next_token: u64,
    last_used: Instant,
}

/// Store errors while waking are tried again this often, after this long.
const WAKE_TRIES: usize = 5;
const WAKE_PAUSE: Duration = Duration::from_millis(100);

impl Actor for RoomActor {
    type Msg = RoomMessage;
    type State = State;
    type Arguments = (Arc<Shared>, RoomId, u16, ActorRef<SlotMessage>);

    async fn pre_start(
        &self,
        myself: ActorRef<RoomMessage>,
        (shared, room, activation, slot): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let every = (shared.config.room_idle / 4).max(Duration::from_millis(50));
        myself.send_interval(every, || RoomMessage::Tick);
        let (answers, last_used) = (HashMap::new(), Instant::now());
        Ok(State { shared, room, activation, slot, core: None, answers, has_moved: false, next_token: 1, last_used })
    }

    async fn post_start(&self, _: ActorRef<RoomMessage>, state: &mut State) -> Result<(), ActorProcessingErr> {
        let mut tries = 0;
        let woken = loop {
            match wake::wake(&state.shared.reader, state.room).await {
                Ok(woken) => break woken,
                Err(error) if tries >= WAKE_TRIES => return Err(format!("room {} cannot wake: {error}", state.room).into()),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(WAKE_PAUSE).await;
        };
        let Some(woken) = woken else {
            // Whoever sent it away tells it so; until then nothing is decided.
            state.has_moved = true;
            return Ok(());
        };
        state.core = Some(Core::new(state.room, woken));
        metrics().rooms_woken.increment(1);
        metrics().rooms_awake.increment(1.0);
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<RoomMessage>, state: &mut State) -> Result<(), ActorProcessingErr> {
        if state.core.is_some() {
            metrics().rooms_awake.decrement(1.0);
        }
        Ok(())
    }

    async fn handle(&self, myself: ActorRef<RoomMessage>, message: RoomMessage, state: &mut State) -> Result<(), ActorProcessingErr> {
        match message {
            RoomMessage::Requests(_) if state.has_moved => state.shared.requests(state.room, message.moved()),
            RoomMessage::End => myself.stop(None),
            _ if state.has_moved => {}
            RoomMessage::Requests(requests) => {
                state.last_used = Instant::now();
                let asks: Vec<Ask> = requests.into_iter().map(|request| state.ask(request)).collect();
                state.step(&myself, asks.into_iter().map(Input::Ask));
            }
            RoomMessage::Applied(events) => state.step(&myself, [Input::Applied(events)]),
            RoomMessage::Learned { token, fact: Ok(fact) } => state.step(&myself, [Input::Learned { token, fact }]),
            RoomMessage::Learned { token, fact: Err(code) } => state.step(&myself, [Input::NotLearned { token, code }]),
            RoomMessage::Dropped(code) => {
                state.answers.drain().for_each(|(_, waiting)| waiting.answering.refuse(code, Some(RETRY_MS)));
                myself.stop(None);
            }
            RoomMessage::Moved => {
                state.has_moved = true;
                // In their order.
                let mut waiting: Vec<(u64, Waiting)> = state.answers.drain().collect();
                waiting.sort_unstable_by_key(|(token, _)| *token);
                let again = waiting.into_iter().filter_map(|(_, waiting)| waiting.again()).collect();
                state.shared.requests(state.room, again);
            }
            RoomMessage::Tick => {
                let idle = state.core.as_ref().is_some_and(Core::is_idle);
                if idle && state.last_used.elapsed() >= state.shared.config.room_idle {
                    state.shared.rooms.park(state.room, RoomMessage::Park);
                }
            }
            RoomMessage::Park => {
                let idle = state.core.as_ref().is_some_and(Core::is_idle);
                if state.shared.rooms.parked(state.room, idle.then_some(None)) {
                    myself.stop(None);
                }
            }
        }
        Ok(())
    }
}

impl State {
    fn ask(&mut self, request: Request) -> Ask {
        let Request { user, order, act, answering } = request;
        let token = self.next_token;
        self.next_token += 1;
        let again = (self.shared.peers.are_any() && answering.is_kept_here()).then(|| (user, order, act.clone()));
        self.answers.insert(token, Waiting { answering, again });
        Ask { token, user, order, act }
    }

    /// What the inputs lead to goes out together: what was admitted to the slot, answers and events to the lots.
    fn step(&mut self, myself: &ActorRef<RoomMessage>, inputs: impl IntoIterator<Item = Input>) {
        let (mut effects, mut admitted, mut answers, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let core = self.core.as_mut().expect("a room handles nothing before it has woken");
        let now_ms = now_ms();
        inputs.into_iter().for_each(|input| core.handle(input, now_ms, &mut effects));
        for effect in effects {
            match effect {
                Effect::Learn { token, need } => self.learn(myself, token, need),
                Effect::Submit(event) => admitted.push(event),
                Effect::Answer { token, outcome } => {
                    if matches!(outcome, super::Outcome::Refused(_)) {
                        metrics().refused.increment(1);
                    }
                    match self.answers.remove(&token).map(|waiting| waiting.answering) {
                        Some(answering) if answering.goes_with_events() => answers.extend(answering.word(outcome)),
                        Some(answering) => elsewhere.push((answering, outcome)),
                        None => {}
                    }
                }
                Effect::Show(events) => self.shared.show_answered(self.room, &events, std::mem::take(&mut answers)),
            }
        }
        self.shared.subscribers.answer(answers);
        // Who waits elsewhere may read the room at once: by now it shows what they asked for.
        elsewhere.into_iter().for_each(|(answering, outcome)| drop(answering.word(outcome)));
        if !admitted.is_empty() {
            metrics().admitted.increment(admitted.len() as u64);
            let _ = self.slot.cast(SlotMessage::Submit {
                activation: self.activation,
                from: myself.get_id(),
                room: self.room,
                events: admitted,
            });
        }
    }

    fn learn(&self, myself: &ActorRef<RoomMessage>, token: u64, need: Need) {
        let (shared, room, myself) = (self.shared.clone(), self.room, myself.clone());
        tokio::spawn(async move {
            let fact = learn::learn(&shared.reader, room, need).await.map_err(code_of);
            let _ = myself.cast(RoomMessage::Learned { token, fact });
        });
    }
}
