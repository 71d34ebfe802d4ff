//! Pure. A room's decisions: exactly once, in order, by the rules; and what became of each request.
//!
//! Checks count what is *admitted*, answers only what is *applied*: an answer that depends on an admitted event waits
//! until the journal has it. When the slot stops, the core is thrown away: nothing unapplied was ever shown.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use schema::client::{Act, Order};
use schema::{Cmid, ErrorCode, Event, EventBody, RoomId, RoomKind, RoomSettings, UserId};

use super::exactly_once::{self, LookUp};
use super::members::Members;
use super::recent::Recent;
use super::rules::{self, Verdict};
use crate::error::Refused;

/// A request, with the shell's number for it.
#[derive(Clone, Debug)]
pub struct Ask {
    pub token: u64,
    pub user: UserId,
    pub order: Order,
    pub act: Act,
}

/// What a decision had to learn from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    WorkspaceRole {
        workspace: RoomId,
        user: UserId,
        role: Option<schema::Role>,
    },
    /// Who wrote the message at `seq`; `None`: no message, or deleted.
    Target {
        seq: u64,
        author: Option<UserId>,
    },
    /// Whether all of them have accounts.
    People {
        users: Vec<UserId>,
        known: bool,
    },
    /// History up to `upto` was searched: the event of the cmid, and whether `prev` was met.
    Searched {
        upto: u64,
        found: Option<Arc<Event>>,
        prev_found: bool,
    },
}

pub type Facts = Vec<Fact>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    WorkspaceRole {
        workspace: RoomId,
        user: UserId,
    },
    Target {
        seq: u64,
    },
    People {
        users: Vec<UserId>,
    },
    /// Look for the cmid in the room's events `from..=upto`, and by the key of a REST caller (a version 8 cmid).
    Search {
        from: u64,
        upto: u64,
        user: UserId,
        cmid: Cmid,
        prev: Option<Cmid>,
        by_key: bool,
    },
}

#[derive(Debug)]
pub enum Input {
    Ask(Ask),
    Learned {
        token: u64,
        fact: Fact,
    },
    /// What was needed cannot be had now.
    NotLearned {
        token: u64,
        code: ErrorCode,
    },
    /// Journaled: these are the oldest admitted ones.
    Applied(Vec<Arc<Event>>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Landed { seq: u64, ordinal: u64, at: u64 },
    Refused(Refused),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    Learn {
        token: u64,
        need: Need,
    },
    Submit(Arc<Event>),
    Answer {
        token: u64,
        outcome: Outcome,
    },
    /// Show these to everybody who watches the room.
    Show(Vec<Arc<Event>>),
}

/// What the rules look at: the room as admitted.
#[derive(Debug, Default)]
pub struct State {
    pub kind: Option<RoomKind>,
    pub settings: RoomSettings,
    pub members: Members,
    pub head: u64,
    pub ordinal: u64,
    pub at: u64,
    recent: Recent,
    /// Invariant: the deletions in `recent`, by their own seq, and their targets. History says the same of older ones.
    deletions: VecDeque<(u64, u64)>,
    deleted: HashSet<u64>,
}

impl State {
    pub fn recent(&self, seq: u64) -> Option<&Arc<Event>> {
        self.recent.get(seq)
    }
    /// The first seq that is remembered; everything from it to the head is.
    pub fn recent_first(&self) -> Option<u64> {
        self.recent.first()
    }
    pub fn is_deleted(&self, seq: u64) -> bool {
        self.deleted.contains(&seq)
    }
    /// Takes an event as it comes, admitted now or read at waking.
    pub fn take(&mut self, event: Arc<Event>, applied: u64) {
        match &event.body {
            EventBody::Created { kind, settings, .. } => {
                self.kind = Some(*kind);
                self.settings = settings.clone();
            }
            EventBody::Settings(settings) => self.settings = settings.clone(),
            EventBody::Delete { target, .. } if self.deleted.insert(*target) => self.deletions.push_back((event.seq, *target)),
            _ => {}
        }
        self.members.apply(&event);
        self.head = event.seq;
        self.ordinal = event.ordinal;
        self.at = event.at;
        self.recent.push(event, applied);
        // A deletion comes after its target: with it the ring has forgotten the message too.
        let first = self.recent.first().unwrap_or(0);
        while let Some((_, target)) = self.deletions.pop_front_if(|(seq, _)| *seq < first) {
            self.deleted.remove(&target);
        }
    }
}

/// A request that waits for facts; those of the same person behind it wait too, so that nothing overtakes.
#[derive(Debug)]
struct Parked {
    ask: Ask,
    facts: Facts,
}

#[derive(Debug)]
pub struct Core {
    room: RoomId,
    state: State,
    /// Invariant: `applied ≤ state.head`; answers that depend on more wait.
    applied: u64,
    /// (seq that must be applied first, token, outcome), rising in seq.
    waiting: VecDeque<(u64, u64, Outcome)>,
    parked: HashMap<UserId, VecDeque<Parked>>,
    parked_by_token: HashMap<u64, UserId>,
}

impl Core {
    /// A room as it woke: `state` is durable up to its head.
    pub fn new(room: RoomId, state: State) -> Self {
        Self { room, applied: state.head, state, waiting: VecDeque::new(), parked: HashMap::new(), parked_by_token: HashMap::new() }
    }
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.parked.is_empty() && self.applied == self.state.head
    }
    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn handle(&mut self, input: Input, now_ms: u64, effects: &mut Vec<Effect>) {
        match input {
            Input::Ask(ask) => {
                if let Some(queue) = self.parked.get_mut(&ask.user) {
                    queue.push_back(Parked { ask, facts: Facts::new() });
                } else {
                    self.try_admit(Parked { ask, facts: Facts::new() }, now_ms, effects);
                }
            }
            Input::Learned { token, fact } => {
                if let Some(mut parked) = self.unpark(token) {
                    parked.facts.push(fact);
                    let user = parked.ask.user;
                    self.try_admit(parked, now_ms, effects);
                    self.go_on(user, now_ms, effects);
                }
            }
            Input::NotLearned { token, code } => {
                if let Some(parked) = self.unpark(token) {
                    self.answer(token, Outcome::Refused(code.into()), effects);
                    self.go_on(parked.ask.user, now_ms, effects);
                }
            }
            Input::Applied(events) => self.apply(events, effects),
        }
    }

