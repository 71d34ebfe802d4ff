//! What people may do in rooms, and what others see of it.

use schema::client::Act;
use schema::{ErrorCode, EventBody, Role, RoomId, RoomKind, RoomSettings};
use uuid::Uuid;

use crate::world::{World, order, post, user};

#[tokio::test]
async fn strangers_neither_write_nor_read_nor_learn_that_a_room_exists() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    let nowhere = RoomId(Uuid::now_v7());
    assert_eq!(world.post(user(9), room, 0, "hi").await, Err(ErrorCode::NotFound));
    assert_eq!(world.post(user(9), nowhere, 0, "hi").await, Err(ErrorCode::NotFound));
    let page = |room| world.node.history(user(9), actors::PageQuery { room, ..actors::PageQuery::default() });
    assert_eq!(page(room).await.map_err(|refused| refused.code), Err(ErrorCode::NotFound));
    assert_eq!(page(nowhere).await.map_err(|refused| refused.code), Err(ErrorCode::NotFound));
}

#[tokio::test]
async fn both_sides_open_one_direct_room() {
    let world = World::new().await;
    let open = |me, other| {
        let act = Act::Create { kind: RoomKind::Direct, settings: RoomSettings::default(), members: vec![user(other)] };
        world.ask(user(me), order(RoomId::default(), 0), act)
    };
    let (a, b) = (open(1, 2), open(2, 1));
    let (a, b) = (a.await.unwrap().unwrap(), b.await.unwrap().unwrap());
    assert_eq!((a.room, a.seq), (b.room, b.seq));
    assert_eq!(world.events(user(2), a.room).await.len(), 1);
}

#[tokio::test]
async fn a_kick_holds_for_everything_after_it() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    world.post(user(2), room, 1, "still here").await.unwrap();
    world.act(user(1), order(room, 2), Act::Kick { user: user(2) }).await.unwrap();
    assert_eq!(world.post(user(2), room, 3, "and now?").await, Err(ErrorCode::NotFound));
}

#[tokio::test]
async fn two_owners_who_remove_each_other_leave_one() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    world.act(user(1), order(room, 1), Act::Role { user: user(2), role: Role::Owner }).await.unwrap();
    let demote = |me, other| world.ask(user(me), order(room, 2), Act::Role { user: user(other), role: Role::Member });
    let (a, b) = (demote(1, 2), demote(2, 1));
    let outcomes = [a.await.unwrap().is_ok(), b.await.unwrap().is_ok()];
    assert_eq!(outcomes.iter().filter(|ok| **ok).count(), 1, "{outcomes:?}");
    let members = world.node.members(user(1), room, None, 10).await.unwrap();
    assert_eq!(members.iter().filter(|m| m.role == Role::Owner).count(), 1);
}

#[tokio::test]
async fn the_last_owner_cannot_leave_others_behind() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    assert_eq!(world.act(user(1), order(room, 1), Act::Leave).await, Err(ErrorCode::LastOwner));
}

