//! Fifty people post in twenty rooms while the node is killed with -9, again and again. They come back by themselves; at
//! the end every rule of the checker holds over what they wrote down. `HUBBUB_KILLS=500` asks for more than the usual fifty.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use loadtest::audit::{self, Audited};
use loadtest::check::{self, Bounds};
use loadtest::client::{Client, Core, PageAsk, Target};
use loadtest::history::{Clock, Entry, Recorder, Run};
use loadtest::people::{self, Person};
use loadtest::process::{self, Process};
use schema::RoomId;
use schema::client::Act;
use schema::wire::Format;
use tokio::sync::watch;

const PEOPLE: usize = 50;
const ROOMS: usize = 20;
/// Acks between one start and the next kill.
const ACKS_A_LIFE: u64 = 250;

/// The last person is in room 0, posts nothing there, and is thrown out and taken back all the time.
const FRINGE: usize = PEOPLE - 1;

struct Shared {
    stop: AtomicBool,
    /// Posts and changes that were acknowledged so far, in all rooms.
    acks: watch::Sender<u64>,
}

fn kills() -> u32 {
    std::env::var("HUBBUB_KILLS").ok().map_or(50, |kills| kills.parse().expect("HUBBUB_KILLS is a number"))
}

/// Person n is in five rooms or so; every room has twelve or thirteen people. The first is the owner.
fn members() -> Vec<Vec<usize>> {
    let is_in = |room: usize, person: usize| (0..5).any(|k| (person * (2 * k + 1) + k * 3) % ROOMS == room);
    let mut rooms: Vec<Vec<usize>> = (0..ROOMS).map(|room| (0..PEOPLE).filter(|person| is_in(room, *person)).collect()).collect();
    if !rooms[0].contains(&FRINGE) {
        rooms[0].push(FRINGE);
    }
    rooms
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_doubled_or_reordered_by_kills() {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history");
    let keys = process::unbounded_keys();
    let binary = Path::new(env!("CARGO_BIN_EXE_hubbub"));
    let mut node = Process::start(binary, &folder.path().join("node"), &keys, None).await.unwrap();
    let target = node.target();
    let clock = Clock::start();
    let people = people::sign_up(target, Some(0), "killed", PEOPLE as u32, &|_| {}).await.unwrap();
    let clients: Vec<_> = people.iter().enumerate().map(|(n, person)| Arc::new(start(n, person, target, clock, &history))).collect();
    let mut harness = Recorder::harness(&history).unwrap();
    harness.write(clock.now_us(), &Entry::Plan { fault: "kill -9".into(), times: kills() });

    let rooms = make_rooms(&people, &clients).await;
    let shared = Arc::new(Shared { stop: AtomicBool::new(false), acks: watch::Sender::new(0) });
    let mut posters = Vec::new();
    for (n, client) in clients.iter().enumerate() {
        let mine: Vec<_> = rooms.iter().filter(|(room, members)| members.contains(&n) && (n != FRINGE || *room != rooms[0].0)).collect();
        let mine = mine.into_iter().map(|(room, _)| *room).collect();
        posters.push(tokio::spawn(talk(Arc::clone(client), n, mine, Arc::clone(&shared))));
    }
    let owner = Arc::clone(&clients[rooms[0].1[0]]);
    posters.push(tokio::spawn(throw_out_and_take_back(owner, rooms[0].0, people[FRINGE].tokens.user, Arc::clone(&shared))));

    let mut acks = shared.acks.subscribe();
    for kill in 0..kills() {
        let due = *acks.borrow() + ACKS_A_LIFE;
        let begun = Instant::now();
        let lived = tokio::time::timeout(Duration::from_secs(120), acks.wait_for(|acks| *acks >= due)).await;
        lived.expect("the posts of a life are acknowledged within two minutes").unwrap();
        let lived = begun.elapsed();
        node.kill().unwrap();
        harness.write(clock.now_us(), &Entry::Fault { fault: "kill -9".into() });
        let down = node.start_again().await.unwrap();
        eprintln!("kill {}: after {lived:.1?}, ready again in {down:.1?}", kill + 1);
    }
    shared.stop.store(true, Ordering::Relaxed);
    for poster in posters {
        poster.await.unwrap();
    }

    let mut audited = Vec::new();
    for (room, members) in &rooms {
        audited.push(Audited { room: *room, reader: people[members[0]].reader(target).await.unwrap() });
    }
    let heads = audit::write(&audited, clock, &mut harness).await.unwrap();
    for client in &clients {
        let heads = heads.clone();
        let whole = move |core: &Core| {
            core.unanswered() == 0 && heads.iter().all(|(room, head)| core.room(*room).is_none_or(|log| log.have() == *head))
        };
        tokio::time::timeout(Duration::from_secs(60), client.until(whole)).await.expect("every client has everything in the end").unwrap();
    }
    for client in clients {
        Arc::into_inner(client).expect("nobody else holds the client").end().await.unwrap();
    }
    harness.finish().unwrap();

    let verdict = check::check(&Run::read(&history).unwrap(), Bounds::default());
    eprintln!("{verdict}");
    assert!(verdict.is_clean(), "{verdict}\nthe history is in {}\n{}", folder.keep().display(), node.last_words());
    assert!(verdict.acked as u64 >= ACKS_A_LIFE * u64::from(kills()));
}

fn start(n: usize, person: &Person, target: Target, clock: Clock, history: &Path) -> Client {
    let mut settings = person.settings(Target { source: Some(people::source(0, n as u32)), ..target });
    settings.reconnect_max = Duration::from_millis(100);
    settings.format = if n.is_multiple_of(2) { Format::Json } else { Format::MessagePack };
    let recorder = Recorder::device(history, person.tokens.user, person.device).unwrap();
    Client::start(settings, clock, recorder)
}

async fn make_rooms(people: &[Person], clients: &[Arc<Client>]) -> Vec<(RoomId, Vec<usize>)> {
    let mut rooms = Vec::new();
    for (number, members) in members().into_iter().enumerate() {
        let others = members[1..].iter().map(|n| people[*n].tokens.user).collect();
        let room = clients[members[0]].make_group(&format!("room {number}"), others).await.unwrap();
        for n in &members {
            clients[*n].until(move |core| core.have(room) >= 1).await.unwrap();
        }
        rooms.push((room, members));
    }
    rooms
}

/// Three requests under way at a time: posts, now and then an edit, a reaction, a page that is read.
async fn talk(client: Arc<Client>, n: usize, rooms: Vec<RoomId>, shared: Arc<Shared>) {
    let mut mine: Option<(RoomId, u64)> = None;
    let mut turn = n;
    while !shared.stop.load(Ordering::Relaxed) {
        let room = rooms[turn % rooms.len()];
        let mut under_way = Vec::new();
        for step in 0..3 {
            let act = match (mine, (turn + step) % 7) {
                (Some((at, target)), 3) if at == room => Act::Edit { target, text: format!("{n} changed it in turn {turn}") },
                (Some((at, target)), 5) if at == room => Act::React { target, emoji: "👍".into(), on: turn.is_multiple_of(2) },
                _ => Act::Post { text: format!("{n} says {turn}.{step}"), reply: None, origin: None },
            };
            let is_post = matches!(act, Act::Post { .. });
            under_way.push((is_post, client.submit(room, act).await.unwrap()));
        }
        for (is_post, ended) in under_way {
            let outcome = ended.await.unwrap();
            if let loadtest::client::Outcome::Landed { seq: Some(seq) } = outcome {
                shared.acks.send_modify(|acks| *acks += 1);
                mine = if is_post { Some((room, seq)) } else { mine };
            }
        }
        if turn.is_multiple_of(5) {
            client.page(PageAsk { room, before: None, after: None, limit: Some(20) }).await.unwrap();
        }
        turn += 1;
    }
}

async fn throw_out_and_take_back(owner: Arc<Client>, room: RoomId, user: schema::UserId, shared: Arc<Shared>) {
    while !shared.stop.load(Ordering::Relaxed) {
        owner.ask(room, Act::Kick { user }).await.unwrap();
        owner.post(room, "they are gone").await.unwrap();
        owner.ask(room, Act::Invite { user }).await.unwrap();
        owner.post(room, "they are back").await.unwrap();
    }
}