    fn unpark(&mut self, token: u64) -> Option<Parked> {
        let user = self.parked_by_token.remove(&token)?;
        let queue = self.parked.get_mut(&user)?;
        queue.pop_front()
    }

    /// After the first of a person's parked requests was decided: the next ones, until one has to wait.
    fn go_on(&mut self, user: UserId, now_ms: u64, effects: &mut Vec<Effect>) {
        loop {
            let Some(queue) = self.parked.get_mut(&user) else { return };
            match queue.front() {
                None => {
                    self.parked.remove(&user);
                    return;
                }
                Some(parked) if self.parked_by_token.contains_key(&parked.ask.token) => return,
                Some(_) => {
                    let next = queue.pop_front().expect("looked at");
                    self.try_admit(next, now_ms, effects);
                }
            }
        }
    }

    fn try_admit(&mut self, parked: Parked, now_ms: u64, effects: &mut Vec<Effect>) {
        let Parked { ask, facts } = &parked;
        match self.decide(ask, facts) {
            Decision::Done(outcome) => self.answer(ask.token, outcome, effects),
            Decision::DoneAt(seq, outcome) => self.answer_at(seq, ask.token, outcome, effects),
            Decision::Need(need) => {
                effects.push(Effect::Learn { token: ask.token, need });
                self.parked_by_token.insert(ask.token, ask.user);
                self.parked.entry(ask.user).or_default().push_front(parked);
            }
            Decision::Admit(body) => {
                let event = self.event(ask, body, now_ms);
                let outcome = landed(&event);
                let (seq, token) = (event.seq, ask.token);
                self.state.take(event.clone(), self.applied);
                effects.push(Effect::Submit(event));
                self.answer_at(seq, token, outcome, effects);
            }
        }
    }

    fn event(&self, ask: &Ask, body: EventBody, now_ms: u64) -> Arc<Event> {
        Arc::new(Event {
            room: self.room,
            seq: self.state.head + 1,
            ordinal: self.state.ordinal + u64::from(body.is_message()),
            at: now_ms.max(self.state.at + 1),
            user: ask.user,
            cmid: ask.order.cmid,
            body,
        })
    }

