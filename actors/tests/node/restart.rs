//! What one node acknowledged, the next one on the same data has, whatever was projected.

use schema::client::Act;

use crate::world::{World, order, user};

#[tokio::test]
async fn everything_acknowledged_is_there_after_a_restart_that_saved_nothing() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    let first = order(room, 1);
    world.act(user(1), first, crate::world::post("one")).await.unwrap();
    for n in 2..=40 {
        world.post(user(2), room, n, &n.to_string()).await.unwrap();
    }
    world.act(user(1), order(room, 1), Act::Kick { user: user(2) }).await.unwrap();
    let before = world.events(user(1), room).await;
    // The old node still runs, as a zombie would: the new one's epoch is higher.
    world.store.with(|core| core.restart());
    let next = World::on(world.store.clone()).await;
    assert_eq!(next.events(user(1), room).await, before);
    assert!(next.post(user(2), room, 41, "kicked before").await.is_err());
    assert_eq!(next.act(user(1), first, crate::world::post("one")).await.unwrap().seq, 2);
    assert!(world.post(user(1), room, 42, "from a zombie").await.is_err(), "the old owner's append is refused");
    assert_eq!(next.post(user(1), room, 42, "goes on").await.unwrap().seq, 43);
}
