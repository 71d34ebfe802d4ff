//! What a delivery costs, in counts that no machine changes: writes to sockets, frames, encodings. Alone in its
//! process: the counters are the process's.

#[path = "edge/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "edge/world.rs"]
#[allow(dead_code)]
mod world;

use actors::outlet::{Down, Encoded};
use client::{Client, frame};
use schema::server::Done;
use schema::wire::Format;
use schema::{ConnectionId, ServerEvent};
use world::{World, message, room, user};

const MEMBERS: u8 = 12;
const POSTS: u64 = 4;

/// Of lot 0, as of the end of its last turn.
fn counted(name: &str) -> u64 {
    let page = hubbub::admin::metrics::install().unwrap().render();
    let line = page.lines().find_map(|line| line.strip_prefix(&format!("{name}{{lot=\"0\"}} ")));
    line.map_or(0, |count| count.parse().unwrap())
}

/// Waits until every turn so far is counted: one that makes nothing but received bytes, more than any before it, has been.
fn settle(client: &mut Client) {
    let heard = "hubbub_edge_received_bytes_total";
    let before = counted(heard);
    let unasked = frame(0x8a, &[0; 125]);
    client.write(&unasked);
    while counted(heard) < before + unasked.len() as u64 {
        std::thread::yield_now();
    }
}

fn ok(connection: ConnectionId, id: u32) -> Down {
    let done = Done { id, room: None, seq: None, ordinal: None, at: None };
    Down::Send { connection, event: Encoded::new(ServerEvent::Ok(done)) }
}

#[test]
fn a_burst_costs_one_write_to_each_member_and_one_encoding() {
    hubbub::admin::metrics::install().unwrap();
    let world = World::new();
    let mut members: Vec<_> = (1..=MEMBERS).map(|n| world.member(user(n), &[room(1)])).collect();
    settle(&mut members[0].0);
    let (writes, frames) = (counted("hubbub_edge_writes_total"), counted("hubbub_edge_frames_total"));

    let posts: Vec<Encoded> = (1..=POSTS).map(|seq| message(room(1), seq, "hello")).collect();
    let poster = members[0].1;
    let batch = Down::Batch { room: room(1), events: posts.clone(), removed: None };
    world.outlets[0].push_all((1..=POSTS as u32).map(|id| ok(poster, id)).chain([batch]));
    for (client, connection) in &mut members {
        let own = if *connection == poster { POSTS } else { 0 };
        (0..own + POSTS).for_each(|_| drop(client.event()));
    }
    let poster = &mut members[0].0;
    settle(poster);
    let (writes, frames) = (counted("hubbub_edge_writes_total") - writes, counted("hubbub_edge_frames_total") - frames);
    assert_eq!((writes, frames), (u64::from(MEMBERS), u64::from(MEMBERS) * POSTS + POSTS));
    assert!(posts.iter().all(|post| post.is_encoded(Format::Json) && !post.is_encoded(Format::MessagePack)));
}
