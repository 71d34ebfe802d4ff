//! People post in rooms while a node, or the store process under it, is killed with -9, again and again. At the end every
//! rule of the checker holds over what they wrote down: what was acknowledged is there, once, at its seq.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use loadtest::audit::{self, Audited};
use loadtest::check::{self, Bounds};
use loadtest::client::{Client, Core, Outcome, Target};
use loadtest::history::{Clock, Entry, Recorder, Run};
use loadtest::people::{self, Person};
use schema::RoomId;
use schema::client::Act;
use tokio::sync::watch;

use super::Store;
use super::group::Group;

const PEOPLE: usize = 12;
const ROOMS: usize = 6;
const KILLS: u32 = 6;
/// Acks between one start and the next kill.
const ACKS_A_LIFE: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_doubled_or_reordered_by_kills_of_the_store_process() {
    under_load(1, async |_, store, _| tokio::task::block_in_place(|| store.kill_and_start_again())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_doubled_or_reordered_by_kills_of_the_node_on_a_store_process() {
    under_load(1, killed_and_back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_doubled_or_reordered_by_kills_of_one_of_three_nodes() {
    under_load(3, killed_and_back).await;
}

/// Its rooms and sessions go to the others, in order, and come back to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_doubled_or_reordered_by_restarts_of_one_of_three_nodes() {
    under_load(3, async |group, _, round| {
        let node = group.node(round);
        node.terminate().await.unwrap();
        node.start_again().await.unwrap();
    })
    .await;
}

/// Each in its turn, so that who leads the group is among them.
async fn killed_and_back(group: &mut Group, _: &mut Store, round: u32) {
    let node = group.node(round);
    node.kill().unwrap();
    node.start_again().await.unwrap();
}

async fn under_load(nodes: usize, kill: impl AsyncFn(&mut Group, &mut Store, u32)) {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history");
    let mut store = Store::start(&folder.path().join("store"));
    let mut group = Group::start(&folder.path().join("nodes"), &store, nodes).await;
    let (target, clock) = (group.node(0).target(), Clock::start());
    let people = people::sign_up(target, Some(0), "stored", PEOPLE as u32, &|_| {}).await.unwrap();
    let clients: Vec<_> =
        people.iter().enumerate().map(|(n, person)| Arc::new(start(n, person, group.node(n as u32).target(), clock, &history))).collect();
    let mut harness = Recorder::harness(&history).unwrap();
    harness.write(clock.now_us(), &Entry::Plan { fault: "kill -9".into(), times: KILLS });
    let rooms = make_rooms(&people, &clients).await;

    let (stop, acks) = (Arc::new(AtomicBool::new(false)), watch::Sender::new(0));
    let mut posters = Vec::new();
    for (n, client) in clients.iter().enumerate() {
        let mine = rooms.iter().filter(|(_, members)| members.contains(&n)).map(|(room, _)| *room).collect();
        posters.push(tokio::spawn(talk(client.clone(), n, mine, stop.clone(), acks.clone())));
    }
    let mut heard = acks.subscribe();
    for round in 0..KILLS {
        let due = *heard.borrow() + ACKS_A_LIFE;
        let lived = tokio::time::timeout(Duration::from_secs(120), heard.wait_for(|acks| *acks >= due)).await;
        lived.unwrap_or_else(|_| panic!("a life's posts are not acknowledged:\n{}", group.last_words())).unwrap();
        kill(&mut group, &mut store, round).await;
        harness.write(clock.now_us(), &Entry::Fault { fault: "kill -9".into() });
    }
    stop.store(true, Ordering::Relaxed);
    for poster in posters {
        poster.await.unwrap();
    }

    let mut audited = Vec::new();
    for (room, members) in &rooms {
        audited.push(Audited { room: *room, reader: people[members[0]].reader(target).await.unwrap() });
    }
    let heads = audit::write(&audited, clock, &mut harness).await.unwrap();
    for client in clients {
        let heads = heads.clone();
        let whole = move |core: &Core| {
            core.unanswered() == 0 && heads.iter().all(|(room, head)| core.room(*room).is_none_or(|log| log.have() == *head))
        };
        tokio::time::timeout(Duration::from_secs(60), client.until(whole)).await.expect("every client has everything in the end").unwrap();
        Arc::into_inner(client).expect("nobody else holds the client").end().await.unwrap();
    }
    harness.finish().unwrap();
    let verdict = check::check(&Run::read(&history).unwrap(), Bounds::default());
    assert!(verdict.is_clean(), "{verdict}\nthe history is in {}\n{}", folder.keep().display(), group.last_words());
    assert!(verdict.acked as u64 >= ACKS_A_LIFE * u64::from(KILLS));
}

fn start(n: usize, person: &Person, target: Target, clock: Clock, history: &Path) -> Client {
    let mut settings = person.settings(Target { source: Some(people::source(0, n as u32)), ..target });
    settings.reconnect_max = Duration::from_millis(100);
    Client::start(settings, clock, Recorder::device(history, person.tokens.user, person.device).unwrap())
}

/// Person n is in every second room or so; the first is the owner.
async fn make_rooms(people: &[Person], clients: &[Arc<Client>]) -> Vec<(RoomId, Vec<usize>)> {
    let mut rooms = Vec::new();
    for number in 0..ROOMS {
        let members: Vec<usize> = (0..PEOPLE).filter(|n| n % 2 == number % 2 || n % ROOMS == number).collect();
        let others = members[1..].iter().map(|n| people[*n].tokens.user).collect();
        let room = clients[members[0]].make_group(&format!("room {number}"), others).await.unwrap();
        for n in &members {
            clients[*n].until(move |core| core.have(room) >= 1).await.unwrap();
        }
        rooms.push((room, members));
    }
    rooms
}

/// Three posts under way at a time.
async fn talk(client: Arc<Client>, n: usize, rooms: Vec<RoomId>, stop: Arc<AtomicBool>, acks: watch::Sender<u64>) {
    let mut turn = n;
    while !stop.load(Ordering::Relaxed) {
        let mut under_way = Vec::new();
        for step in 0..3 {
            let act = Act::Post { text: format!("{n} says {turn}.{step}"), reply: None, origin: None };
            under_way.push(client.submit(rooms[turn % rooms.len()], act).await.unwrap());
        }
        for ended in under_way {
            if let Outcome::Landed { seq: Some(_) } = ended.await.unwrap() {
                acks.send_modify(|acks| *acks += 1);
            }
        }
        turn += 1;
    }
}
