//! Scripts of a slot's core. A line is an input; the indented lines after it are its effects.

use std::sync::Arc;

use actors::slot::core::{Bounds, Core, Effect, Input};
use schema::block::Block;
use schema::event::Message;
use schema::{Cmid, Event, EventBody, RoomId, SlotId, UserId};
use store::{Appended, Error, Fenced};
use uuid::Uuid;

const EPOCH: u64 = 7;

fn event(room: u8, seq: u64, bytes: usize) -> Event {
    let body = EventBody::Message(Message { text: "x".repeat(bytes), reply: None, origin: None });
    Event { room: RoomId::from_bytes([room; 16]), seq, ordinal: seq, at: seq, user: UserId::default(), cmid: Cmid::default(), body }
}

fn unknown() -> Error {
    Error::Unknown("no answer".into())
}

/// The batch of this epoch that follows `head`, as a store would name it.
fn batch(head: u64) -> Uuid {
    Uuid::new_v8((u128::from(EPOCH) << 64 | u128::from(head)).to_be_bytes())
}

/// `start`, `watermark n`, `fenced n`, `stale n`, `tail a..=b` (one event a block), `submit room seq count bytes`, `applied`,
/// `unknown`, `moved epoch mine-of-head|other`, `read-only`, `projected n`, `lost room`.
fn input(line: &str) -> Input {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |place: usize| words[place].parse::<u64>().unwrap();
    match words[0] {
        "start" => Input::Start { epoch: EPOCH },
        "watermark" => Input::WatermarkRead(Ok(number(1))),
        "no-watermark" => Input::WatermarkRead(Err(unknown())),
        "fenced" => Input::Fenced(Ok(Fenced::Ok { head: number(1) })),
        "stale" => Input::Fenced(Ok(Fenced::Stale { epoch: number(1) })),
        "tail" => Input::TailRead(Ok((number(1)..=number(2)).map(|n| (n, Block { events: vec![event(1, n, 1)] })).collect())),
        "submit" => {
            let count = number(3);
            Input::Submit((0..count).map(|n| Arc::new(event(number(1) as u8, number(2) + n, number(4) as usize))).collect())
        }
        "applied" => Input::Appended(Ok(Appended::Applied)),
        "unknown" => Input::Appended(Err(unknown())),
        "read-only" => Input::Appended(Err(Error::ReadOnly("full".into()))),
        "moved" => {
            let last_batch = Some(if words[2] == "other" { Uuid::from_u128(1) } else { batch(number(2)) });
            Input::Appended(Ok(Appended::Moved { epoch: number(1), head: 9, last_batch }))
        }
        "projected" => Input::Projected { block: number(1) },
        "lost" => Input::RoomLost(RoomId::from_bytes([number(1) as u8; 16])),
        other => panic!("no such input: {other}"),
    }
}

fn events<'a>(events: impl IntoIterator<Item = &'a Event>) -> String {
    let names: Vec<String> = events.into_iter().map(|e| format!("{}.{}", e.room.as_bytes()[0], e.seq)).collect();
    if names.len() > 8 { format!("{} to {}: {} events", names[0], names[names.len() - 1], names.len()) } else { names.join(" ") }
}

fn print(effect: &Effect) -> String {
    match effect {
        Effect::ReadWatermark => "read the watermark".into(),
        Effect::Fence { epoch } => format!("fence {epoch}"),
        Effect::ReadTail { from } => format!("read from {from}"),
        Effect::Again(step) => format!("again: {}", print(step)),
        Effect::Append { append, again } => {
            assert_eq!(append.batch, batch(append.head), "a batch is named by its epoch and head");
            let block = Block::decode(&append.block).unwrap();
            format!("append{} after {}: {}", if *again { " again" } else { "" }, append.head, events(&block.events))
        }
        Effect::Serving { watermark, tail } => {
            let tail: Vec<String> = tail.iter().map(|(block, of)| format!("{block}[{}]", events(of.iter().map(|e| &**e)))).collect();
            format!("serving above {watermark}: {}", tail.join(" ")).trim_end().into()
        }
        Effect::Applied { block, events: of } => format!("applied {block}: {}", events(of.iter().map(|e| &**e))),
        Effect::Stopped(stop) => format!("stopped: {stop:?}"),
    }
}

fn check(script: &str) {
    let mut core = Core::new(SlotId(3), Bounds { tail_events_max: 200, tail_bytes_max: 1 << 20 });
    let mut printed = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("->")) {
        printed.push(line.to_owned());
        let mut effects = Vec::new();
        core.handle(input(line), &mut effects);
        printed.extend(effects.iter().map(|effect| format!("-> {}", print(effect))));
    }
    crate::same(&printed, script);
}

/// A slot that serves with an empty journal, before what the test is about.
fn serving(script: &str) {
    check(&format!("start\n-> read the watermark\nwatermark 0\n-> fence 7\nfenced 0\n-> serving above 0:\n{script}"));
}