    fn decide(&self, ask: &Ask, facts: &Facts) -> Decision {
        // More than one when the room forgot more while history was searched; each went on where the one before ended.
        let searches = || {
            facts.iter().filter_map(|fact| match fact {
                Fact::Searched { upto, found, prev_found } => Some((*upto, found, *prev_found)),
                _ => None,
            })
        };
        let found = self.state.recent.find(ask.order.cmid).or_else(|| searches().find_map(|(_, found, _)| found.as_ref()));
        if let Some(event) = found {
            let outcome = if exactly_once::is_same(event, ask) { landed(event) } else { Outcome::Refused(ErrorCode::IdConflict.into()) };
            return Decision::DoneAt(event.seq, outcome);
        }
        match exactly_once::look_up(&self.state, ask, searches().map(|(upto, ..)| upto).max()) {
            LookUp::Enough => {}
            LookUp::Need(need) => return Decision::Need(need),
            LookUp::Refuse(code) => return Decision::Done(Outcome::Refused(code.into())),
        }
        if let Some(prev) = ask.order.prev
            && self.state.recent.find(prev).is_none()
            && !searches().any(|(_, _, prev_found)| prev_found)
        {
            return Decision::Done(Outcome::Refused(ErrorCode::OutOfOrder.into()));
        }
        match rules::judge(&self.state, ask, facts) {
            Verdict::Refuse(Refused { code: ErrorCode::IdConflict, .. }) if self.opens_the_same(ask) => self.opened(),
            Verdict::Refuse(refused) => Decision::Done(Outcome::Refused(refused)),
            // The client knows of more than we hold: another room's head, or a lie. Judged first: a stranger who guesses
            // heads must not learn from it that there is such a room.
            _ if ask.order.after > self.state.head => Decision::Done(Outcome::Refused(Refused::bad(rules::AFTER_ABOVE))),
            Verdict::Admit(body) => Decision::Admit(body),
            Verdict::Need(need) => Decision::Need(need),
        }
    }

    /// Both sides may open their direct room: the second finds it open.
    fn opens_the_same(&self, ask: &Ask) -> bool {
        matches!(ask.act, Act::Create { kind: RoomKind::Direct, .. })
            && self.state.kind == Some(RoomKind::Direct)
            && self.state.members.role(ask.user).is_some()
    }

    fn opened(&self) -> Decision {
        Decision::DoneAt(1, Outcome::Landed { seq: 1, ordinal: 0, at: self.state.recent(1).map_or(self.state.at, |e| e.at) })
    }

    fn answer(&mut self, token: u64, outcome: Outcome, effects: &mut Vec<Effect>) {
        self.answer_at(self.state.head, token, outcome, effects);
    }

    fn answer_at(&mut self, seq: u64, token: u64, outcome: Outcome, effects: &mut Vec<Effect>) {
        if seq <= self.applied {
            return effects.push(Effect::Answer { token, outcome });
        }
        let place = self.waiting.partition_point(|(at, ..)| *at <= seq);
        self.waiting.insert(place, (seq, token, outcome));
    }

    fn apply(&mut self, events: Vec<Arc<Event>>, effects: &mut Vec<Effect>) {
        for event in &events {
            assert_eq!(event.seq, self.applied + 1, "events are applied in the order in which they were admitted");
            self.applied = event.seq;
        }
        // Acks first: nobody should see their own message as somebody's before they know it landed.
        while self.waiting.front().is_some_and(|(seq, ..)| *seq <= self.applied) {
            let (_, token, outcome) = self.waiting.pop_front().expect("looked at");
            effects.push(Effect::Answer { token, outcome });
        }
        effects.push(Effect::Show(events));
    }

    /// Tokens of everything that will not be answered by this core any more.
    pub fn unanswered(&self) -> HashSet<u64> {
        let parked = self.parked.values().flatten().map(|p| p.ask.token);
        self.waiting.iter().map(|(_, token, _)| *token).chain(parked).collect()
    }
}

enum Decision {
    Admit(EventBody),
    /// Known as things are admitted now.
    Done(Outcome),
    /// Known once the event at this seq is applied.
    DoneAt(u64, Outcome),
    Need(Need),
}

fn landed(event: &Event) -> Outcome {
    Outcome::Landed { seq: event.seq, ordinal: event.ordinal, at: event.at }
}
