//! Rooms by REST: making them, talking in them, reading them, exactly once.

use schema::RoomId;
use serde_json::json;
use uuid::Uuid;

use super::House;

#[tokio::test]
async fn nobody_takes_the_id_of_somebody_elses_direct_room_or_of_what_an_import_makes() {
    let house = House::new().await;
    let (ada, bob, eve) = (house.sign_up("ada").await, house.sign_up("bob").await, house.sign_up("eve").await);
    let direct = RoomId::direct(ada.id, bob.id);
    for is_open in [false, true] {
        for room in [direct, RoomId(uuid::Builder::from_random_bytes([7; 16]).into_uuid())] {
            let body = json!({ "room": room, "kind": "group", "members": [ada.id, bob.id] });
            assert_eq!(house.by(&eve, "POST", "/v1/rooms", Some(&body)).await.code(), "bad_request", "open: {is_open}");
        }
        let body = json!({ "kind": "direct", "members": [bob.id] });
        assert_eq!(house.by(&ada, "POST", "/v1/rooms", Some(&body)).await.landed().room, direct);
    }
}

#[tokio::test]
async fn two_people_talk_by_rest_alone() {
    let house = House::new().await;
    let (ada, bob) = (house.sign_up("ada").await, house.sign_up("bob").await);
    let room = house.make_room(&ada, "group", json!({ "name": "Tea" }), &[&bob]).await;
    let said = house.say(&ada, room, "milk?").await.landed();
    let answered = house.say(&bob, room, "please").await.landed();
    assert_eq!((said.seq + 1, said.ordinal + 1), (answered.seq, answered.ordinal));

    let message = format!("/v1/rooms/{room}/messages/{}", said.seq);
    assert_eq!(house.by(&ada, "PATCH", &message, Some(&json!({ "text": "milk or lemon?" }))).await.status, 200);
    assert_eq!(house.by(&bob, "PUT", &format!("{message}/reactions/%F0%9F%8D%8B"), None).await.status, 200);
    assert_eq!(house.by(&ada, "PUT", &format!("{message}/pin"), None).await.status, 200);
    let page = house.page(&bob, room).await;
    let fold = schema::fold::RoomFold::of(room, page.events.iter());
    let hash = house.by(&bob, "GET", &format!("/v1/rooms/{room}/state_hash?from={}&to={}", page.from, page.to), None).await;
    assert_eq!(hash.json()["hash"], fold.hash());

    let read = json!({ "seq": answered.seq, "ordinal": answered.ordinal });
    assert_eq!(house.by(&ada, "PUT", &format!("/v1/rooms/{room}/read"), Some(&read)).await.status, 204);
    let members = house.by(&ada, "GET", &format!("/v1/rooms/{room}/members?limit=1"), None).await.json();
    let cursor = members["cursor"].as_str().unwrap();
    let rest = house.by(&ada, "GET", &format!("/v1/rooms/{room}/members?limit=1&cursor={cursor}"), None).await.json();
    assert_ne!(members["members"][0]["user"], rest["members"][0]["user"]);
}

#[tokio::test]
async fn what_is_pinned_is_listed_wherever_it_is_and_as_it_is_now() {
    let house = House::new().await;
    let (ada, eve) = (house.sign_up("ada").await, house.sign_up("eve").await);
    let room = house.make_room(&ada, "group", json!({}), &[]).await;
    let mut said = Vec::new();
    for n in 0..6 {
        said.push(house.say(&ada, room, &format!("text {n}")).await.landed().seq);
    }
    let message = |n: usize| format!("/v1/rooms/{room}/messages/{}", said[n]);
    let listed = async |query: &str| house.by(&ada, "GET", &format!("/v1/rooms/{room}/pins{query}"), None).await.json();
    let seqs =
        |answer: &serde_json::Value| answer["events"].as_array().unwrap().iter().map(|e| e["seq"].as_u64().unwrap()).collect::<Vec<_>>();
    for n in [0, 1, 2] {
        assert_eq!(house.by(&ada, "PUT", &format!("{}/pin", message(n)), None).await.status, 200);
    }
    house.node.flush().await.unwrap();
    // These are not in the projections yet: one more pin, one taken back, one message gone, one changed.
    assert_eq!(house.by(&ada, "PUT", &format!("{}/pin", message(4)), None).await.status, 200);
    assert_eq!(house.by(&ada, "DELETE", &format!("{}/pin", message(0)), None).await.status, 200);
    assert_eq!(house.by(&ada, "DELETE", &message(1), None).await.status, 200);
    assert_eq!(house.by(&ada, "PATCH", &message(2), Some(&json!({ "text": "changed" }))).await.status, 200);
    for _ in 0..2 {
        let all = listed("").await;
        assert_eq!(seqs(&all), [said[2], said[4]]);
        let marks = all["marks"].as_array().unwrap();
        assert!(marks.iter().any(|mark| mark["body"]["edit"]["text"] == "changed"), "{marks:?}");
        assert_eq!(marks.iter().filter(|mark| mark["body"]["pin"]["on"] == true).count(), 2);
        house.node.flush().await.unwrap();
    }
    let first = listed("?limit=1").await;
    let second = listed(&format!("?limit=1&cursor={}", first["cursor"].as_str().unwrap())).await;
    assert_eq!([seqs(&first), seqs(&second)].concat(), [said[2], said[4]]);
    assert_eq!(house.by(&eve, "GET", &format!("/v1/rooms/{room}/pins"), None).await.status, 404);
}

