//! A real channel, live: every author of the Elm community's general channel is a real WebSocket client and listens while
//! the others speak, pauses cut short; in the middle the node is killed with -9. Everybody ends with the same sequence,
//! and it is the channel's.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use loadtest::audit::{self, Audited};
use loadtest::client::{Client, Core, Outcome, Target};
use loadtest::history::{Clock, Recorder};
use loadtest::people::{self, Person};
use loadtest::process::{self, Process};
use schema::client::Act;
use schema::wire::Format;
use schema::{EventBody, RoomId};
use serde::Deserialize;
use tokio::sync::oneshot;

const CHANNEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/elm-general.jsonl.gz");
const PAUSE_MAX: Duration = Duration::from_millis(2);
/// People named when the room is made; the others are invited.
const AT_FIRST: usize = 200;

#[derive(Deserialize)]
struct Said {
    user: String,
    text: String,
}

fn channel() -> Vec<Said> {
    let file = std::fs::File::open(CHANNEL);
    let file = file.expect("the recorded conversations belong beside the project, in ../shared/data: put elm-general.jsonl.gz there");
    BufReader::new(GzDecoder::new(file)).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_channel_replayed_through_a_kill_is_the_same_to_all_who_listen() {
    process::raise_open_files();
    let said = channel();
    let mut authors: HashMap<&str, usize> = HashMap::new();
    for line in &said {
        let next = authors.len();
        authors.entry(&line.user).or_insert(next);
    }
    let folder = tempfile::tempdir().unwrap();
    let keys = process::unbounded_keys();
    let mut node = Process::start(Path::new(env!("CARGO_BIN_EXE_hubbub")), folder.path(), &keys, None).await.unwrap();
    let people = people::sign_up(node.target(), Some(0), "author", authors.len() as u32, &|_| {}).await.unwrap();
    let clients: Vec<_> = people.iter().enumerate().map(|(n, person)| start(n, person, node.target())).collect();
    let room = gather(&people, &clients).await;
    let before = people.len().saturating_sub(AT_FIRST) as u64 + 1;

    let begun = Instant::now();
    let mut pace = tokio::time::interval(PAUSE_MAX);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut waiting: Vec<oneshot::Receiver<Outcome>> = Vec::with_capacity(said.len());
    for (number, line) in said.iter().enumerate() {
        let post = Act::Post { text: line.text.clone(), reply: None, origin: None };
        waiting.push(clients[authors[line.user.as_str()]].submit(room, post).await.unwrap());
        if number == said.len() / 2 {
            node.kill().unwrap();
            let down = node.start_again().await.unwrap();
            eprintln!("killed after {number} messages, ready again in {down:.1?}");
        }
        if number.is_multiple_of(2000) {
            eprintln!("{number} messages after {:.0?}", begun.elapsed());
        }
        pace.tick().await;
    }
    for ended in waiting {
        assert!(matches!(ended.await.unwrap(), Outcome::Landed { seq: Some(_) }));
    }
    let head = before + said.len() as u64;
    let mut chains = Vec::new();
    for client in &clients {
        let whole = client.until(move |core: &Core| core.have(room) == head);
        tokio::time::timeout(Duration::from_secs(120), whole).await.expect("every listener has everything in the end").unwrap();
        chains.push(client.look(move |core| core.room(room).map(|log| log.chain())).await.unwrap());
    }
    eprintln!("{} messages to {} listeners in {:.0?}", said.len(), clients.len(), begun.elapsed());
    chains.dedup();
    assert_eq!(chains.len(), 1, "every listener ended with the same sequence");
    same_as_said(&said, &authors, &people, &node, room).await;
    for client in clients {
        client.end().await.unwrap();
    }
}

fn start(n: usize, person: &Person, target: Target) -> Client {
    let mut settings = person.settings(Target { source: Some(people::source(0, n as u32)), ..target });
    settings.reconnect_max = Duration::from_millis(200);
    settings.format = if n.is_multiple_of(2) { Format::Json } else { Format::MessagePack };
    Client::start(settings, Clock::start(), Recorder::nowhere())
}

/// All of them in one room.
async fn gather(people: &[Person], clients: &[Client]) -> RoomId {
    let owner = &clients[0];
    let others: Vec<_> = people[1..].iter().map(|person| person.tokens.user).collect();
    let (first, later) = others.split_at(others.len().min(AT_FIRST - 1));
    let room = owner.make_group("elm general", first.to_vec()).await.unwrap();
    for user in later {
        owner.ask(room, Act::Invite { user: *user }).await.unwrap();
    }
    let head = later.len() as u64 + 1;
    for (number, client) in clients.iter().enumerate() {
        let there = client.until(move |core| core.have(room) == head);
        if tokio::time::timeout(Duration::from_secs(60), there).await.is_err() {
            let state = client.look(move |core| (core.is_ready(), core.have(room), core.rooms().count(), core.delivered, core.given_up));
            let state = state.await.unwrap();
            panic!("author {number} of {} never got all of the room (ready, have, rooms, delivered, given up): {state:?}", clients.len());
        }
    }
    room
}

/// History has every message once, each author's in the order in which they said them.
async fn same_as_said(said: &[Said], authors: &HashMap<&str, usize>, people: &[Person], node: &Process, room: RoomId) {
    let reader = people[0].reader(node.target()).await.unwrap();
    let events = audit::read(&Audited { room, reader }).await.unwrap();
    let number: HashMap<_, _> = people.iter().enumerate().map(|(n, person)| (person.tokens.user, n)).collect();
    let mut kept: Vec<Vec<&str>> = vec![Vec::new(); people.len()];
    for event in &events {
        if let EventBody::Message(message) = &event.body {
            kept[number[&event.user]].push(&message.text);
        }
    }
    let mut meant: Vec<Vec<&str>> = vec![Vec::new(); people.len()];
    for line in said {
        meant[authors[line.user.as_str()]].push(&line.text);
    }
    assert!(kept == meant, "history is what was said");
}
