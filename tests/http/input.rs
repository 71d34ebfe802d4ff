//! Input that no client of ours sends (attacks 5, 10, 13, 14): refused in the one form, and the node goes on.

use serde_json::json;
use uuid::Uuid;

use super::House;

#[tokio::test]
async fn broken_requests_are_refused_and_the_next_one_is_served() {
    let house = House::new().await;
    let host = house.address;
    let long = "x".repeat(64 * 1024);
    let many: String = (0..5000).map(|n| format!("h{n}: x\r\n")).collect();
    for (what, head) in [
        ("a header of 64 KiB", format!("GET /v1/me HTTP/1.1\r\nhost: {host}\r\nx: {long}{long}{long}{long}{long}{long}{long}\r\n\r\n")),
        ("5,000 headers", format!("GET /v1/me HTTP/1.1\r\nhost: {host}\r\n{many}\r\n")),
        ("two lengths", format!("POST /v1/auth/login HTTP/1.1\r\nhost: {host}\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{{}}")),
        ("a length that is none", format!("POST /v1/auth/login HTTP/1.1\r\nhost: {host}\r\ncontent-length: -1\r\n\r\n{{}}")),
        ("a control character in a name", format!("GET /v1/me HTTP/1.1\r\nhost: {host}\r\nbad\u{1}name: x\r\n\r\n")),
        ("no HTTP at all", "\u{16}\u{3}\u{1}hello\r\n\r\n".into()),
    ] {
        let answer = house.raw(head.as_bytes()).await;
        assert!(answer.status == 0 || (400..500).contains(&answer.status), "{what}: {answer:?}");
    }
    assert_eq!(house.ask("GET", "/v1/me", &[], None).await.code(), "unauthenticated");
}

#[tokio::test]
async fn a_length_and_chunks_together_smuggle_nothing() {
    let house = House::new().await;
    let bytes = format!(
        "POST /v1/auth/login HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /docs HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        house.address
    );
    let answer = house.raw(bytes.as_bytes()).await;
    assert!(!answer.body.contains("Hubbub API"), "the second request must not be taken for one: {answer:?}");
}

#[tokio::test]
async fn odd_headers_do_no_harm() {
    let house = House::new().await;
    for bytes in [
        &b"user-agent: \xff\xfe\xfd"[..],
        b"user-agent: ",
        b"authorization: Bearer \xff",
        b"cookie: \xff=\xff; ;;=",
        b"idempotency-key: \xff",
        b"origin: \xff",
    ] {
        let head = [b"GET /v1/me HTTP/1.1\r\nconnection: close\r\nhost: x\r\n", bytes, b"\r\n\r\n"].concat();
        let answer = house.raw(&head).await;
        assert!(matches!(answer.status, 400 | 401 | 403), "{answer:?}");
        answer.code();
    }
}

