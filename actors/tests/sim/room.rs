//! A room on one node, around the product's core: its inbox, its requests without an answer, and how its effects go out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use actors::read::Reader;
use actors::room::core::Input;
use actors::room::{Ask, Core, Effect, Fact, Need, Outcome, State, learn};
use schema::record::{HistoryRow, MemberRow, RoomHead, RoomRow, SettingsRow};
use schema::{Cmid, ErrorCode, Event, RoomId, SlotId, UserId};
use store::{Range, RecordsExt};

use crate::mail::{Answer, Mail, Out, Request};
use crate::plant::Plant;
use crate::slot::{Env, Slot};
use crate::tasks::{Finished, Work};

pub enum Letter {
    Ask(Request),
    Applied(Vec<Arc<Event>>),
    Learned { token: u64, fact: Result<Fact, ErrorCode> },
}

pub struct Room {
    id: RoomId,
    slot: SlotId,
    pub incarnation: u64,
    activation: u16,
    env: Env,
    core: Option<Core>,
    tries: u8,
    inbox: VecDeque<Letter>,
    answers: BTreeMap<u64, Request>,
    tokens: u64,
}

/// As the shell of a room has it.
const WAKE_TRIES: u8 = 5;

impl Room {
    pub fn new(id: RoomId, slot: SlotId, incarnation: u64, activation: u16, env: Env) -> Self {
        let (inbox, answers) = (VecDeque::new(), BTreeMap::new());
        Self { id, slot, incarnation, activation, env, core: None, tries: 0, inbox, answers, tokens: 0 }
    }
    pub fn ask(&mut self, request: Request) {
        self.inbox.push_back(Letter::Ask(request));
    }
    pub fn applied(&mut self, events: Vec<Arc<Event>>) {
        self.inbox.push_back(Letter::Applied(events));
    }
    pub fn learned(&mut self, token: u64, fact: Result<Fact, ErrorCode>) {
        self.inbox.push_back(Letter::Learned { token, fact });
    }
    pub fn is_idle(&self) -> bool {
        self.inbox.is_empty() && self.core.as_ref().is_some_and(Core::is_idle)
    }
    /// It may read its inbox.
    pub fn is_ready(&self) -> bool {
        self.core.is_some() && !self.inbox.is_empty()
    }
    /// True: it is to be tried again. An error: it cannot wake.
    pub fn woken(&mut self, state: Result<State, store::Error>) -> Result<bool, ()> {
        match state {
            Ok(state) => self.core = Some(Core::new(self.id, state)),
            Err(_) if self.tries >= WAKE_TRIES => return Err(()),
            Err(_) => self.tries += 1,
        }
        Ok(self.core.is_none())
    }
    /// Takes in what was applied before the slot stopped: the answers go out, and these events are to be shown.
    pub fn last_words(&mut self, out: &mut Out) -> Vec<Vec<Arc<Event>>> {
        let Some(core) = &mut self.core else { return Vec::new() };
        let mut effects = Vec::new();
        for letter in &self.inbox {
            if let Letter::Applied(events) = letter {
                core.handle(Input::Applied(events.clone()), 0, &mut effects);
            }
        }
        effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Show(events) => Some(events),
                Effect::Answer { token, outcome } => {
                    let request = self.answers.remove(&token)?;
                    out.answers.push(Answer { outcome, ..Answer::refusal(&request, ErrorCode::Unavailable) });
                    None
                }
                Effect::Learn { .. } | Effect::Submit(_) => None,
            })
            .collect()
    }
    /// Whatever it was asked and has not answered, in order.
    pub fn unanswered(self) -> impl Iterator<Item = Request> {
        let asked = self.inbox.into_iter().filter_map(|letter| match letter {
            Letter::Ask(request) => Some(request),
            _ => None,
        });
        self.answers.into_values().chain(asked)
    }
    pub fn drop_requests(self, code: ErrorCode, out: &mut Out) {
        out.answers.extend(self.unanswered().map(|request| Answer::refusal(&request, code)));
    }

    /// Of `Plant::NoDedup`: each life of a room knows requests by other names, so that it cannot know its predecessor's.
    fn veiled(&self, cmid: Cmid) -> Cmid {
        if !self.env.has(Plant::NoDedup) {
            return cmid;
        }
        let mut bytes = *cmid.as_bytes();
        let mask = self.incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        bytes[9..].iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        Cmid::from_bytes(bytes)
    }

    fn input(&mut self, letter: Letter, waiting: &VecDeque<Arc<Event>>, out: &mut Out) -> Option<Input> {
        Some(match letter {
            Letter::Ask(request) => {
                let admitted = waiting.iter().find(|event| event.room == self.id && event.cmid == request.order.cmid);
                if let Some(Event { seq, ordinal, at, .. }) = admitted.map(|event| &**event)
                    && self.env.has(Plant::AnswerAdmitted)
                {
                    let outcome = Outcome::Landed { seq: *seq, ordinal: *ordinal, at: *at };
                    out.answers.push(Answer { outcome, ..Answer::refusal(&request, ErrorCode::Unavailable) });
                    return None;
                }
                self.tokens += 1;
                let (token, user, act, mut order) = (self.tokens, request.user, request.act.clone(), request.order);
                (order.cmid, order.prev) = (self.veiled(order.cmid), order.prev.map(|prev| self.veiled(prev)));
                self.answers.insert(token, request);
                Input::Ask(Ask { token, user, order, act })
            }
            Letter::Applied(events) => Input::Applied(events),
            Letter::Learned { token, fact: Ok(fact) } => Input::Learned { token, fact },
            Letter::Learned { token, fact: Err(code) } => Input::NotLearned { token, code },
        })
    }

    fn learn(&self, token: u64, need: Need) -> Work {
        let (reader, room, slot, incarnation) = (self.env.reader.clone(), self.id, self.slot, self.incarnation);
        let ring_only = self.env.has(Plant::RingOnly);
        Box::pin(async move {
            let fact = match need {
                // Everybody has an account here.
                Need::People { users } => Ok(Fact::People { users, known: true }),
                Need::Search { upto, .. } if ring_only => Ok(Fact::Searched { upto, found: None, prev_found: true }),
                need => learn::learn(&reader, room, need).await.map_err(actors::error::code_of),
            };
            Finished::Learned { slot, room, incarnation, token, fact }
        })
    }
}

