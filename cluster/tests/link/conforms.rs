//! The promises that hold over every transport.

use std::time::Duration;

use bytes::Bytes;
use cluster::link::{AskError, Lane, Limits, Listener, Peer, Refusal, SayError, Status, Whence};

use crate::nets::{A, B, Came, Heard, Net};

const LONG: Duration = Duration::from_secs(600);

/// Limits under which no pause of the machine counts as silence.
pub fn patient() -> Limits {
    Limits { silence_ms: 600_000, ..Limits::default() }
}

pub async fn up(peer: &Peer) -> u64 {
    let mut status = peer.status();
    let status = status.wait_for(|status| matches!(status, Status::Up { .. })).await.unwrap();
    let Status::Up { session } = *status else { unreachable!("it was waited for") };
    session
}

async fn away(peer: &Peer, session: u64) {
    peer.status().wait_for(|status| *status != Status::Up { session }).await.unwrap();
}

/// A has dialled B, and B has heard of it.
async fn connected<N: Net>(limits: Limits) -> (N, Listener, Heard, Peer, Whence) {
    let net = N::new().await;
    let (listener, mut heard) = net.listen(limits);
    let peer = net.dial(Lane::Chat, limits);
    up(&peer).await;
    let from = heard.arrived().await;
    (net, listener, heard, peer, from)
}

fn number(n: u64) -> Bytes {
    Bytes::copy_from_slice(&n.to_be_bytes())
}

pub async fn what_is_said_is_heard_once_and_in_order<N: Net>() {
    let net = N::new().await;
    let (_listener, mut heard) = net.listen(patient());
    let peer = net.dial(Lane::Chat, patient());
    peer.knows_table(7);
    let session = up(&peer).await;
    let from = heard.arrived().await;
    assert_eq!((from.node, from.lane, from.session), (A, Lane::Chat, session));
    (0..10_000).for_each(|n| peer.say(number(n)).unwrap());
    for n in 0..10_000 {
        let said = heard.said().await;
        assert_eq!((said.from, said.table, &said.body), (from, 7, &number(n)));
    }
}

pub async fn every_request_gets_its_own_answer<N: Net>() {
    let (_net, _listener, mut heard, peer, _) = connected::<N>(patient()).await;
    let asked: Vec<_> = (0..100).map(|n| peer.ask(number(n), LONG)).collect();
    let mut waiting = Vec::new();
    for _ in 0..100 {
        waiting.push(heard.asked().await);
    }
    // The last one first: an answer finds who waits for it, not who is next.
    for question in waiting.into_iter().rev() {
        let body = [b"re: ", &question.body[..]].concat();
        question.answer(Ok(body.into()), 1);
    }
    for (n, answer) in (0..).zip(asked) {
        assert_eq!(answer.await.unwrap(), [b"re: ", &number(n)[..]].concat());
    }
}

pub async fn a_request_that_nobody_answers_is_told_so<N: Net>() {
    let (_net, _listener, mut heard, peer, _) = connected::<N>(patient()).await;
    let (dropped, late) = (peer.ask(number(1), LONG), peer.ask(number(2), Duration::from_millis(20)));
    drop(heard.asked().await);
    assert_eq!(dropped.await, Err(AskError::Refused(Refusal::Gone)));
    let held = heard.asked().await;
    assert_eq!(late.await, Err(AskError::Late));
    // What comes too late is nobody's, and does no harm.
    held.answer(Ok(number(3)), 1);
    let next = peer.ask(number(4), LONG);
    heard.asked().await.answer(Err(Refusal::Busy), 1);
    assert_eq!(next.await, Err(AskError::Refused(Refusal::Busy)));
}

pub async fn without_a_connection_nothing_is_taken<N: Net>() {
    let net = N::new().await;
    let peer = net.dial(Lane::Chat, patient());
    assert_eq!(peer.say(number(1)), Err(SayError::Away));
    assert_eq!(peer.ask(number(1), LONG).await, Err(AskError::Away));
    let (_listener, mut heard) = net.listen(patient());
    up(&peer).await;
    heard.arrived().await;
    peer.say(number(2)).unwrap();
    assert_eq!(heard.said().await.body, number(2));
}

pub async fn what_is_longer_than_a_frame_is_refused_and_the_rest_goes_on<N: Net>() {
    let (_net, _listener, mut heard, peer, _) = connected::<N>(patient()).await;
    let long = Bytes::from(vec![0; 1 << 20]);
    assert_eq!(peer.say(long.clone()), Err(SayError::TooLong));
    assert_eq!(peer.ask(long.clone(), LONG).await, Err(AskError::TooLong));
    let answered = peer.ask(number(1), LONG);
    heard.asked().await.answer(Ok(long), 1);
    assert_eq!(answered.await, Err(AskError::Refused(Refusal::Busy)));
}

const WINDOW: u32 = 64 << 10;

/// Little may be under way at a time.
fn narrow() -> Limits {
    Limits { window_bytes: WINDOW, ..patient() }
}