#[tokio::test]
async fn only_the_author_edits_and_a_deleted_text_is_gone_for_good() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    let target = world.post(user(2), room, 1, "a secret").await.unwrap().seq;
    let edit = |who, text: &str| world.ask(user(who), order(room, target), Act::Edit { target, text: text.into() });
    assert_eq!(edit(1, "forged").await.unwrap().unwrap_err().code, ErrorCode::Forbidden);
    edit(2, "a secret too").await.unwrap().unwrap();
    world.act(user(2), order(room, 3), Act::Delete { target, reason: None }).await.unwrap();
    let seen = format!("{:?}", world.events(user(1), room).await);
    assert!(!seen.contains("secret"), "before the projection: {seen}");
    world.node.flush().await.unwrap();
    let seen = format!("{:?}", world.events(user(1), room).await);
    assert!(!seen.contains("secret"), "after it: {seen}");
    assert_eq!(edit(2, "again").await.unwrap().unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_public_channel_is_found_and_joined_by_its_workspace_alone() {
    let world = World::new().await;
    let workspace = RoomId(Uuid::now_v7());
    let settings = RoomSettings { name: "home".into(), ..RoomSettings::default() };
    let act = Act::Create { kind: RoomKind::Workspace, settings, members: vec![user(2)] };
    world.act(user(1), order(workspace, 0), act).await.unwrap();
    assert_eq!(world.act(user(1), order(workspace, 1), post("no")).await, Err(ErrorCode::Forbidden));
    let channel = RoomId(Uuid::now_v7());
    let settings = RoomSettings { name: "tea".into(), workspace: Some(workspace), public: true, ..RoomSettings::default() };
    let act = Act::Create { kind: RoomKind::Channel, settings, members: vec![] };
    world.act(user(1), order(channel, 0), act).await.unwrap();
    let seen = world.node.channels(user(1), workspace, None, 10).await.unwrap();
    assert_eq!(seen.iter().map(|c| (c.room, c.joined)).collect::<Vec<_>>(), vec![(channel, true)], "who made it sees it at once");
    assert!(world.node.channels(user(1), workspace, Some(channel), 10).await.unwrap().is_empty(), "and on one page");
    assert_eq!(world.act(user(9), order(channel, 0), Act::Join).await, Err(ErrorCode::NotFound));
    world.act(user(2), order(channel, 0), Act::Join).await.unwrap();
    world.node.flush().await.unwrap();
    let channels = world.node.channels(user(2), workspace, None, 10).await.unwrap();
    assert_eq!(channels.iter().map(|c| (c.room, c.joined)).collect::<Vec<_>>(), vec![(channel, true)]);
}

#[tokio::test]
async fn pages_are_contiguous_and_carry_what_was_said_later() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    for n in 2..=60 {
        world.post(user(1), room, n - 1, &format!("message {n}")).await.unwrap();
    }
    world.act(user(2), order(room, 60), Act::React { target: 5, emoji: "👍".into(), on: true }).await.unwrap();
    for flushed in [false, true] {
        let query = actors::PageQuery { room, before: Some(11), limit: Some(10), ..actors::PageQuery::default() };
        let page = world.node.history(user(2), query).await.unwrap();
        assert_eq!(page.events.iter().map(|e| e.seq).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
        assert!(matches!(&page.marks[..], [e] if matches!(e.body, EventBody::React { target: 5, .. })), "flushed: {flushed}");
        world.node.flush().await.unwrap();
    }
}

#[tokio::test]
async fn somebody_without_a_connection_finds_a_new_room_at_once() {
    let world = World::new().await;
    let first = world.group(user(1), &[user(2)]).await;
    assert_eq!(world.node.rooms(user(2)).await.unwrap().len(), 1, "their session is awake now");
    let second = world.group(user(1), &[user(2)]).await;
    assert_eq!(world.node.room(user(2), second).await.unwrap().role, Role::Member);
    world.act(user(1), order(first, 1), Act::Kick { user: user(2) }).await.unwrap();
    let rooms = world.node.rooms(user(2)).await.unwrap();
    assert_eq!(rooms.iter().map(|state| state.room).collect::<Vec<_>>(), [second]);
}

#[tokio::test]
async fn a_page_of_long_messages_is_cut_on_the_far_side() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    for n in 1..=100 {
        world.post(user(1), room, n, &"x".repeat(15_000)).await.unwrap();
    }
    let page = |query| world.node.history(user(1), actors::PageQuery { room, limit: Some(101), ..query });
    let default = actors::PageQuery::default();
    let newest = page(default).await.unwrap();
    assert!(newest.from > 60 && newest.to == 101, "{}..={}", newest.from, newest.to);
    let oldest = page(actors::PageQuery { after: Some(0), ..default }).await.unwrap();
    assert!(oldest.from == 1 && oldest.to < 40, "{}..={}", oldest.from, oldest.to);
    let middle = page(actors::PageQuery { around: Some(50), ..default }).await.unwrap();
    assert!(middle.from > 20 && middle.from < 50 && middle.to > 50 && middle.to < 80, "{}..={}", middle.from, middle.to);
}
