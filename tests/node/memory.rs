//! A node that has less memory than it needs: it says so, lets nobody new in, and finishes what it has.

use hubbub::limits::Limits;
use schema::client::Act;
use schema::{Cmid, ErrorCode, RoomId, RoomKind, RoomSettings, UserId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::House;

const UPGRADE: &str =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

/// The head of the answer, in small letters.
async fn ask(house: &House, path: &str, headers: &str) -> String {
    let mut socket = TcpStream::connect(house.node.http).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", house.node.http);
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    while !answer.contains("\r\n\r\n") {
        let mut bytes = [0; 512];
        let count = socket.read(&mut bytes).await.unwrap();
        assert!(count > 0, "an answer was expected after {answer:?}");
        answer.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    answer.to_lowercase()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_short_of_memory_takes_no_new_sockets_and_says_why() {
    // Less than any process has.
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let house = House::with(|config| config.limits = limits).await;
    let refused = ask(&house, "/v1/ws", UPGRADE).await;
    assert!(refused.starts_with("http/1.1 503 ") && refused.contains("retry-after: "), "{refused}");
    let ready = house.node.health.ready();
    assert!(!ready.ok && ready.wrong[0].contains("of 1 MiB are in use: no new sockets"), "{ready:?}");
    assert!(house.node.health.live().ok, "short of memory is no reason to be killed");
    assert!(ask(&house, "/v1/rooms", "").await.starts_with("http/1.1 401 "), "other requests are answered");
    let (answer, answered) = tokio::sync::oneshot::channel();
    house.node.node.command(actors::Command {
        user: UserId::default(),
        order: schema::client::Order { id: 0, room: RoomId(Uuid::now_v7()), cmid: Cmid(Uuid::now_v7()), after: 0, prev: None },
        act: Act::Create { kind: RoomKind::Group, settings: RoomSettings::default(), members: Vec::new() },
        reply: actors::Reply::Once(answer),
    });
    let refusal = answered.await.unwrap().unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms.is_some()), (ErrorCode::Busy, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_memory_to_spare_takes_sockets() {
    let house = House::new().await;
    assert!(ask(&house, "/v1/ws", UPGRADE).await.starts_with("http/1.1 101 "));
    assert!(house.node.health.ready().ok);
}