#[tokio::test]
async fn a_request_sent_again_with_its_key_is_done_once() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let room = house.make_room(&ada, "group", json!({}), &[]).await;
    let token = format!("Bearer {}", ada.access);
    for key in [Uuid::now_v7().to_string(), "any visible text".into()] {
        let headers = [("authorization", token.as_str()), ("idempotency-key", key.as_str())];
        let path = format!("/v1/rooms/{room}/messages");
        let first = house.ask("POST", &path, &headers, Some(&json!({ "text": "once" }))).await.landed();
        house.say(&ada, room, "in between").await.landed();
        let again = house.ask("POST", &path, &headers, Some(&json!({ "text": "once" }))).await.landed();
        assert_eq!(first, again);
        let other = house.ask("POST", &path, &headers, Some(&json!({ "text": "twice" }))).await;
        assert_eq!(other.code(), "id_conflict");
    }
    let texts = house.page(&ada, room).await.events.into_iter().filter(|event| event.body.is_message()).count();
    assert_eq!(texts, 4, "two said once, two in between");
}

#[tokio::test]
async fn with_after_the_key_is_the_cmid_itself() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let room = house.make_room(&ada, "group", json!({}), &[]).await;
    let (key, token) = (Uuid::now_v7().to_string(), format!("Bearer {}", ada.access));
    let headers = [("authorization", token.as_str()), ("idempotency-key", key.as_str())];
    let landed =
        house.ask("POST", &format!("/v1/rooms/{room}/messages"), &headers, Some(&json!({ "text": "hi", "after": 1 }))).await.landed();
    assert_eq!(landed.cmid.to_string(), key);
}

#[tokio::test]
async fn channels_are_browsed_and_joined_by_the_workspaces_members() {
    let house = House::new().await;
    let (ada, bob, eve) = (house.sign_up("ada").await, house.sign_up("bob").await, house.sign_up("eve").await);
    let workspace = house.make_room(&ada, "workspace", json!({ "name": "Lab" }), &[&bob]).await;
    let open = house.make_room(&ada, "channel", json!({ "name": "open", "workspace": workspace, "public": true }), &[]).await;
    let closed = house.make_room(&ada, "channel", json!({ "name": "closed", "workspace": workspace }), &[]).await;

    // The list is a projection; it may lag a moment behind.
    house.node.flush().await.unwrap();
    let channels = house.by(&bob, "GET", &format!("/v1/workspaces/{workspace}/channels"), None).await.json();
    assert_eq!(channels["channels"].as_array().unwrap().len(), 1);
    assert_eq!(channels["channels"][0]["room"], open.to_string());
    assert_eq!(house.by(&bob, "POST", &format!("/v1/rooms/{open}/join"), None).await.status, 200);
    assert_eq!(house.say(&bob, open, "hello").await.status, 200);

    assert!(house.by(&bob, "POST", &format!("/v1/rooms/{closed}/join"), None).await.status >= 400);
    assert_eq!(house.by(&eve, "GET", &format!("/v1/workspaces/{workspace}/channels"), None).await.code(), "not_found");
    assert!(house.by(&eve, "POST", &format!("/v1/rooms/{open}/join"), None).await.status >= 400);
}

#[tokio::test]
async fn a_room_needs_an_id_and_members_that_exist() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    assert_eq!(house.by(&ada, "POST", "/v1/rooms", Some(&json!({ "kind": "group" }))).await.code(), "bad_request");
    let room = RoomId(Uuid::now_v7());
    let stranger = json!({ "room": room, "kind": "group", "members": [Uuid::now_v7()] });
    assert_eq!(house.by(&ada, "POST", "/v1/rooms", Some(&stranger)).await.code(), "not_found");
    assert_eq!(house.by(&ada, "GET", &format!("/v1/rooms/{room}"), None).await.code(), "not_found");
}

#[tokio::test]
async fn ordered_requests_over_the_users_rate_are_refused_with_a_hint() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let room = house.make_room(&ada, "group", json!({}), &[]).await;
    assert!(house.say(&ada, room, "x").await.header("ratelimit-policy").unwrap().contains("q=120"));
}
