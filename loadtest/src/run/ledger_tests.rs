//! Every kind of offence that contents can show, named with its message; and that none is found where there is none.

use schema::UserId;
use schema::event::Message;

use super::*;

fn ledger() -> Ledger {
    Ledger::new(&[(RoomId::from_bytes([7; 16]), 1)], 1_000)
}

fn event(seq: u64, sender: u32, number: u32) -> Event {
    let text = Mark { room: 0, sender, number, intended_us: 5, lag_us: 1 }.text(64);
    let cmid = Cmid::from_bytes([seq as u8; 16]);
    let body = EventBody::Message(Message { text, reply: None, origin: None });
    Event { room: RoomId::from_bytes([7; 16]), seq, ordinal: seq, at: seq, user: UserId::default(), cmid, body }
}

fn learnt(events: &[(u64, u32, u32)]) -> Ledger {
    let mut ledger = ledger();
    for (seq, sender, number) in events {
        ledger.learn(0, &event(*seq, *sender, *number), Some((*seq, Format::Json)));
    }
    ledger
}

/// The one offence that there is.
fn offence(ledger: &Ledger) -> (Offending, &str) {
    let [offence] = ledger.offences.kept.as_slice() else { panic!("{:?}", ledger.offences.kept) };
    (offence.kind, &offence.what)
}

#[test]
fn messages_in_order_offend_nobody_in_whatever_order_they_are_seen() {
    let mut ledger = learnt(&[(2, 4, 1), (4, 4, 3), (3, 4, 2), (5, 9, 1)]);
    ledger.acked(0, 4, 1, Some(2));
    ledger.acked(0, 4, 4, Some(6));
    ledger.audited(0, &event(6, 4, 4));
    ledger.closed(0, 6);
    assert!(ledger.offences.is_empty(), "{:?}", ledger.offences);
}

#[test]
fn a_second_landing_of_a_message_is_doubled() {
    let ledger = learnt(&[(2, 4, 1), (3, 4, 2), (4, 4, 1)]);
    assert_eq!(offence(&ledger), (Offending::Doubled, "message 1 of user 4 is there a second time, at seq 4"));
}

#[test]
fn a_message_after_its_successor_is_reordered() {
    let ledger = learnt(&[(2, 4, 2), (3, 4, 1)]);
    assert_eq!(offence(&ledger), (Offending::Reordered, "message 1 of user 4 stands at seq 3, after that user's message 2"));
}

#[test]
fn an_acknowledged_message_that_is_not_in_the_history_is_lost() {
    let mut ledger = learnt(&[(2, 4, 1)]);
    ledger.acked(0, 4, 2, Some(3));
    ledger.closed(0, 2);
    assert_eq!(offence(&ledger), (Offending::Lost, "message 2 of user 4 was acknowledged at seq 3 and is not in the history"));
}

#[test]
fn a_message_that_was_seen_and_is_gone_is_lost() {
    let mut ledger = learnt(&[(2, 4, 1), (3, 4, 2)]);
    ledger.audited(0, &event(2, 4, 1));
    ledger.closed(0, 2);
    assert_eq!(offence(&ledger), (Offending::Lost, "message 2 of user 4 was seen at seq 3, and the history ends at 2"));
    let mut ledger = learnt(&[(2, 4, 1)]);
    ledger.audited(0, &Event { cmid: Cmid::from_bytes([99; 16]), ..event(2, 4, 1) });
    assert_eq!(offence(&ledger).0, Offending::Lost);
}

#[test]
fn an_ack_that_names_another_seq_is_wrong_before_and_after_the_event() {
    let mut before = ledger();
    before.acked(0, 4, 1, Some(3));
    before.learn(0, &event(2, 4, 1), None);
    assert_eq!(offence(&before), (Offending::Wrong, "message 1 of user 4 was acknowledged at seq 3 and stands at seq 2"));
    let mut after = learnt(&[(2, 4, 1), (3, 5, 1)]);
    after.acked(0, 4, 1, Some(3));
    assert_eq!(offence(&after).0, Offending::Wrong);
}

#[test]
fn a_message_that_was_refused_may_be_missing_and_must_not_be_there() {
    let mut missing = learnt(&[(2, 4, 1)]);
    missing.refused(0, 4, 2);
    missing.learn(0, &event(3, 4, 3), None);
    assert!(missing.offences.is_empty());
    missing.learn(0, &event(4, 4, 2), None);
    assert!(missing.offences.kept.iter().any(|it| it.what == "message 2 of user 4 was refused for good and stands at seq 4"));
}

#[test]
fn two_who_saw_different_things_are_found_by_bytes_and_by_contents() {
    let mut bytes = learnt(&[(2, 4, 1)]);
    assert_eq!(bytes.look(0, 2, 77, Format::Json), Look::New);
    bytes.learn(0, &event(2, 4, 1), Some((77, Format::Json)));
    assert_eq!(offence(&bytes).0, Offending::Wrong);
    let mut contents = learnt(&[(2, 4, 1)]);
    contents.learn(0, &event(2, 5, 1), Some((2, Format::MessagePack)));
    assert_eq!(offence(&contents), (Offending::Wrong, "at seq 2 stands message 1 of user 4 for one and message 1 of user 5 for another"));
    let mut same = learnt(&[(2, 4, 1)]);
    same.learn(0, &event(2, 4, 1), Some((55, Format::MessagePack)));
    assert!(same.offences.is_empty() && matches!(same.look(0, 2, 55, Format::MessagePack), Look::Known(_)));
}

#[test]
fn what_was_forgotten_is_counted_as_uncompared() {
    let mut ledger = Ledger::new(&[(RoomId::default(), 0)], 64);
    for seq in 1..=100 {
        ledger.learn(0, &event(seq, 1, seq as u32), Some((seq, Format::Json)));
    }
    assert_eq!(ledger.look(0, 20, 20, Format::Json), Look::Forgotten);
    assert!(matches!(ledger.look(0, 50, 50, Format::Json), Look::Known(_)));
    ledger.acked(0, 1, 20, Some(20));
    ledger.closed(0, 100);
    assert_eq!((ledger.uncompared, ledger.offences.is_empty()), (1, true));
}

#[test]
fn a_text_that_is_not_the_one_that_was_posted_is_wrong() {
    let mut ledger = ledger();
    let mut event = event(2, 4, 1);
    let EventBody::Message(message) = &mut event.body else { panic!("a message") };
    message.text = message.text.replace("fox", "cat");
    ledger.learn(0, &event, None);
    assert_eq!(offence(&ledger), (Offending::Wrong, "message 1 of user 4 stands at seq 2 with another text than was posted"));
}
