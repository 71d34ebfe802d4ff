//! People who sign on, are put into rooms and talk, on the real program: what they see in the end is the same for all,
//! whatever happened at the same moment.

use std::path::Path;
use std::time::Duration;

use loadtest::client::{Client, Core};
use loadtest::history::{Clock, Recorder};
use loadtest::people;
use loadtest::process::{self, Process};

async fn node(folder: &Path) -> Process {
    let keys = process::unbounded_keys();
    Process::start(Path::new(env!("CARGO_BIN_EXE_hubbub")), folder, &keys, None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_is_made_while_its_members_sign_on_reaches_every_one_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(folder.path()).await;
    let people = people::sign_up(node.target(), Some(0), "early", 60, &|_| {}).await.unwrap();
    let owner = Client::start(people[0].settings(node.target()), Clock::start(), Recorder::nowhere());
    for round in 0..10 {
        let members: Vec<_> =
            people[1..].iter().map(|person| Client::start(person.settings(node.target()), Clock::start(), Recorder::nowhere())).collect();
        let (first, later) = members.split_at(30);
        let room = owner.make_group(&format!("round {round}"), first.iter().map(|member| member.user).collect()).await.unwrap();
        for member in later {
            owner.ask(room, schema::client::Act::Invite { user: member.user }).await.unwrap();
        }
        let head = later.len() as u64 + 1;
        let mut missing = Vec::new();
        for (number, member) in members.iter().enumerate() {
            let whole = member.until(move |core: &Core| core.have(room) == head);
            if tokio::time::timeout(Duration::from_secs(20), whole).await.is_err() {
                let state = member
                    .look(move |core| (core.is_ready(), core.have(room), core.room(room).map(|log| log.head()), core.rooms().count()))
                    .await
                    .unwrap();
                missing.push((number, state));
            }
        }
        assert!(
            missing.is_empty(),
            "round {round}: these members never got all of the room (number, (ready, have, head, rooms)): {missing:?}"
        );
        for member in members {
            member.end().await.unwrap();
        }
    }
    owner.end().await.unwrap();
}
