//! What nodes of a group say and do when something is wrong with the group itself, as processes: removed, left without a quorum,
//! stopped all at once.

mod nodes;

use std::io::{Read, Write};
use std::net::TcpStream;

use nodes::{Group, token, until};
use rustix::process::Signal;
use schema::SlotId;
use store::remote::{Remote, RemoteConfig, Secret};
use store::{Fenced, Journal};

#[test]
fn a_node_that_was_removed_while_it_was_stopped_says_so_sends_its_people_away_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut group = Group::start(folder.path(), 3);
    let number = group.nodes[2].number();
    let mut socket = open_socket(&group.nodes[2]);
    group.nodes[2].signal(Signal::STOP);
    until("it is down and owns nothing", || group.nodes[0].sees(number).is_some_and(|seen| seen == ("down".into(), 0)));
    let removed = group.nodes[0].command(&["cluster", "remove", &number.to_string()]);
    assert!(removed.status.success(), "{removed:?}");
    group.nodes[2].signal(Signal::CONT);
    let ended = group.nodes[2].ended();
    let log = group.nodes[2].log();
    assert_eq!(ended.code(), Some(3), "{log}");
    // Once in the log as it happens, once as the last word.
    assert_eq!(log.matches("this node was removed from its group").count(), 2, "{log}");
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).unwrap();
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("{\"reconnect\":"), "{rest}");
    group.nodes[2].start();
    assert_eq!(group.nodes[2].ended().code(), Some(3), "{}", group.nodes[2].log());
}

/// Somebody's, who is greeted.
fn open_socket(node: &nodes::Node) -> TcpStream {
    assert!(node.command(&["user", "add", "ann"]).status.success());
    let token: serde_json::Value = serde_json::from_slice(&node.command(&["--json", "token", "ann"]).stdout).unwrap();
    let access =
        token.pointer("/token/access").or(token.get("access")).and_then(|access| access.as_str()).unwrap_or_else(|| panic!("{token}"));
    let mut stream = TcpStream::connect(node.http).unwrap();
    let head = format!(
        "GET /v1/ws HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: hubbub.v1.json\r\n\r\n",
        node.http
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    let hello = serde_json::json!({ "hello": { "token": access, "device": "01928374-0000-7000-8000-000000000001", "resume": [] } });
    let mut frame = bytes::BytesMut::new();
    loadtest::client::frame::write(&mut frame, 1, hello.to_string().as_bytes(), [7; 4]);
    stream.write_all(&frame).unwrap();
    let mut said = vec![0; 4096];
    let count = stream.read(&mut said).unwrap();
    assert!(String::from_utf8_lossy(&said[..count]).contains("{\"ready\":"), "{}", String::from_utf8_lossy(&said[..count]));
    stream
}

#[test]
fn whoever_is_left_without_a_quorum_stays_ready_and_says_everywhere_that_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut group = Group::start(folder.path(), 3);
    let leader = group.nodes[0].status()["leader"].as_u64().unwrap();
    let at = group.nodes.iter().position(|node| node.number() == leader).unwrap();
    (0..3).filter(|n| *n != at).for_each(|n| group.nodes[n].kill());
    let left = &group.nodes[at];
    until("readyz says it", || left.get("/readyz").contains("no quorum since"));
    assert!(left.get("/readyz").starts_with("HTTP/1.1 200"), "it serves what it has");
    assert!(left.status()["no_quorum_since"].is_string() && left.status()["leader"].is_null(), "{}", left.status());
    let told = String::from_utf8(left.command(&["cluster", "status"]).stdout).unwrap();
    assert!(told.contains("no quorum since") && !told.contains("leads"), "{told}");
    until("the metric says it", || left.get("/metrics").contains("hubbub_cluster_group_led 0"));
    let log = left.log();
    assert_eq!(log.matches("no quorum").count(), 1, "{log}");
    assert!(!log.contains("openraft"), "{log}");
}

#[test]
fn a_node_that_waits_for_its_group_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut group = Group::start(folder.path(), 3);
    group.nodes.iter_mut().for_each(nodes::Node::kill);
    let node = &mut group.nodes[2];
    node.start();
    until("it waits", || node.log().contains("this node waits for its group"));
    node.signal(Signal::TERM);
    assert!(node.ended().success(), "{}", node.log());
}

#[test]
fn a_node_that_others_could_not_reach_does_not_use_its_token_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut group = Group::start(folder.path(), 1);
    let (token, listen) = (token(&group.nodes[0]), loadtest::process::free_address().unwrap());
    let node = group.add(Some(token));
    node.set("HUBBUB_CLUSTER_LISTEN", String::new());
    node.start();
    assert!(!node.ended().success());
    assert!(node.log().contains("set cluster.listen to an address and port of this machine"), "{}", node.log());
    node.set("HUBBUB_CLUSTER_LISTEN", listen.to_string());
    node.start_and_wait();
}

#[test]
fn nodes_that_are_stopped_all_at_once_do_not_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut group = Group::start(folder.path(), 3);
    group.nodes.iter().for_each(|node| node.signal(Signal::TERM));
    for node in &mut group.nodes {
        assert!(node.ended().success(), "{}", node.log());
        assert!(!node.log().contains("in time"), "{}", node.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_for_which_the_store_has_a_higher_epoch_than_the_group_are_granted_above_it_and_served() {
    let folder = tempfile::tempdir().unwrap();
    let group = Group::start(folder.path(), 1);
    let node = &group.nodes[0];
    assert!(node.command(&["user", "add", "ann"]).status.success());
    let made = |name: &str| node.command(&["room", "create", name, "--owner", "ann"]).status.success();
    assert!(made("before"));
    // As by a group that was lost, on the same store.
    let secret = Secret::read(&folder.path().join("store/secret")).unwrap();
    let store = Remote::open(RemoteConfig::new(group.store.to_string(), secret)).await.unwrap();
    for slot in (0..256).map(SlotId) {
        assert!(matches!(store.fence(slot, 70_000 << 16).await, Ok(Fenced::Ok { .. })));
    }
    until("rooms are made again", || made("after"));
    assert!(node.log().contains("granted above it"), "{}", node.log());
}

#[test]
fn moves_are_held_and_let_go_by_an_operator_and_end_with_even_shares() {
    let folder = tempfile::tempdir().unwrap();
    let mut group = Group::start(folder.path(), 1);
    let said = |group: &Group, words: &[&str]| {
        let told = group.nodes[0].command(&[&["cluster", "rebalance"], words].concat());
        assert!(told.status.success(), "{told:?}");
        String::from_utf8(told.stdout).unwrap()
    };
    assert!(said(&group, &["--at-once", "0"]).contains("moves are held"));
    let invitation = token(&group.nodes[0]);
    group.add(Some(invitation)).start_and_wait();
    let (first, second) = (group.nodes[0].number(), group.nodes[1].number());
    assert_eq!(group.nodes[0].sees(second), Some(("active".into(), 0)));
    assert!(said(&group, &["--at-once", "0"]).starts_with("128 slots are to move; moves are held"));
    let refused = group.nodes[0].command(&["cluster", "rebalance", "--at-once", "300"]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("at most 256"), "{refused:?}");
    assert!(said(&group, &["--at-once", "64"]).contains("at most 64 move at once"));
    until("each has its share", || [first, second].iter().all(|node| group.nodes[1].sees(*node) == Some(("active".into(), 128))));
    assert!(said(&group, &[]).starts_with("every node has its share; from now on at most 16"));
}
