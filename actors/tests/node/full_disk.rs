//! A store that takes no writes: a clear word at once, nothing lost, and on again by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use schema::ErrorCode;
use store::op::Op;
use store::sim::Fault;

use crate::world::{World, order, post, user};

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_said_at_once_and_nothing_acknowledged_is_lost() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    world.post(user(1), room, 1, "before").await.unwrap();
    let full = Arc::new(AtomicBool::new(true));
    let is_full = full.clone();
    world.store.set_faults(move |op| match op {
        Op::Append(_) | Op::Fence { .. } if is_full.load(Ordering::Relaxed) => Fault::ReadOnly,
        _ => Fault::None,
    });
    let kept = order(room, 2);
    assert_eq!(world.act(user(1), kept, post("kept by the client")).await, Err(ErrorCode::ReadOnly));
    assert_eq!(world.act(user(1), kept, post("kept by the client")).await, Err(ErrorCode::ReadOnly));
    assert_eq!(world.events(user(1), room).await.len(), 2, "reading goes on");
    full.store(false, Ordering::Relaxed);
    let landed = loop {
        match world.act(user(1), kept, post("kept by the client")).await {
            Ok(landed) => break landed,
            Err(code) => assert!(code.is_temporary(), "{code:?}"),
        }
        tokio::time::advance(Duration::from_millis(100)).await;
    };
    assert_eq!(landed.seq, 3);
}
