//! What is said anew: to a node that can be spoken to again, and to whoever has other slots than before.

use std::collections::HashSet;
use std::sync::Arc;

use cluster::{NodeId, Table};
use schema::peer::{Change, OwnRoom, Word};
use schema::{CloseCode, ConnectionId, RoomId, ServerEvent, SlotId, UserId};

use super::Turns;
use crate::session::{Attachment, SessionMessage};
use crate::shared::Shared;
use crate::slot::SlotMessage;

/// This node can be spoken to, and may not have heard what was said before.
pub(super) fn up(shared: &Arc<Shared>, node: NodeId) {
    shared.peers.say(node, &Word::Begin {});
    heard(shared, node);
    let is_theirs = |user: UserId| shared.home(user) == Some(node);
    for (user, (room, role, seq)) in shared.reader.memberships().all(is_theirs) {
        let change = role.map_or(Change::Left, |role| Change::Joined { role });
        shared.peers.say(node, &Word::Changed { user, room, seq, change });
    }
}

/// This node is heard, and what it said before may not have been: answers, events, what its rooms say of people.
pub(super) fn heard(shared: &Arc<Shared>, node: NodeId) {
    shared.peers.forwards.unsaid(|to, _| to == node);
    shared.peers.give_up(&shared.subscribers, |remarks, _| remarks.lost(node));
    begin(shared, |slot| shared.ring.placement(slot).owner == node);
    // Those who are here, and have their home here, may have rooms that the node could not say.
    let here = shared.presence.attached_from(|_| true);
    let users: HashSet<UserId> = here.into_iter().map(|(user, _)| user).filter(|user| shared.home(*user).is_none()).collect();
    users.into_iter().for_each(|user| shared.tell_session(user, SessionMessage::Reload));
}

/// What this node said is over, and so is what it wanted: it says anew what it still wants.
pub(super) fn gone(shared: &Arc<Shared>, node: NodeId) {
    shared.subscribers.forget_follower(node);
    shared.presence.unwatch_all_from(node);
    shared.relay.forget(node);
    let theirs = |connection: ConnectionId| shared.peers.abroad(connection).is_some_and(|(of, _)| of == node);
    for (user, Attachment { connection, .. }) in shared.presence.attached_from(theirs) {
        crate::depart::detach_home(shared, user, connection);
    }
}

/// The ring has another table than this one.
pub fn placed(shared: &Arc<Shared>, before: &Table) {
    shared.peers.knows_table(shared.ring.version());
    let Turns { changed, lost, gained, placed } = Turns::between(before, &shared.ring.table(), shared.ring.node());
    if !changed.is_empty() {
        shared.relay.give_up(&|room| lost.contains(&shared.reader.slot(room)));
        let is_ours = |connection| shared.peers.abroad(connection).is_none();
        for (_, rooms) in shared.presence.leave_home(|user| lost.contains(&shared.session_slot(user)), is_ours) {
            rooms.into_iter().for_each(|room| shared.relay.online(room, false));
        }
        // What their last home said of these is for us to say now.
        shared.presence.leave_home(|user| gained.contains(&shared.session_slot(user)), is_ours);
        shared.peers.forwards.unsaid(|_, slot| changed.contains(&slot));
        begin(shared, |slot| changed.contains(&slot));
    }
    // Last: a slot that is ours says that its rooms are caught up, and must not say it before they were said to be behind.
    for slot in placed {
        let _ = shared.slot(slot).cast(SlotMessage::Placed);
    }
}

/// Rooms of these slots are followed anew, users of them attached and watched, and counts told.
fn begin(shared: &Arc<Shared>, begins: impl Fn(SlotId) -> bool) {
    let is_room = |room: RoomId| begins(shared.reader.slot(room));
    shared.subscribers.follow_again(&shared.reader, &is_room);
    shared.relay.count_again(&is_room);
    shared.watch(shared.presence.watched(|user| begins(shared.session_slot(user))));
    let here = shared.presence.attached_from(|connection| shared.peers.abroad(connection).is_none());
    let users: HashSet<UserId> = here.into_iter().map(|(user, _)| user).filter(|user| begins(shared.session_slot(*user))).collect();
    if !users.is_empty() {
        let shared = shared.clone();
        tokio::spawn(async move {
            for user in users {
                attach_again(&shared, user).await;
            }
        });
    }
}

/// The user's home knows their connections here again, and these have the rooms that the user has by now.
async fn attach_again(shared: &Arc<Shared>, user: UserId) {
    let attachments: Vec<Attachment> =
        shared.presence.attachments(user).into_iter().filter(|attachment| shared.peers.abroad(attachment.connection).is_none()).collect();
    let known: HashSet<RoomId> = shared.presence.rooms_of(user).into_iter().collect();
    let mut rooms: Vec<OwnRoom> = Vec::new();
    for attachment in &attachments {
        match crate::greet::attach(shared, user, *attachment).await {
            Ok(answered) => rooms = answered,
            // They come again, and find a home.
            Err(_) => return attachments.iter().for_each(|attachment| shared.subscribers.close(attachment.connection, CloseCode::Busy)),
        }
    }
    let now: HashSet<RoomId> = rooms.iter().map(|own| own.room).collect();
    for Attachment { connection, .. } in attachments {
        known.difference(&now).for_each(|room| shared.subscribers.part(*room, connection));
        for own in rooms.iter().filter(|own| !known.contains(&own.room)) {
            if let Ok(Some(view)) = shared.join(user, own.room, connection).await {
                let state = crate::session::actor::room_state(user, own, &view);
                shared.subscribers.send(connection, ServerEvent::Room(state));
            }
        }
    }
    shared.presence.rooms(&shared.subscribers, user, now);
}
