//! What a post costs between nodes: one word to each node that has members of the room, however many they are.

use std::collections::BTreeMap;

use schema::peer::{Outcome, Word};
use schema::{RoomId, ServerEvent, UserId};

use crate::world::{Member, World, user};

const POSTS: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_is_one_word_to_each_node_that_has_members_whatever_the_room_s_size() {
    let world = World::new(3).await;
    for members in [10, 100, 200] {
        let people: Vec<_> = (0..members).map(user).collect();
        let room = room_over(&world, &people, &[1, 2, 3]).await;
        let from_owner = said_of(&world, room, people[0], 1, &[1, 2, 3]).await;
        assert_eq!(from_owner, each([("shown", 2), ("shown", 3)]), "{members} members, from its owner's node");
        let from_elsewhere = said_of(&world, room, people[1], 2, &[1, 2, 3]).await;
        assert_eq!(from_elsewhere, each([("requests", 1), ("answered", 2), ("shown", 2), ("shown", 3)]), "{members} members, from another");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_members_of_a_room_hears_nothing_of_it() {
    let world = World::new(3).await;
    let people: Vec<_> = (0..30).map(user).collect();
    let room = room_over(&world, &people, &[2]).await;
    assert_eq!(said_of(&world, room, people[0], 1, &[2]).await, each([("shown", 2)]));
    let from_elsewhere = said_of(&world, room, people[0], 3, &[2]).await;
    assert_eq!(from_elsewhere, each([("requests", 1), ("answered", 3), ("shown", 2)]), "its sender there is answered and shown nothing");
}

/// Owned by the first node, everybody at one of these, each greeted with it.
async fn room_over(world: &World, people: &[UserId], at: &[u64]) -> RoomId {
    let room = world.group(1, 1, people[0], &people[1..]).await;
    for (index, person) in (0..).zip(people) {
        let node = at[index as usize % at.len()];
        let ready = world.node(node).attach(*person, room_index(room, index), Vec::new()).await;
        assert!(ready.rooms.iter().any(|state| state.room == room));
    }
    room
}

/// A connection's number that no other room's people have.
fn room_index(room: RoomId, index: u32) -> u32 {
    u32::from(room.as_bytes()[15]) << 10 | index
}

/// Posts, one after the other, each shown where there are members: what nodes say of them, how often and to whom. Who is here is told at its
/// own pace, and what is kept nowhere is no part of a post.
async fn said_of(world: &World, room: RoomId, author: UserId, from: u64, at: &[u64]) -> BTreeMap<(&'static str, u64), u64> {
    let mut head = world.node(from).events(author, room).await.expect("it is read").last().expect("its beginning").seq;
    world.nodes.iter().for_each(|member| drop(member.said()));
    for n in 0..POSTS {
        head = world.node(from).post(author, room, head, &n.to_string()).await.expect("it lands").seq;
        for node in at {
            world.node(*node).shown_upto(room, head).await;
        }
    }
    let mut counts = BTreeMap::new();
    for (to, word) in world.nodes.iter().flat_map(Member::said) {
        if let Some(what) = of_post(&word, room) {
            *counts.entry((what, to.0)).or_default() += 1;
        }
    }
    counts
}

fn of_post(word: &Word, of: RoomId) -> Option<&'static str> {
    match word {
        Word::Requests { room, requests } if *room == of && requests.len() == 1 => Some("requests"),
        Word::Answered { outcomes } if matches!(outcomes[..], [(_, Outcome::Landed(_))]) => Some("answered"),
        Word::Shown { room, events } if *room == of && events.len() == 1 => Some("shown"),
        Word::Online { .. } | Word::Told { event: ServerEvent::Online(_), .. } => None,
        other => panic!("no part of a post: {other:?}"),
    }
}

fn each<const N: usize>(said: [(&'static str, u64); N]) -> BTreeMap<(&'static str, u64), u64> {
    said.map(|said| (said, POSTS)).into()
}