impl Slot {
    /// A room reads one letter and its effects go out.
    pub fn room_turn(&mut self, id: RoomId, now_ms: u64, out: &mut Out) {
        let Some(room) = self.rooms.get_mut(&id).filter(|room| room.is_ready()) else { return };
        let letter = room.inbox.pop_front().expect("it is ready");
        let Some(input) = room.input(letter, &self.unapplied, out) else { return };
        let mut effects = Vec::new();
        room.core.as_mut().expect("it is ready").handle(input, now_ms, &mut effects);
        for effect in effects {
            match effect {
                Effect::Learn { token, need } => out.works.push(room.learn(token, need)),
                Effect::Submit(event) => {
                    let event = Arc::new(Event { cmid: room.veiled(event.cmid), ..(*event).clone() });
                    self.inbox.push_back(Mail::Submit { activation: room.activation, incarnation: room.incarnation, event });
                }
                Effect::Answer { token, outcome } => {
                    if let Some(request) = room.answers.remove(&token) {
                        out.answers.push(Answer { outcome, ..Answer::refusal(&request, ErrorCode::Unavailable) });
                    }
                }
                Effect::Show(events) => self.subscribers.show(id, &events),
            }
        }
    }
}

/// Of `Plant::WakeHistoryFirst`: as the product's waking, but for the order of the two reads.
pub async fn wake_history_first(reader: &Reader, room: RoomId) -> Result<State, store::Error> {
    let mut state = State::default();
    let rows = reader.records.list::<HistoryRow>(Range::all(HistoryRow::key_of(room, 1), 4_096)).await?;
    state.kind = reader.records.fetch::<RoomRow>(RoomRow::key_of(room)).await?.map(|(row, _)| row.kind);
    state.settings = reader.records.fetch::<SettingsRow>(SettingsRow::key_of(room)).await?.map(|(row, _)| row.settings).unwrap_or_default();
    for (row, _) in reader.records.list::<MemberRow>(Range::all(MemberRow::key_of(room, UserId::default()), 100)).await? {
        state.members.set(row.user, Some(row.role), row.seq);
    }
    reader.records.fetch::<RoomHead>(RoomHead::key_of(reader.slot(room), room)).await?;
    let mut events: BTreeMap<u64, Arc<Event>> = rows.into_iter().map(|(HistoryRow(event), _)| (event.seq, Arc::new(event))).collect();
    for event in reader.tail_here(room).expect("it is served by one node") {
        events.entry(event.seq).or_insert(event);
    }
    let whole: Vec<Arc<Event>> = (1..).map_while(|seq| events.remove(&seq)).collect();
    let head = whole.len() as u64;
    whole.into_iter().for_each(|event| state.take(event, head));
    Ok(state)
}

/// The worlds are small and rooms remember much. Two planted bugs show only behind what a room remembers: there it wakes
/// with its last events alone.
pub fn with_few_memories(woken: State) -> State {
    const KEPT: u64 = 4;
    let mut state = State::default();
    (state.kind, state.settings) = (woken.kind, woken.settings.clone());
    (woken.head.saturating_sub(KEPT - 1).max(1)..=woken.head)
        .filter_map(|seq| woken.recent(seq))
        .for_each(|event| state.take(event.clone(), woken.head));
    state.members = woken.members;
    state
}