pub async fn who_does_not_take_in_what_is_said_is_not_sent_more<N: Net>() {
    let (_net, _listener, mut heard, peer, _) = connected::<N>(narrow()).await;
    let body = Bytes::from(vec![1; WINDOW as usize / 4]);
    (0..12).for_each(|_| peer.say(body.clone()).unwrap());
    let mut kept = Vec::new();
    for _ in 0..4 {
        kept.push(heard.said().await);
    }
    // Only the one side is held up: the other still hears of an answer on the other lane, and of nothing more on this.
    assert!(heard.ready().is_empty());
    for _ in 4..12 {
        kept.remove(0);
        kept.push(heard.said().await);
    }
}

pub async fn what_is_too_much_resets_the_connection_and_both_sides_are_told<N: Net>() {
    let limits = Limits { queue_bytes_max: 256 << 10, ..narrow() };
    let (_net, _listener, mut heard, peer, Whence { session, .. }) = connected::<N>(limits).await;
    let body = Bytes::from(vec![1; 16 << 10]);
    let mut kept = vec![];
    let refused = loop {
        if let Err(refused) = peer.say(body.clone()) {
            break refused;
        }
    };
    assert_eq!(refused, SayError::Full);
    assert_eq!(peer.say(number(1)), Err(SayError::Away), "nothing is heard behind what was not taken");
    loop {
        match heard.next().await {
            Came::Said(said) => kept.push(said),
            Came::Gone(from) => {
                assert_eq!(from.session, session);
                break;
            }
            Came::Arrived(_) | Came::Asked(_) => panic!("one connection after the other"),
        }
    }
    drop(kept);
    let next = heard.arrived().await.session;
    assert_ne!(next, session);
    assert_eq!(up(&peer).await, next);
    peer.say(number(2)).unwrap();
    assert_eq!(heard.said().await.body, number(2));
}

pub async fn who_waits_when_the_connection_breaks_is_told_and_the_next_one_begins_anew<N: Net>() {
    let (net, _listener, mut heard, peer, Whence { session, .. }) = connected::<N>(patient()).await;
    let asked = peer.ask(number(1), LONG);
    let question = heard.asked().await;
    net.cut_off();
    assert_eq!(asked.await, Err(AskError::Lost));
    away(&peer, session).await;
    assert_eq!(heard.gone().await.session, session);
    // To a connection that is over.
    question.answer(Ok(number(1)), 1);
    let next = heard.arrived().await.session;
    assert_ne!(next, session);
    up(&peer).await;
    let asked = peer.ask(number(2), LONG);
    heard.asked().await.answer(Ok(number(3)), 1);
    assert_eq!(asked.await, Ok(number(3)));
}

pub async fn a_lane_that_is_held_up_does_not_hold_up_the_other<N: Net>() {
    let (net, _listener, mut heard, chat, _) = connected::<N>(narrow()).await;
    let body = Bytes::from(vec![1; WINDOW as usize]);
    (0..3).for_each(|_| chat.say(body.clone()).unwrap());
    let _kept = heard.said().await;
    let group = net.dial(Lane::Group, patient());
    up(&group).await;
    assert_eq!(heard.arrived().await.lane, Lane::Group);
    let asked = group.ask(number(1), LONG);
    heard.asked().await.answer(Ok(number(2)), 1);
    assert_eq!(asked.await, Ok(number(2)));
}

pub async fn a_node_has_one_connection_a_lane_and_the_newest_is_it<N: Net>() {
    let net = N::new().await;
    let (_listener, mut heard) = net.listen(patient());
    let before = net.dial(Lane::Chat, patient());
    let first = heard.arrived().await;
    let session = up(&before).await;
    let after = net.dial(Lane::Chat, patient());
    assert_eq!(heard.gone().await, first, "the earlier one is gone before the later one is here");
    let second = heard.arrived().await;
    // It would dial again, and the two would take turns.
    drop(before);
    assert_ne!(second.session, session);
    drop(after);
}

pub async fn who_hangs_up_is_gone<N: Net>() {
    let (_net, _listener, mut heard, peer, Whence { session, .. }) = connected::<N>(patient()).await;
    let asked = peer.ask(number(1), LONG);
    heard.asked().await.answer(Ok(number(2)), 1);
    assert_eq!(asked.await, Ok(number(2)));
    drop(peer);
    let gone = heard.gone().await;
    assert_eq!((gone.node, gone.session), (A, session));
    assert_ne!(gone.node, B);
}

macro_rules! suite {
    ($net:ident) => {
        crate::conforms::suite!($net:
            what_is_said_is_heard_once_and_in_order,
            every_request_gets_its_own_answer,
            a_request_that_nobody_answers_is_told_so,
            without_a_connection_nothing_is_taken,
            what_is_longer_than_a_frame_is_refused_and_the_rest_goes_on,
            who_does_not_take_in_what_is_said_is_not_sent_more,
            what_is_too_much_resets_the_connection_and_both_sides_are_told,
            who_waits_when_the_connection_breaks_is_told_and_the_next_one_begins_anew,
            a_lane_that_is_held_up_does_not_hold_up_the_other,
            a_node_has_one_connection_a_lane_and_the_newest_is_it,
            who_hangs_up_is_gone,
        );
    };
    ($net:ident: $($promise:ident),* $(,)?) => {
        $(#[tokio::test]
        async fn $promise() {
            crate::conforms::$promise::<$net>().await;
        })*
    };
}
pub(crate) use suite;
