//! Rights over objects (attack 6): every route, asked by somebody who is not in the room, or no longer.

use schema::RoomId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, House, Person};

/// Everything that names a room, as one person would ask it.
async fn ask_everything(house: &House, who: &Person, room: RoomId, other: &Person) -> Vec<(String, Answer)> {
    let user = other.id;
    let asks: Vec<(&str, String, Option<Value>)> = vec![
        ("GET", format!("/v1/rooms/{room}"), None),
        ("PATCH", format!("/v1/rooms/{room}"), Some(json!({ "name": "mine now" }))),
        ("POST", format!("/v1/rooms/{room}/join"), None),
        ("POST", format!("/v1/rooms/{room}/leave"), None),
        ("GET", format!("/v1/rooms/{room}/members"), None),
        ("PUT", format!("/v1/rooms/{room}/members/{}", who.id), Some(json!({}))),
        ("PUT", format!("/v1/rooms/{room}/members/{}", who.id), Some(json!({ "role": "owner" }))),
        ("DELETE", format!("/v1/rooms/{room}/members/{user}"), None),
        ("GET", format!("/v1/rooms/{room}/messages"), None),
        ("GET", format!("/v1/rooms/{room}/messages?around=2"), None),
        ("POST", format!("/v1/rooms/{room}/messages"), Some(json!({ "text": "let me in" }))),
        ("POST", format!("/v1/rooms/{room}/messages"), Some(json!({ "text": "let me in", "reply": 2, "after": 2 }))),
        ("PATCH", format!("/v1/rooms/{room}/messages/2"), Some(json!({ "text": "changed" }))),
        ("DELETE", format!("/v1/rooms/{room}/messages/2"), None),
        ("PUT", format!("/v1/rooms/{room}/messages/2/pin"), None),
        ("DELETE", format!("/v1/rooms/{room}/messages/2/pin"), None),
        ("PUT", format!("/v1/rooms/{room}/messages/2/reactions/x"), None),
        ("DELETE", format!("/v1/rooms/{room}/messages/2/reactions/x"), None),
        ("GET", format!("/v1/rooms/{room}/state_hash?from=1&to=2"), None),
        ("PUT", format!("/v1/rooms/{room}/read"), Some(json!({ "seq": 2, "ordinal": 1 }))),
        ("GET", format!("/v1/rooms/{room}/receipts"), None),
        ("GET", format!("/v1/workspaces/{room}/channels"), None),
    ];
    let mut answers = Vec::new();
    for (method, path, body) in asks {
        answers.push((format!("{method} {path}"), house.by(who, method, &path, body.as_ref()).await));
    }
    answers
}

#[tokio::test]
async fn who_is_not_in_a_room_gets_nothing_of_it_whatever_is_asked() {
    let house = House::new().await;
    let (ada, bob, eve) = (house.sign_up("ada").await, house.sign_up("bob").await, house.sign_up("eve").await);
    let room = house.make_room(&ada, "group", json!({ "name": "Sealed" }), &[&bob]).await;
    house.say(&ada, room, "a secret").await.landed();
    let before = house.page(&ada, room).await;
    for (what, answer) in ask_everything(&house, &eve, room, &bob).await {
        assert!(matches!(answer.status, 403 | 404), "{what}: {answer:?}");
        assert!(!answer.body.contains("secret") && !answer.body.contains("Sealed"), "{what}: {answer:?}");
        answer.code();
    }
    assert_eq!(house.page(&ada, room).await, before, "nothing changed");
    let rooms = house.by(&eve, "GET", "/v1/rooms", None).await;
    assert!(!rooms.body.contains(&room.to_string()));
}

#[tokio::test]
async fn a_room_that_is_not_there_answers_as_one_that_may_not_be_seen() {
    let house = House::new().await;
    let (ada, bob, eve) = (house.sign_up("ada").await, house.sign_up("bob").await, house.sign_up("eve").await);
    let room = house.make_room(&ada, "group", json!({}), &[&bob]).await;
    house.say(&ada, room, "x").await.landed();
    let seen = ask_everything(&house, &eve, room, &bob).await;
    let absent = ask_everything(&house, &eve, RoomId(Uuid::now_v7()), &bob).await;
    for ((what, there), (_, gone)) in seen.iter().zip(&absent).filter(|((what, _), _)| what.starts_with("GET")) {
        assert_eq!((there.status, there.code()), (gone.status, gone.code()), "{what}");
    }
}

