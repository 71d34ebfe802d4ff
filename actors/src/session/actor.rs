//! The shell of a session: wakes its core from the store, brings it what happens, carries out what follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::NodeId;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use schema::client::Status;
use schema::peer::Word;
use schema::record::{Chosen, DraftRow, Marker, MentionRow, Receipt, Record};
use schema::server::RoomState;
use schema::{ConnectionId, RoomId, UserId};
use store::{RecordsExt, Write};
use tokio::sync::oneshot;

use super::core::{Attachment, Core, Effect, Input, Left, OwnRoom};
use super::load;
use super::markers::Mark;
use super::owed::Owed;
use crate::metrics::metrics;
use crate::shared::{Shared, now_ms};

pub enum SessionMessage {
    /// A connection said hello; the answer is what it is to be greeted with.
    Attach {
        attachment: Attachment,
        answer: oneshot::Sender<Vec<OwnRoom>>,
    },
    /// The same without a connection, for REST.
    Rooms {
        answer: oneshot::Sender<Vec<OwnRoom>>,
    },
    Event(Input),
    /// What a connection says; it has its answer from the core, or by being dropped.
    Said {
        input: Input,
        owed: Option<Owed>,
    },
    /// Answered when nothing is unsaved.
    Save {
        answer: oneshot::Sender<()>,
    },
    Tick,
    Park,
    /// What rooms said of the user may not have been heard: look.
    Reload,
    /// The user's home is elsewhere: save, and end.
    Leave,
}

pub struct SessionActor;

pub struct State {
    shared: Arc<Shared>,
    user: UserId,
    core: Option<Core>,
    last_used: Instant,
    last_saved: Instant,
}

/// Unsaved markers wait at most this long.
const SAVE_EVERY: Duration = Duration::from_secs(5);
const WAKE_TRIES: usize = 5;
const WAKE_PAUSE: Duration = Duration::from_millis(100);

impl Actor for SessionActor {
    type Msg = SessionMessage;
    type State = State;
    type Arguments = (Arc<Shared>, UserId);

    async fn pre_start(&self, myself: ActorRef<SessionMessage>, (shared, user): Self::Arguments) -> Result<State, ActorProcessingErr> {
        let every = (shared.config.session_idle / 2).max(Duration::from_millis(50));
        myself.send_interval(every, || SessionMessage::Tick);
        let now = Instant::now();
        Ok(State { shared, user, core: None, last_used: now, last_saved: now })
    }

    async fn post_start(&self, _: ActorRef<SessionMessage>, state: &mut State) -> Result<(), ActorProcessingErr> {
        let parked = state.shared.sessions.take_parked(state.user);
        let mut tries = 0;
        let loaded = loop {
            match load::load(&state.shared, state.user, parked).await {
                Ok(loaded) => break loaded,
                Err(error) if tries >= WAKE_TRIES => return Err(format!("the session of {} cannot wake: {error}", state.user).into()),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(WAKE_PAUSE).await;
        };
        // What happened while it could not be told.
        let counts = state.shared.presence.rooms(&state.shared.subscribers, state.user, loaded.rooms.keys().copied());
        state.shared.count(counts);
        state.core = Some(Core::new(state.user, state.shared.config.offline_after.as_millis() as u64, loaded));
        metrics().sessions_woken.increment(1);
        metrics().sessions_awake.increment(1.0);
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<SessionMessage>, state: &mut State) -> Result<(), ActorProcessingErr> {
        if state.core.is_some() {
            metrics().sessions_awake.decrement(1.0);
        }
        Ok(())
    }

    async fn handle(&self, myself: ActorRef<SessionMessage>, message: SessionMessage, state: &mut State) -> Result<(), ActorProcessingErr> {
        if !matches!(message, SessionMessage::Tick | SessionMessage::Park) {
            state.last_used = Instant::now();
        }
        match message {
            SessionMessage::Attach { attachment, answer } => {
                let rooms = state.core().rooms();
                // Before others are told that they came: it says who may know.
                let counts = state.shared.presence.rooms(&state.shared.subscribers, state.user, rooms.iter().map(|own| own.room));
                state.shared.count(counts);
                state.step(Input::Attached(attachment)).await;
                let _ = answer.send(rooms);
            }
            SessionMessage::Rooms { answer } => drop(answer.send(state.core().rooms())),
            SessionMessage::Event(input) => state.step(input).await,
            SessionMessage::Said { input, owed } => {
                state.step(input).await;
                owed.into_iter().for_each(Owed::paid);
            }
            SessionMessage::Save { answer } => {
                state.step(Input::Tick).await;
                let _ = answer.send(());
            }
            SessionMessage::Reload => state.reload().await,
            SessionMessage::Leave => {
                state.save().await;
                myself.stop(None);
            }
            SessionMessage::Tick => state.tick().await,
            SessionMessage::Park => {
                let idle = state.core().is_idle(now_ms());
                let parked = idle.then(|| state.core().parked());
                if state.shared.sessions.parked(state.user, parked) {
                    myself.stop(None);
                }
            }
        }
        Ok(())
    }
}

impl State {
    fn core(&self) -> &Core {
        self.core.as_ref().expect("a session handles nothing before it has woken")
    }

