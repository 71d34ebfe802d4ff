//! From a checked `hello` to `ready`: the user's rooms, one subscription each, and what was missed. No room is woken, and
//! no session that sleeps: a node that everybody comes back to at once has rows to read, not actors to make.
//!
//! Subscribe first, then read what was missed up to the head that was answered: so nothing falls between, and the lot
//! holds what comes in between until the greeting is out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use schema::client::Resume;
use schema::peer::{Answer, Question};
use schema::server::{ClientLimits, Gap, Ready, Refusal, RoomState};
use schema::{ErrorCode, Event, RoomId, ServerEvent, UserId, limits};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::depart;
use crate::error::code_of;
use crate::node::Attach;
use crate::outlet::{Down, Encoded};
use crate::session::actor::room_state;
use crate::session::core::{Core, OwnRoom};
use crate::session::{Attachment, SessionMessage, load};
use crate::shared::{Shared, now_ms};

/// Rooms of one connection that are joined at a time.
const JOINS_MAX: usize = 64;
/// For the home of a user that changes, and between two tries.
const HOME_WITHIN: Duration = Duration::from_secs(4);
const HOME_AGAIN: Duration = Duration::from_millis(20);

/// Errors: what the client is told; the connection is no one's then.
pub async fn greet(shared: &Arc<Shared>, attach: Attach) -> Result<(), Refusal> {
    let Attach { user, login, connection, .. } = attach;
    shared.presence.attached(user, Attachment { connection, login });
    let greeting = greeting(shared, attach).await;
    let greeting = greeting.inspect_err(|_| depart::detach(shared, user, connection))?;
    shared.subscribers.outlet(connection).push(Down::Greet { connection, user, events: greeting });
    Ok(())
}

/// A connection, of whatever node, whose user's home is here.
pub async fn attach_home(shared: &Arc<Shared>, user: UserId, attachment: Attachment) -> Result<Vec<OwnRoom>, ErrorCode> {
    shared.presence.attached(user, attachment);
    own_rooms(shared, user, attachment).await
}

async fn greeting(shared: &Arc<Shared>, arrived: Attach) -> Result<Vec<Encoded>, Refusal> {
    let Attach { user, device, login, connection, resume } = arrived;
    let own = attach(shared, user, Attachment { connection, login }).await.map_err(|code| Refusal::new(0, code))?;
    if shared.home(user).is_some() {
        shared.presence.rooms(&shared.subscribers, user, own.iter().map(|own| own.room));
    }
    // Those elsewhere are asked for together.
    let joins = stream::iter(own).map(async |own| {
        let view = shared.join(user, own.room, connection).await?;
        Ok::<_, store::Error>(view.map(|view| room_state(user, &own, &view)))
    });
    let rooms = joins.buffered(JOINS_MAX).try_filter_map(async |room| Ok(room)).try_collect().await;
    let rooms: Vec<RoomState> = rooms.map_err(|error| Refusal::new(0, code_of(error)))?;
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
        nodes: shared.config.nodes.clone(),
    };
    let mut events = vec![Encoded::new(ServerEvent::Ready(ready))];
    events.extend(missed);
    Ok(events)
}

/// The user's home knows a connection here, and says which rooms are theirs. Errors: `unavailable`, nobody is their home for long.
pub async fn attach(shared: &Arc<Shared>, user: UserId, attachment: Attachment) -> Result<Vec<OwnRoom>, ErrorCode> {
    let deadline = Instant::now() + HOME_WITHIN;
    loop {
        let Some(home) = shared.home(user) else { return attach_home(shared, user, attachment).await };
        let question = Question::Attach { user, connection: attachment.connection, login: attachment.login };
        if let Some(Answer::Rooms { rooms }) = shared.peers.ask(home, &question).await {
            return Ok(rooms);
        }
        if Instant::now() >= deadline {
            return Err(ErrorCode::Unavailable);
        }
        tokio::time::sleep(HOME_AGAIN).await;
    }
}

/// The user's rooms: of the session if it is awake, else as the store has them, since what sleeps has nothing unsaved.
///
/// The connection is attached by now, so a session that wakes meanwhile knows it and tells it what changes.
async fn own_rooms(shared: &Arc<Shared>, user: UserId, attachment: Attachment) -> Result<Vec<OwnRoom>, ErrorCode> {
    if let Some(answered) = ask_awake(shared, user, attachment) {
        return answered.await.map_err(|_| ErrorCode::Unavailable);
    }
    let loaded = load(shared, user, None).await.map_err(code_of)?;
    if let Some(answered) = ask_awake(shared, user, attachment) {
        return answered.await.map_err(|_| ErrorCode::Unavailable);
    }
    let chosen = loaded.parked.chosen;
    let rooms = Core::new(user, 0, loaded).rooms();
    // Before others are told that they came: it says who may know.
    shared.count(shared.presence.rooms(&shared.subscribers, user, rooms.iter().map(|own| own.room)));
    let status = shared.sessions.peek(user, |parked| parked.chosen).unwrap_or(chosen);
    shared.presence.came(&shared.subscribers, user, attachment.connection, status, |counts| shared.count(counts));
    // If it woke in this very moment, it has the last word about how the user is seen, and by whom.
    drop(ask_awake(shared, user, attachment));
    Ok(rooms)
}

/// `None`: it sleeps.
fn ask_awake(shared: &Shared, user: UserId, attachment: Attachment) -> Option<oneshot::Receiver<Vec<OwnRoom>>> {
    let (answer, answered) = oneshot::channel();
    shared.sessions.tell_awake(user, SessionMessage::Attach { attachment, answer }).then_some(answered)
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