#[tokio::test]
async fn who_was_removed_reads_and_writes_no_more() {
    let house = House::new().await;
    let (ada, bob) = (house.sign_up("ada").await, house.sign_up("bob").await);
    let room = house.make_room(&ada, "group", json!({}), &[&bob]).await;
    house.say(&bob, room, "still here").await.landed();
    house.by(&ada, "DELETE", &format!("/v1/rooms/{room}/members/{}", bob.id), None).await.landed();
    house.say(&ada, room, "he is gone").await.landed();
    for (what, answer) in ask_everything(&house, &bob, room, &ada).await {
        assert!(matches!(answer.status, 403 | 404), "{what}: {answer:?}");
        assert!(!answer.body.contains("gone"), "{what}");
    }
}

#[tokio::test]
async fn a_member_changes_only_what_is_theirs() {
    let house = House::new().await;
    let (ada, bob) = (house.sign_up("ada").await, house.sign_up("bob").await);
    let room = house.make_room(&ada, "group", json!({}), &[&bob]).await;
    let message = format!("/v1/rooms/{room}/messages/{}", house.say(&ada, room, "mine").await.landed().seq);
    for (method, path, body) in [
        ("PATCH", message.clone(), Some(json!({ "text": "yours" }))),
        ("DELETE", message, None),
        ("PUT", format!("/v1/rooms/{room}/members/{}", bob.id), Some(json!({ "role": "owner" }))),
        ("DELETE", format!("/v1/rooms/{room}/members/{}", ada.id), None),
    ] {
        let answer = house.by(&bob, method, &path, body.as_ref()).await;
        assert_eq!(answer.code(), "forbidden", "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn ids_that_are_none_name_nothing() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    for room in ["..", "%2e%2e%2f", "1", "'%20OR%201=1", "00000000-0000-0000-0000-000000000000", &"9".repeat(2000)] {
        let answer = house.by(&ada, "GET", &format!("/v1/rooms/{room}/messages"), None).await;
        assert_eq!(answer.code(), "not_found", "{room}");
    }
    for seq in ["0", "-1", "99999999999999999999999", "1e3", "x"] {
        let room = house.make_room(&ada, "group", json!({}), &[]).await;
        let answer = house.by(&ada, "DELETE", &format!("/v1/rooms/{room}/messages/{seq}"), None).await;
        assert!(matches!(answer.status, 400 | 404), "{seq}: {answer:?}");
        answer.code();
    }
}

#[tokio::test]
async fn nobody_signs_another_persons_device_out() {
    let house = House::new().await;
    let (ada, bob) = (house.sign_up("ada").await, house.sign_up("bob").await);
    let devices = house.by(&ada, "GET", "/v1/devices", None).await.json();
    let login = devices["devices"][0]["login"].as_str().unwrap();
    assert_eq!(house.by(&bob, "DELETE", &format!("/v1/devices/{login}"), None).await.code(), "not_found");
    assert_eq!(house.by(&ada, "GET", "/v1/me", None).await.status, 200);
}

#[tokio::test]
async fn nobody_is_put_into_a_room_who_does_not_exist_and_a_broken_rule_names_its_field() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let nobody = Uuid::now_v7();
    for kind in ["group", "workspace", "direct"] {
        let settings = if kind == "workspace" { json!({ "name": "W" }) } else { json!({}) };
        let body = json!({ "room": Uuid::now_v7(), "kind": kind, "settings": settings, "members": [nobody] });
        let answer = house.by(&ada, "POST", "/v1/rooms", Some(&body)).await;
        assert_eq!(answer.code(), "not_found", "{kind}");
        assert!(answer.json()["detail"].as_str().unwrap().starts_with("field `members`: "), "{answer:?}");
    }
    let room = house.make_room(&ada, "group", json!({}), &[]).await;
    let answer = house.by(&ada, "PUT", &format!("/v1/rooms/{room}/members/{nobody}"), Some(&json!({}))).await;
    assert_eq!((answer.code().as_str(), answer.json()["detail"].as_str()), ("not_found", Some("field `user`: there is no such person")));
    for (method, path, body, field) in [
        ("POST", format!("/v1/rooms/{room}/messages"), Some(json!({ "text": " " })), "field `text`: it is empty"),
        ("PATCH", format!("/v1/rooms/{room}"), Some(json!({ "public": true })), "field `settings.public`: "),
        ("GET", format!("/v1/rooms/{room}/messages?limit=0"), None, "field `limit`: "),
        ("GET", format!("/v1/rooms/{room}/messages?before=1&after=1"), None, "fields `before`, "),
        ("GET", format!("/v1/rooms/{room}/state_hash?from=2&to=9"), None, "fields `from`, `to`: "),
        ("PUT", format!("/v1/rooms/{room}/read"), Some(json!({ "seq": 9, "ordinal": 9 })), "fields `seq`, `ordinal`: "),
    ] {
        let answer = house.by(&ada, method, &path, body.as_ref()).await;
        assert_eq!(answer.code(), "bad_request", "{path}: {answer:?}");
        assert!(answer.json()["detail"].as_str().unwrap().starts_with(field), "{path}: {answer:?}");
    }
}