    async fn tick(&mut self) {
        let quiet = self.last_used.elapsed() >= self.shared.config.session_idle;
        if quiet || self.last_saved.elapsed() >= SAVE_EVERY {
            self.last_saved = Instant::now();
            self.step(Input::Tick).await;
        }
        if quiet && self.core().is_idle(now_ms()) {
            self.shared.sessions.park(self.user, SessionMessage::Park);
        }
    }

    async fn reload(&mut self) {
        match self.shared.reader.rooms_of(self.user).await {
            Ok(rooms) => {
                let gone = self.core().departed(&rooms);
                for (room, seq) in gone {
                    self.step(Input::Left { room, seq }).await;
                }
                for (room, (role, seq)) in rooms {
                    self.step(Input::Joined { room, role, seq }).await;
                }
            }
            Err(error) => tracing::warn!(%error, "a session cannot look at its rooms; it does when it wakes"),
        }
    }

    async fn save(&mut self) {
        if self.core.is_some() {
            self.step(Input::Tick).await;
        }
    }

    async fn step(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.core.as_mut().expect("a session handles nothing before it has woken").handle(input, now_ms(), &mut effects);
        for effect in effects {
            if let Err(error) = self.carry_out(effect).await {
                tracing::warn!(%error, "a session could not save something; it is kept by the client or said again");
            }
        }
    }

    async fn carry_out(&mut self, effect: Effect) -> Result<(), store::Error> {
        let (shared, user) = (&self.shared, self.user);
        match effect {
            Effect::Send { connection, event } => shared.subscribers.send(connection, event),
            Effect::Receipt { room, mark } => shared.receipt(room, user, mark.seq, mark.delivered),
            Effect::SaveChosen(status) => {
                let row = Chosen { user, status };
                let write = if status == Status::Online { Write::delete(row.key(), now_ms()) } else { Write::put(&row, now_ms()) };
                shared.reader.records.put_many(vec![write]).await?;
            }
            Effect::SaveMarks(marks) => self.save_marks(marks).await?,
            Effect::SaveLeft { room, left: Left { text, unread_from } } => {
                let row = DraftRow { user, room, text, unread_from };
                shared.reader.records.put_many(vec![Write::put(&row, now_ms())]).await?;
            }
            Effect::ForgetMentions { room, seqs } => {
                let gone = seqs.into_iter().map(|seq| Write::delete(MentionRow::key_of(user, room, seq), seq)).collect();
                shared.reader.records.put_many(gone).await?;
            }
            Effect::Enter { room, connections } => self.enter(room, connections).await?,
            Effect::Exit { room, connections } => {
                shared.count(shared.presence.exited(&shared.subscribers, user, room));
                let (here, abroad) = self.by_node(connections);
                here.into_iter().for_each(|connection| shared.subscribers.part(room, connection));
                for (node, connections) in abroad {
                    shared.subscribers.say(node, &Word::Exit { user, room, connections });
                }
            }
            Effect::Seen { status, at } => {
                shared.count(shared.presence.set(&shared.subscribers, user, status, Some(at)));
            }
        }
        Ok(())
    }

    async fn save_marks(&self, marks: Vec<(RoomId, Mark)>) -> Result<(), store::Error> {
        let (records, user) = (&self.shared.reader.records, self.user);
        for (room, Mark { seq, ordinal, delivered }) in marks {
            records.raise(&Marker { user, room, seq, ordinal }, seq).await?;
            records.raise(&Receipt { room, user, seq, delivered }, seq + delivered).await?;
        }
        Ok(())
    }

    /// Those here, and those of other nodes as they are called there.
    fn by_node(&self, connections: Vec<ConnectionId>) -> (Vec<ConnectionId>, BTreeMap<NodeId, Vec<ConnectionId>>) {
        let (mut here, mut abroad) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for connection in connections {
            match self.shared.peers.abroad(connection) {
                None => here.push(connection),
                Some((node, connection)) => abroad.entry(node).or_default().push(connection),
            }
        }
        (here, abroad)
    }

    async fn enter(&self, room: RoomId, connections: Vec<ConnectionId>) -> Result<(), store::Error> {
        self.shared.count(self.shared.presence.entered(&self.shared.subscribers, self.user, room));
        let Some(own) = self.core().room(room) else { return Ok(()) };
        let (here, abroad) = self.by_node(connections);
        for (node, connections) in abroad {
            self.shared.subscribers.say(node, &Word::Enter { user: self.user, room: own.clone(), connections });
        }
        for connection in here {
            if let Some(view) = self.shared.join(self.user, room, connection).await? {
                let state = room_state(self.user, &own, &view);
                self.shared.subscribers.send(connection, schema::ServerEvent::Room(state));
            }
        }
        Ok(())
    }
}

/// A room as one member is told of it.
pub fn room_state(user: UserId, own: &OwnRoom, view: &crate::read::View) -> RoomState {
    RoomState {
        room: own.room,
        kind: view.kind,
        settings: (*view.settings).clone(),
        role: own.role,
        head: view.head,
        ordinal: view.ordinal,
        at: view.at,
        read_seq: own.mark.seq.min(view.head),
        read_ordinal: own.mark.ordinal.min(view.ordinal),
        unread_from: own.unread_from,
        mentions: own.mentions.clone(),
        draft: own.draft.clone(),
        peer: view.peer(user),
        members: view.members,
    }
}
