//! From a checked `hello` to `ready`: the session's rooms, one subscription each, and what was missed. No room is woken.
//!
//! Subscribe first, then read what was missed up to the head that was answered: so nothing falls between, and the lot
//! holds what comes in between until the greeting is out.

use std::collections::HashMap;
use std::sync::Arc;

use schema::client::Resume;
use schema::server::{ClientLimits, Gap, Ready, Refusal, RoomState};
use schema::{ConnectionId, ErrorCode, Event, RoomId, ServerEvent, UserId, limits};
use tokio::sync::oneshot;

use crate::error::code_of;
use crate::node::Attach;
use crate::outlet::{Down, Encoded};
use crate::session::actor::room_state;
use crate::session::core::Input;
use crate::session::{Attachment, SessionMessage};
use crate::shared::{Shared, now_ms};

/// Errors: what the client is told; the connection is no one's then.
pub async fn greet(shared: &Arc<Shared>, attach: Attach) -> Result<(), Refusal> {
    let Attach { user, device, login, connection, .. } = attach;
    shared.presence.attached(user, Attachment { connection, device, login });
    let greeting = greeting(shared, attach).await;
    let greeting = greeting.inspect_err(|_| detach(shared, user, connection))?;
    shared.subscribers.outlet(connection).push(Down::Greet { connection, user, events: greeting });
    Ok(())
}

/// The counterpart of an attachment, once for each.
pub fn detach(shared: &Shared, user: UserId, connection: ConnectionId) {
    shared.presence.detached(user, connection);
    shared.tell_session(user, SessionMessage::Event(Input::Detached(connection)));
}

async fn greeting(shared: &Arc<Shared>, attach: Attach) -> Result<Vec<Encoded>, Refusal> {
    let Attach { user, device, login, connection, resume } = attach;
    let (answer, answered) = oneshot::channel();
    shared.tell_session(user, SessionMessage::Attach { attachment: Attachment { connection, device, login }, answer });
    let own = answered.await.map_err(|_| Refusal::new(0, ErrorCode::Unavailable))?;
    let mut rooms = Vec::with_capacity(own.len());
    for own in own {
        match shared.join(user, own.room, connection).await {
            Ok(Some(view)) => rooms.push(room_state(user, &own, &view)),
            Ok(None) => {}
            Err(error) => return Err(Refusal::new(0, code_of(error))),
        }
    }
    let missed = missed(shared, &rooms, resume).await.map_err(|error| Refusal::new(0, code_of(error)))?;
    let ready = Ready {
        level: limits::LEVEL,
        user,
        login,
        device,
        installation: shared.config.installation,
        now: now_ms(),
        heartbeat_ms: shared.config.heartbeat.as_millis() as u32,
        limits: client_limits(),
        rooms,
    };
    let mut events = vec![Encoded::new(ServerEvent::Ready(ready))];
    events.extend(missed);
    Ok(events)
}

/// What the client does not have of the rooms it resumes: events where they are few, a gap where they are many.
async fn missed(shared: &Shared, rooms: &[RoomState], resume: Vec<Resume>) -> Result<Vec<Encoded>, store::Error> {
    let heads: HashMap<RoomId, u64> = rooms.iter().map(|room| (room.room, room.head)).collect();
    let mut missed = Vec::new();
    let (mut events_left, mut bytes_left) = (limits::RESUME_EVENTS_MAX as u64, limits::RESUME_BYTES_MAX);
    for Resume { room, seq } in resume {
        let Some(head) = heads.get(&room).copied().filter(|head| *head > seq) else { continue };
        let count = head - seq;
        let fits = count <= limits::RESUME_ROOM_EVENTS_MAX && count <= events_left;
        let events = if fits { shared.reader.events(room, seq + 1, head).await? } else { Vec::new() };
        let bytes: usize = events.iter().map(|event| crate::slot::weight(event)).sum();
        if !fits || bytes > bytes_left {
            missed.push(Encoded::new(ServerEvent::Gap(Gap { room, from: seq + 1, to: head })));
            continue;
        }
        events_left -= count;
        bytes_left -= bytes;
        missed.extend(events.into_iter().map(|event: Arc<Event>| Encoded::new(ServerEvent::Event(Arc::unwrap_or_clone(event)))));
    }
    Ok(missed)
}

fn client_limits() -> ClientLimits {
    ClientLimits {
        message_bytes_max: limits::MESSAGE_BYTES_MAX as u32,
        text_bytes_max: limits::TEXT_BYTES_MAX as u32,
        requests_in_flight_max: limits::REQUESTS_IN_FLIGHT_MAX,
        resume_events_max: limits::RESUME_ROOM_EVENTS_MAX as u32,
        watch_max: limits::WATCH_MAX as u16,
        page_max: limits::PAGE_MAX as u16,
    }
}
