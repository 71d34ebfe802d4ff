//! What other nodes ask, and the answers.

use std::sync::Arc;
use std::time::Duration;

use cluster::NodeId;
use schema::peer::{Answer, Question};
use schema::{Event, RoomId};

use super::FRAME_BYTES;
use crate::read::Reader;
use crate::session::Attachment;
use crate::shared::Shared;

/// For a slot that is about to be served here; less than the asking node waits.
const SERVES_WITHIN: Duration = Duration::from_millis(1_500);

pub async fn reply(shared: &Arc<Shared>, from: NodeId, question: Question) -> Answer {
    match question {
        Question::Tail { room, after } => tail(&shared.reader, room, after).await,
        Question::Memberships { user } => Answer::Memberships { changes: shared.reader.memberships().of(user) },
        Question::Attach { user, .. } | Question::Rooms { user } if shared.home(user).is_some() => Answer::Elsewhere,
        Question::Attach { user, connection, login } => {
            let attachment = Attachment { connection: shared.peers.foreign(from, connection), login };
            match crate::greet::attach_home(shared, user, attachment).await {
                Ok(rooms) => Answer::Rooms { rooms },
                Err(_) => Answer::Unavailable,
            }
        }
        Question::Rooms { user } => shared.own_rooms(user).await.map_or(Answer::Unavailable, |rooms| Answer::Rooms { rooms }),
        Question::Presence { user, rooms, users } => Answer::Presence { users: shared.presence.seen_from(user, rooms, &users) },
    }
}

/// What its owner says of a room's tail.
pub async fn tail(reader: &Reader, room: RoomId, after: u64) -> Answer {
    let slot = reader.slot(room);
    if !reader.serves(slot, SERVES_WITHIN).await || reader.confirm(slot).await.is_err() {
        return Answer::Elsewhere;
    }
    reader.tail_here(room).map_or(Answer::Elsewhere, |tail| page(&tail, after))
}

fn page(tail: &[Arc<Event>], after: u64) -> Answer {
    let (mut bytes, mut more) = (0, false);
    let mut events: Vec<Event> = Vec::new();
    for event in tail.iter().filter(|event| event.seq > after) {
        bytes += crate::slot::weight(event);
        if bytes > FRAME_BYTES && !events.is_empty() {
            more = true;
            break;
        }
        events.push((**event).clone());
    }
    Answer::Tail { events, more }
}