#[tokio::test]
async fn bodies_that_are_not_what_is_asked_for_are_refused_in_a_sentence() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let token = format!("Bearer {}", ada.access);
    let room = house.make_room(&ada, "group", json!({}), &[]).await;
    let path = format!("/v1/rooms/{room}/messages");
    let deep = format!("{{\"text\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let too_long = format!("{{\"text\":\"{}\"}}", "x".repeat(16 * 1024 + 1));
    let huge = format!("{{\"text\":\"{}\"}}", "x".repeat(70 * 1024));
    for (kind, body, code) in [
        ("application/json", "{", "bad_request"),
        ("application/json", "[]", "bad_request"),
        ("application/json", "{\"text\":1}", "bad_request"),
        ("application/json", "{\"text\":\"x\",\"texd\":1}", "bad_request"),
        ("application/json", "{\"text\":\"x\"} x", "bad_request"),
        ("application/json", "{\"text\":\"\\ud800\"}", "bad_request"),
        ("application/json", "{\"text\":\"\"}", "bad_request"),
        ("application/json", deep.as_str(), "bad_request"),
        ("application/json", too_long.as_str(), "too_long"),
        ("application/json", huge.as_str(), "too_long"),
        ("text/plain", "{\"text\":\"x\"}", "bad_request"),
        ("application/x-www-form-urlencoded", "text=x", "bad_request"),
        ("multipart/form-data; boundary=x", "--x--", "bad_request"),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {token}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = house.raw(head.as_bytes()).await;
        assert_eq!(answer.code(), code, "{kind} {}: {answer:?}", &body[..body.len().min(40)]);
    }
    assert_eq!(house.page(&ada, room).await.head, 1, "nothing of it was said");
}

#[tokio::test]
async fn names_that_hide_or_reorder_text_are_refused_everywhere() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    for name in ["a\u{202e}gpj.exe", "a\u{0}b", "a\u{2066}b", "a\r\nb", "\u{1b}[31mred"] {
        let sign_up = json!({ "name": "bob", "display": name, "password": super::PASSWORD, "device": Uuid::now_v7() });
        assert_eq!(house.ask("POST", "/v1/auth/signup", &[], Some(&sign_up)).await.code(), "bad_request", "{name:?}");
        assert_eq!(house.by(&ada, "PATCH", "/v1/me", Some(&json!({ "display": name }))).await.code(), "bad_request", "{name:?}");
        let room = json!({ "room": Uuid::now_v7(), "kind": "group", "settings": { "name": name } });
        assert_eq!(house.by(&ada, "POST", "/v1/rooms", Some(&room)).await.code(), "bad_request", "{name:?}");
        let room = json!({ "room": Uuid::now_v7(), "kind": "group", "settings": { "topic": name } });
        assert_eq!(house.by(&ada, "POST", "/v1/rooms", Some(&room)).await.code(), "bad_request", "{name:?}");
    }
    for name in ["../x", "a/b", "CON ", &"x".repeat(4096), "<script>"] {
        let sign_up = json!({ "name": name, "password": super::PASSWORD, "device": Uuid::now_v7() });
        assert_eq!(house.ask("POST", "/v1/auth/signup", &[], Some(&sign_up)).await.code(), "bad_request", "{name:?}");
    }
}

#[tokio::test]
async fn markup_in_names_and_texts_comes_back_as_the_text_it_is() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let evil = "<img src=x onerror=alert(1)>";
    assert_eq!(house.by(&ada, "PATCH", "/v1/me", Some(&json!({ "display": evil }))).await.json()["display"], evil);
    let room = house.make_room(&ada, "group", json!({ "name": evil, "topic": "javascript:alert(1)" }), &[]).await;
    house.say(&ada, room, evil).await.landed();
    let answer = house.by(&ada, "GET", &format!("/v1/rooms/{room}/messages"), None).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_refused_in_the_one_form() {
    let house = House::new().await;
    assert_eq!(house.ask("GET", "/v1/nothing", &[], None).await.code(), "not_found");
    let answer = house.ask("DELETE", "/v1/me", &[], None).await;
    assert_eq!((answer.status, answer.code().as_str()), (405, "bad_request"));
    assert!(answer.header("allow").unwrap().contains("patch"));
}

#[tokio::test]
async fn a_body_that_is_announced_longer_than_it_may_be_is_refused_before_it_is_sent() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let room = house.make_room(&ada, "group", json!({}), &[]).await;
    let head = format!(
        "POST /v1/rooms/{room}/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n",
        ada.access
    );
    // Not one byte of it follows.
    assert_eq!(house.raw(head.as_bytes()).await.code(), "too_long");
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_read_away_and_answered() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let room = house.make_room(&ada, "group", json!({}), &[]).await;
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(10 << 20));
    for (path, token, code) in [
        (format!("/v1/rooms/{room}/messages"), ada.access.as_str(), "too_long"),
        (format!("/v1/rooms/{room}/messages"), "nobody", "unauthenticated"),
        ("/v1/nothing".into(), "nobody", "not_found"),
        ("/v1/auth/login".into(), "", "too_long"),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = house.raw_whole(head.as_bytes()).await;
        assert_eq!(answer.code(), code, "{path}");
    }
}
