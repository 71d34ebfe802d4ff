//! Two requests at once (attack 15): exactly one outcome, and the room stays sound.

use futures_util::future::{join, join_all};
use serde_json::json;

use super::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_opening_one_direct_room_open_the_same() {
    let house = House::new().await;
    let (ada, bob) = (house.sign_up("ada").await, house.sign_up("bob").await);
    let (from_ada, from_bob) = (json!({ "kind": "direct", "members": [bob.id] }), json!({ "kind": "direct", "members": [ada.id] }));
    let (one, two) = join(house.by(&ada, "POST", "/v1/rooms", Some(&from_ada)), house.by(&bob, "POST", "/v1/rooms", Some(&from_bob))).await;
    assert_eq!(one.landed().room, two.landed().room);
    assert_eq!(one.landed().seq, 1);
    house.say(&ada, one.landed().room, "hello").await.landed();
    assert_eq!(house.page(&bob, two.landed().room).await.ordinal, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_demoting_each_other_leave_one_owner() {
    let house = House::new().await;
    let (ada, bob) = (house.sign_up("ada").await, house.sign_up("bob").await);
    let room = house.make_room(&ada, "group", json!({}), &[&bob]).await;
    let (promote, demote) = (json!({ "role": "owner" }), json!({ "role": "member" }));
    house.by(&ada, "PUT", &format!("/v1/rooms/{room}/members/{}", bob.id), Some(&promote)).await.landed();
    let (bobs, adas) = (format!("/v1/rooms/{room}/members/{}", bob.id), format!("/v1/rooms/{room}/members/{}", ada.id));
    let (one, two) = join(house.by(&ada, "PUT", &bobs, Some(&demote)), house.by(&bob, "PUT", &adas, Some(&demote))).await;
    assert_eq!([one.status, two.status].iter().filter(|status| **status == 200).count(), 1, "{one:?} {two:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_while_a_room_is_archived_is_either_before_or_refused() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let room = house.make_room(&ada, "group", json!({ "name": "x" }), &[]).await;
    let archive = json!({ "name": "x", "archived": true });
    let path = format!("/v1/rooms/{room}");
    let says = join_all((0..8).map(|n| {
        let (house, ada) = (&house, &ada);
        async move { house.say(ada, room, &n.to_string()).await }
    }));
    let (archived, said) = join(house.by(&ada, "PATCH", &path, Some(&archive)), says).await;
    let at = archived.landed().seq;
    for answer in said {
        match answer.status {
            200 => assert!(answer.landed().seq < at),
            _ => assert_eq!(answer.code(), "archived"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_sent_many_times_at_once_is_done_once() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let room = house.make_room(&ada, "group", json!({}), &[]).await;
    let (token, path, body) = (format!("Bearer {}", ada.access), format!("/v1/rooms/{room}/messages"), json!({ "text": "once" }));
    let headers = [("authorization", token.as_str()), ("idempotency-key", "the same")];
    let tries = join_all((0..8).map(|_| house.ask("POST", &path, &headers, Some(&body)))).await;
    assert!(tries.iter().all(|answer| answer.landed() == tries[0].landed()));
    assert_eq!(house.page(&ada, room).await.ordinal, 1);
}
