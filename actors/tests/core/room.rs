//! Scripts of a room's core: exactly once, in order, answered when applied. A line is an input, `->` an effect.

use std::sync::Arc;

use actors::room::core::Input;
use actors::room::{Ask, Core, Effect, Fact, Need, Outcome, State};
use schema::client::{Act, Order};
use schema::event::Message;
use schema::{Cmid, Event, EventBody, Role, RoomId, RoomKind, UserId};
use uuid::Uuid;

const ROOM: RoomId = RoomId::from_bytes([9; 16]);

pub fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}
/// Version 7, as a client makes them.
fn cmid(name: &str) -> Cmid {
    let mut bytes = [0; 16];
    bytes[0] = name.as_bytes()[0];
    (bytes[6], bytes[8]) = (0x70, 0x80);
    Cmid(Uuid::from_bytes(bytes))
}
fn name(cmid: Cmid) -> char {
    char::from(cmid.as_bytes()[0])
}
fn message(seq: u64, cmid: Cmid, text: &str) -> Arc<Event> {
    let body = EventBody::Message(Message { text: text.into(), reply: None, origin: None });
    Arc::new(Event { room: ROOM, seq, ordinal: seq - 1, at: seq, user: user(1), cmid, body })
}

/// A group of the users 1 (owner) to 3 that woke with its last events `from..=head`.
fn woken(from: u64, head: u64) -> State {
    let mut state = State::default();
    state.kind = Some(RoomKind::Group);
    [Role::Owner, Role::Member, Role::Member].into_iter().zip(1..).for_each(|(role, n)| state.members.set(user(n), Some(role), 1));
    (from..=head).for_each(|seq| state.take(message(seq, Cmid::default(), "old"), head));
    state
}

struct Script {
    core: Core,
    submitted: Vec<Arc<Event>>,
    printed: Vec<String>,
}

impl Script {
    /// `ask token user cmid after [prev] text`, `applied n` (of the submitted), `searched token upto nothing|found seq|prev`, `failed token`.
    fn input(&mut self, line: &str) -> Input {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |place: usize| words[place].parse::<u64>().unwrap();
        match words[0] {
            "ask" => {
                let prev = words[5].strip_prefix("prev=").map(cmid);
                let order = Order { id: 0, room: ROOM, cmid: cmid(words[3]), after: number(4), prev };
                let text = words[words.len() - 1];
                let act = if text == "join!" { Act::Join } else { Act::Post { text: text.into(), reply: None, origin: None } };
                Input::Ask(Ask { token: number(1), user: user(number(2) as u8), order, act })
            }
            "applied" => Input::Applied(self.submitted.drain(..number(1) as usize).collect()),
            "searched" => {
                let found = (words[3] == "found").then(|| message(number(4), cmid(words[5]), words[6]));
                Input::Learned { token: number(1), fact: Fact::Searched { upto: number(2), found, prev_found: words[3] == "prev" } }
            }
            "failed" => Input::NotLearned { token: number(1), code: schema::ErrorCode::Unavailable },
            other => panic!("no such input: {other}"),
        }
    }

    fn print(&mut self, effect: Effect) -> String {
        match effect {
            Effect::Learn { token, need: Need::Search { from, upto, cmid, .. } } => {
                format!("-> {token} searches {from}..={upto} for {}", name(cmid))
            }
            Effect::Learn { token, need } => format!("-> {token} needs {need:?}"),
            Effect::Submit(event) => {
                self.submitted.push(event.clone());
                format!("-> submit {} as {}", name(event.cmid), event.seq)
            }
            Effect::Answer { token, outcome: Outcome::Landed { seq, .. } } => format!("-> answer {token}: landed at {seq}"),
            Effect::Answer { token, outcome: Outcome::Refused(refused) } => format!("-> answer {token}: {}", refused.code.text()),
            Effect::Show(events) => format!("-> show {:?}", events.iter().map(|e| e.seq).collect::<Vec<_>>()),
        }
    }
}

fn check(state: State, text: &str) {
    let mut script = Script { core: Core::new(ROOM, state), submitted: Vec::new(), printed: Vec::new() };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("->")) {
        script.printed.push(line.to_owned());
        let mut effects = Vec::new();
        let input = script.input(line);
        script.core.handle(input, 1_000, &mut effects);
        for effect in effects {
            let line = script.print(effect);
            script.printed.push(line);
        }
    }
    crate::same(&script.printed, text);
}

#[test]
fn a_request_is_answered_and_shown_when_it_is_applied_and_not_before() {
    check(
        woken(1, 5),
        "ask 1 1 a 5 hello
         -> submit a as 6
         ask 2 2 b 5 hi
         -> submit b as 7
         applied 2
         -> answer 1: landed at 6
         -> answer 2: landed at 7
         -> show [6, 7]",
    );
}

#[test]
fn a_repeat_waits_for_what_it_repeats_and_is_answered_alike() {
    check(
        woken(1, 5),
        "ask 1 1 a 5 hello
         -> submit a as 6
         ask 2 1 a 5 hello
         applied 1
         -> answer 1: landed at 6
         -> answer 2: landed at 6
         -> show [6]
         ask 3 1 a 5 hello
         -> answer 3: landed at 6",
    );
}

#[test]
fn one_cmid_with_two_bodies_is_a_conflict_that_waits_for_the_journal_too() {
    check(
        woken(1, 5),
        "ask 1 1 a 5 hello
         -> submit a as 6
         ask 2 1 a 5 other
         applied 1
         -> answer 1: landed at 6
         -> answer 2: id_conflict
         -> show [6]
         ask 3 2 a 5 hello
         -> answer 3: id_conflict",
    );
}

