//! The counterpart of a greeting: a connection is gone. A session that is awake hears of it and decides. One that sleeps is not
//! woken for it, since everybody may go at once: it is noted down who has no connection left, and those who do not come back in
//! time are shown as offline.

use std::sync::{Arc, Weak};
use std::time::Duration;

use schema::peer::Word;
use schema::{ConnectionId, UserId};

use crate::session::SessionMessage;
use crate::session::core::Input;
use crate::shared::{Shared, now_ms};

/// Between two looks at who has been away for long enough, at the most.
const LOOK: Duration = Duration::from_secs(1);

/// The counterpart of an attachment, once for each.
pub fn detach(shared: &Shared, user: UserId, connection: ConnectionId) {
    match shared.home(user) {
        None => detach_home(shared, user, connection),
        Some(home) => {
            let unwatched = shared.presence.detached(user, connection);
            shared.unwatch(unwatched);
            shared.peers.say(home, &Word::Detached { user, connection });
        }
    }
}

/// The same of a connection, of whatever node, whose user's home is here.
pub fn detach_home(shared: &Shared, user: UserId, connection: ConnectionId) {
    let unwatched = shared.presence.detached(user, connection);
    shared.unwatch(unwatched);
    // Before the session is asked for: if it wakes in this very moment, it finds it.
    shared.presence.went(user, now_ms());
    let detached = || SessionMessage::Event(Input::Detached(connection));
    if !shared.sessions.tell_awake(user, detached()) && shared.sessions.peek(user, |_| ()).is_some() {
        // What it remembers of them is for it to forget.
        shared.tell_session(user, detached());
    }
}

/// Shows those as offline who have been away for long enough and whose session sleeps: one that is awake does it itself.
pub async fn run(shared: Weak<Shared>, offline_after: Duration) {
    let every = (offline_after / 4).clamp(Duration::from_millis(10), LOOK);
    let mut looks = tokio::time::interval(every);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        look(&shared, now_ms(), offline_after.as_millis() as u64);
    }
}

fn look(shared: &Arc<Shared>, now_ms: u64, after_ms: u64) {
    for user in shared.presence.due(now_ms, after_ms) {
        if shared.sessions.is_asleep(user) {
            shared.count(shared.presence.offline(&shared.subscribers, user, now_ms, after_ms));
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::client::Status;
    use schema::{DeviceId, LoginId};
    use store::SimStore;

    use super::*;
    use crate::outlet::Outlet;
    use crate::{Attach, Config, Node};

    const USER: UserId = UserId::from_bytes([1; 16]);
    const AFTER_MS: u64 = 3_600_000;

    fn connection(index: u32) -> ConnectionId {
        ConnectionId { lot: 0, generation: 0, index }
    }

    async fn comes(node: &Node, index: u32) {
        let (device, login) = (DeviceId::default(), LoginId::default());
        node.attach(Attach { user: USER, device, login, connection: connection(index), resume: Vec::new() }).await.unwrap();
    }

    /// A node with somebody on it whose session sleeps.
    async fn with_one() -> Node {
        let store = Arc::new(SimStore::default());
        let config = Config { slots: 4, offline_after: Duration::from_millis(AFTER_MS), ..Config::default() };
        let node = Node::start(config, store.clone(), store, vec![Outlet::new(0, 1 << 20, || {})]).await.unwrap();
        comes(&node, 1).await;
        node
    }

    fn seen(node: &Node) -> (Status, bool) {
        (node.shared.presence.status(USER), node.shared.sessions.is_asleep(USER))
    }

    #[tokio::test]
    async fn who_goes_while_their_session_sleeps_is_offline_a_while_later_and_wakes_nobody() {
        let node = with_one().await;
        assert_eq!(seen(&node), (Status::Online, true));
        node.detach(USER, connection(1));
        assert_eq!(seen(&node), (Status::Online, true));
        look(&node.shared, now_ms(), AFTER_MS);
        assert_eq!(seen(&node), (Status::Online, true));
        look(&node.shared, now_ms() + AFTER_MS, AFTER_MS);
        assert_eq!(seen(&node), (Status::Offline, true));
        assert!(node.shared.presence.due(u64::MAX / 2, 0).is_empty());
    }

    #[tokio::test]
    async fn who_comes_back_in_time_or_has_another_connection_was_never_away() {
        let node = with_one().await;
        comes(&node, 2).await;
        node.detach(USER, connection(1));
        look(&node.shared, now_ms() + AFTER_MS, AFTER_MS);
        assert_eq!(seen(&node), (Status::Online, true));
        node.detach(USER, connection(2));
        comes(&node, 3).await;
        look(&node.shared, now_ms() + AFTER_MS, AFTER_MS);
        assert_eq!(seen(&node), (Status::Online, true));
    }

    #[tokio::test]
    async fn a_session_that_woke_meanwhile_says_itself_when_its_user_is_offline() {
        let node = with_one().await;
        node.detach(USER, connection(1));
        node.rooms(USER).await.unwrap();
        look(&node.shared, now_ms() + AFTER_MS, AFTER_MS);
        assert_eq!(seen(&node), (Status::Online, false));
    }
}