#[test]
fn a_slot_serves_only_after_it_has_read_its_tail() {
    check(
        "start
         -> read the watermark
         submit 1 4 1 1
         watermark 1
         -> fence 7
         fenced 3
         -> read from 2
         tail 2 2
         -> read from 3
         tail 3 3
         -> serving above 1: 2[1.2] 3[1.3]
         -> append after 3: 1.4",
    );
}

#[test]
fn a_step_of_the_take_over_is_repeated_until_it_is_answered() {
    check(
        "start
         -> read the watermark
         no-watermark
         -> again: read the watermark
         watermark 0
         -> fence 7
         fenced 0
         -> serving above 0:",
    );
}

#[test]
fn a_higher_epoch_ends_a_take_over() {
    check(
        "start
         -> read the watermark
         watermark 0
         -> fence 7
         stale 9
         -> stopped: Superseded { epoch: 9 }",
    );
}

#[test]
fn a_tail_that_was_trimmed_meanwhile_is_looked_for_above_the_new_watermark() {
    check(
        "start
         -> read the watermark
         watermark 1
         -> fence 7
         fenced 3
         -> read from 2
         tail 3 3
         -> read the watermark
         watermark 2
         -> fence 7
         fenced 3
         -> read from 3
         tail 3 3
         -> serving above 2: 3[1.3]",
    );
}

#[test]
fn a_block_that_is_missing_for_good_breaks_the_slot() {
    check(
        "start
         -> read the watermark
         watermark 0
         -> fence 7
         fenced 2
         -> read from 1
         tail 3 2
         -> read the watermark
         watermark 0
         -> fence 7
         fenced 2
         -> read from 1
         tail 2 2
         -> stopped: Broken(MissingBlock { slot: 3, block: 1 })",
    );
}

#[test]
fn what_comes_while_an_append_is_in_flight_is_the_next_block() {
    serving(
        "submit 1 1 1 1
         -> append after 0: 1.1
         submit 1 2 1 1
         submit 2 1 1 1
         applied
         -> applied 1: 1.1
         -> append after 1: 1.2 2.1
         applied
         -> applied 2: 1.2 2.1",
    );
}

#[test]
fn an_unknown_outcome_is_repeated_identically_whatever_came_meanwhile() {
    serving(
        "submit 1 1 1 1
         -> append after 0: 1.1
         submit 1 2 1 1
         unknown
         -> append again after 0: 1.1
         unknown
         -> append again after 0: 1.1
         moved 7 0
         -> applied 1: 1.1
         -> append after 1: 1.2",
    );
}

#[test]
fn an_own_batch_that_landed_counts_even_below_a_higher_epoch() {
    serving(
        "submit 1 1 1 1
         -> append after 0: 1.1
         submit 1 2 1 1
         unknown
         -> append again after 0: 1.1
         moved 9 0
         -> applied 1: 1.1
         -> stopped: Superseded { epoch: 9 }",
    );
}

#[test]
fn anothers_batch_ends_the_activation_and_nothing_of_it_is_applied() {
    serving("submit 1 1 1 1\n-> append after 0: 1.1\nmoved 7 other\n-> stopped: Moved\nsubmit 1 2 1 1");
    serving("submit 1 1 1 1\n-> append after 0: 1.1\nmoved 9 other\n-> stopped: Superseded { epoch: 9 }\nprojected 1");
}

#[test]
fn a_full_disk_ends_the_activation() {
    serving("submit 1 1 1 1\n-> append after 0: 1.1\nread-only\n-> stopped: ReadOnly");
}

#[test]
fn a_block_holds_128_events() {
    serving(
        "submit 1 1 130 1
         -> append after 0: 1.1 to 1.128: 128 events
         applied
         -> applied 1: 1.1 to 1.128: 128 events
         -> append after 1: 1.129 1.130",
    );
}

#[test]
fn a_block_holds_64_kib() {
    serving(
        "submit 1 1 5 16000
         -> append after 0: 1.1 1.2 1.3 1.4
         applied
         -> applied 1: 1.1 1.2 1.3 1.4
         -> append after 1: 1.5",
    );
}

#[test]
fn above_the_tails_bound_appends_wait_for_the_projections() {
    serving(
        "submit 1 1 128 1
         -> append after 0: 1.1 to 1.128: 128 events
         submit 1 129 128 1
         applied
         -> applied 1: 1.1 to 1.128: 128 events
         -> append after 1: 1.129 to 1.256: 128 events
         submit 1 257 1 1
         applied
         -> applied 2: 1.129 to 1.256: 128 events
         projected 1
         -> append after 2: 1.257",
    );
}

#[test]
fn a_lost_room_loses_what_was_not_sent_and_nothing_else() {
    serving(
        "submit 1 1 1 1
         -> append after 0: 1.1
         submit 1 2 1 1
         submit 2 1 1 1
         lost 1
         applied
         -> applied 1: 1.1
         -> append after 1: 2.1",
    );
}