#[test]
fn what_lies_behind_the_recent_events_is_searched_before_anything_is_admitted() {
    check(
        woken(200, 205),
        "ask 1 1 a 150 hello
         -> 1 searches 151..=199 for a
         searched 1 199 nothing
         -> submit a as 206
         ask 2 1 b 100 hello
         -> 2 searches 101..=199 for b
         searched 2 199 found 120 b hello
         -> answer 2: landed at 120",
    );
}

#[test]
fn nobody_overtakes_their_own_request_that_is_being_searched_for() {
    check(
        woken(200, 205),
        "ask 1 1 a 150 hello
         -> 1 searches 151..=199 for a
         ask 2 1 b 205 prev=a hi
         ask 3 2 c 205 hey
         -> submit c as 206
         searched 1 199 nothing
         -> submit a as 207
         -> submit b as 208",
    );
}

#[test]
fn a_search_that_fails_refuses_its_own_request_and_lets_the_next_one_go_on() {
    check(
        woken(200, 205),
        "ask 1 1 a 150 hello
         -> 1 searches 151..=199 for a
         ask 2 1 b 205 hi
         failed 1
         -> answer 1: unavailable
         -> submit b as 206",
    );
}

#[test]
fn a_request_whose_predecessor_is_missing_is_out_of_order_for_now() {
    check(
        woken(1, 5),
        "ask 1 1 b 5 prev=a hi
         -> answer 1: out_of_order
         ask 2 1 a 5 hello
         -> submit a as 6
         ask 3 1 b 5 prev=a hi
         -> submit b as 7",
    );
}

#[test]
fn a_predecessor_behind_the_recent_events_counts() {
    check(woken(200, 205), "ask 1 1 b 150 prev=a hi\n-> 1 searches 151..=199 for b\nsearched 1 199 prev\n-> submit b as 206");
}

#[test]
fn a_predecessor_counts_that_the_first_of_two_searches_met() {
    let mut core = Core::new(ROOM, woken(200, 205));
    let mut effects = Vec::new();
    let post = |text: &str| Act::Post { text: text.into(), reply: None, origin: None };
    let order = Order { id: 0, room: ROOM, cmid: cmid("b"), after: 150, prev: Some(cmid("a")) };
    core.handle(Input::Ask(Ask { token: 1, user: user(1), order, act: post("hi") }), 1_000, &mut effects);
    // Meanwhile so much is said that the room forgets what it remembered.
    for token in 2..302 {
        let order = Order { id: 0, room: ROOM, cmid: Cmid(Uuid::from_u128(7 << 76 | u128::from(token))), after: 203 + token, prev: None };
        core.handle(Input::Ask(Ask { token, user: user(2), order, act: post("x") }), 100_000 * token, &mut effects);
        let submitted = effects.drain(..).find_map(|e| if let Effect::Submit(event) = e { Some(event) } else { None });
        core.handle(Input::Applied(vec![submitted.expect("it is admitted")]), 100_000 * token, &mut effects);
    }
    effects.clear();
    core.handle(Input::Learned { token: 1, fact: Fact::Searched { upto: 199, found: None, prev_found: true } }, 0, &mut effects);
    let Some(Effect::Learn { need: Need::Search { from: 200, upto, .. }, .. }) = effects.pop() else { panic!("it goes on from there") };
    core.handle(Input::Learned { token: 1, fact: Fact::Searched { upto, found: None, prev_found: false } }, 0, &mut effects);
    assert!(matches!(&effects[..], [Effect::Submit(event)] if event.cmid == cmid("b")), "{effects:?}");
}

#[test]
fn who_joins_after_a_request_behind_the_recent_events_is_let_in() {
    check(woken(200, 205), "ask 1 2 b 150 prev=a join!\n-> 1 searches 151..=199 for b\nsearched 1 199 prev\n-> submit b as 206");
}

#[test]
fn a_search_over_more_than_fifty_thousand_events_is_refused_for_good() {
    check(woken(60_000, 60_005), "ask 1 1 a 100 hello\n-> answer 1: expired_id");
}

#[test]
fn a_head_that_the_room_never_had_is_refused() {
    check(woken(1, 5), "ask 1 1 a 6 hello\n-> answer 1: bad_request");
}

#[test]
fn a_refusal_waits_for_what_it_depends_on() {
    check(
        woken(1, 5),
        "ask 1 1 a 5 hello
         -> submit a as 6
         ask 2 9 b 5 stranger
         applied 1
         -> answer 1: landed at 6
         -> answer 2: not_found
         -> show [6]",
    );
}

#[test]
fn times_rise_even_when_the_clock_does_not() {
    let mut core = Core::new(ROOM, woken(1, 5));
    let mut effects = Vec::new();
    for (token, name) in [(1, "a"), (2, "b")] {
        let order = Order { id: 0, room: ROOM, cmid: cmid(name), after: 5, prev: None };
        let act = Act::Post { text: "x".into(), reply: None, origin: None };
        core.handle(Input::Ask(Ask { token, user: user(1), order, act }), 0, &mut effects);
    }
    let times: Vec<u64> = effects.iter().filter_map(|e| if let Effect::Submit(event) = e { Some(event.at) } else { None }).collect();
    assert_eq!(times, [6, 7]);
}
