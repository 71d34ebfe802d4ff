//! The rooms and sessions of a slot: how they wake, and what becomes of them when they end.

use std::time::Duration;

use ractor::{Actor, ActorCell, ActorId, ActorRef};
use schema::{RoomId, UserId};

use super::{SlotMessage, State};
use crate::room::RoomActor;
use crate::session::SessionActor;
use crate::slot::core::Input;

/// Between two looks at the table while something else is waited for.
const REPLACED_AGAIN: Duration = Duration::from_millis(20);

impl State {
    pub(super) async fn wake_wanted(&mut self, myself: &ActorRef<SlotMessage>) {
        if !self.core.is_serving() || self.wanted.is_empty() {
            return;
        }
        let ready: Vec<RoomId> =
            self.wanted.iter().copied().filter(|room| !self.rooms.contains_key(room) && !self.core.is_in_flight(*room)).collect();
        for room in ready {
            self.wanted.remove(&room);
            let arguments = (self.shared.clone(), room, self.activation, myself.clone());
            match Actor::spawn_linked(None, RoomActor, arguments, myself.get_cell()).await {
                Ok((actor, _)) => {
                    self.rooms.insert(room, actor.get_cell());
                    self.rooms_by_actor.insert(actor.get_id(), room);
                    self.shared.rooms.woken(room, actor);
                }
                Err(error) => {
                    tracing::error!(%error, "a room could not be woken");
                    drop(self.shared.rooms.lost(room));
                }
            }
        }
    }

    pub(super) async fn wake_session(&mut self, myself: &ActorRef<SlotMessage>, user: UserId) {
        match Actor::spawn_linked(None, SessionActor, (self.shared.clone(), user), myself.get_cell()).await {
            Ok((actor, _)) => {
                self.sessions_by_actor.insert(actor.get_id(), user);
                self.shared.sessions.woken(user, actor);
            }
            Err(error) => {
                tracing::error!(%error, "a session could not be woken");
                drop(self.shared.sessions.lost(user));
            }
        }
    }

    pub(super) fn is_awake(&self, room: RoomId, actor: ActorId) -> bool {
        self.rooms.get(&room).is_some_and(|known| known.get_id() == actor)
    }

    /// Rooms that are watched here while somebody else had the slot: what happened in them since, in order, before anything new.
    /// False: it is not all shown, and the next activation does it.
    pub(super) async fn show_missed_of_all(&self) -> bool {
        let shared = &self.shared;
        for room in shared.subscribers.known(|room| shared.reader.slot(room) == self.slot) {
            if !self.show_missed_of(room).await {
                return false;
            }
        }
        shared.subscribers.caught_up(|room| shared.reader.slot(room) == self.slot);
        true
    }

    /// A room failed with applied events that it had not shown: whoever watches it must not miss them.
    pub(super) async fn show_missed(&self, actor: ActorId) {
        if let Some(room) = self.rooms_by_actor.get(&actor).copied() {
            self.show_missed_of(room).await;
        }
    }

    /// False: the slot has another grant by now. Whoever reads it waits for that to be served, and here it would be for this very
    /// actor, which has yet to hear of it.
    async fn show_missed_of(&self, room: RoomId) -> bool {
        let missed = tokio::select! {
            biased;
            () = self.replaced() => return false,
            missed = self.shared.subscribers.missed(&self.shared.reader, room) => missed,
        };
        // Shown even if it is nothing: whoever loads the room just now has to load it again.
        self.shared.show(room, &missed);
        true
    }

    /// Returns when the table has another owner or grant for the slot than this activation.
    async fn replaced(&self) {
        let placement = || self.shared.ring.placement(self.slot);
        while self.grant == Some(placement().grant).filter(|_| placement().owner == self.shared.ring.node()) {
            tokio::time::sleep(REPLACED_AGAIN).await;
        }
    }

    /// An actor ended: parked in good order, or broken. Of a broken one nothing unapplied may be journaled.
    pub(super) async fn gone(&mut self, myself: &ActorRef<SlotMessage>, cell: &ActorCell) {
        if let Some(user) = self.sessions_by_actor.remove(&cell.get_id()) {
            if self.shared.sessions.is_place_of(user, cell.get_id()) {
                drop(self.shared.sessions.lost(user));
            }
            return;
        }
        let Some(room) = self.rooms_by_actor.remove(&cell.get_id()) else { return };
        if self.is_awake(room, cell.get_id()) {
            self.rooms.remove(&room);
            if self.shared.rooms.is_place_of(room, cell.get_id()) {
                drop(self.shared.rooms.lost(room));
            }
            self.step(myself, Input::RoomLost(room)).await;
        }
        self.wake_wanted(myself).await;
    }

    /// What waits for a room that cannot be woken now.
    pub(super) fn refuse(&self, room: RoomId) {
        self.shared.rooms.lost(room).into_iter().for_each(|message| message.refuse(self.refusal));
    }
}
