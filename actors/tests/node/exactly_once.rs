//! A request is done once, whatever is repeated, and in the order in which its device sent it.

use schema::ErrorCode;
use store::op::Op;
use store::sim::Fault;

use crate::world::{World, order, post, user};

#[tokio::test]
async fn a_repeated_request_is_answered_like_the_first_and_done_once() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    let order = order(room, 1);
    let first = world.act(user(1), order, post("once")).await.unwrap();
    let second = world.act(user(1), order, post("once")).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(world.events(user(2), room).await.len(), 2);
}

#[tokio::test]
async fn a_repeat_is_known_behind_the_recent_events_too() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    let first = order(room, 1);
    let landed = world.act(user(1), first, post("early")).await.unwrap();
    for n in 0..100 {
        // Long enough that the room cannot remember them all.
        world.post(user(1), room, 2, &format!("{n:0>15000}")).await.unwrap();
    }
    assert_eq!(world.act(user(1), first, post("early")).await.unwrap(), landed);
}

#[tokio::test]
async fn one_cmid_for_two_requests_is_a_conflict() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    let order = order(room, 1);
    world.act(user(1), order, post("one")).await.unwrap();
    assert_eq!(world.act(user(1), order, post("other")).await, Err(ErrorCode::IdConflict));
    assert_eq!(world.act(user(2), order, post("one")).await, Err(ErrorCode::IdConflict));
}

#[tokio::test]
async fn a_request_whose_predecessor_is_missing_waits_outside() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    let first = order(room, 1);
    let mut second = order(room, 1);
    second.prev = Some(first.cmid);
    assert_eq!(world.act(user(1), second, post("2")).await, Err(ErrorCode::OutOfOrder));
    world.act(user(1), first, post("1")).await.unwrap();
    world.act(user(1), second, post("2")).await.unwrap();
}

#[tokio::test]
async fn an_append_of_unknown_outcome_lands_once_and_is_acked_then() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    for fault in [Fault::AnswerLost, Fault::Never] {
        let mut faults = vec![fault];
        world.store.set_faults(move |op| if matches!(op, Op::Append(_)) { faults.pop().unwrap_or(Fault::None) } else { Fault::None });
        world.post(user(1), room, 1, "said once").await.unwrap();
    }
    let texts = world.events(user(1), room).await;
    assert_eq!(texts.len(), 3, "the room's first event and two messages: {texts:?}");
}
