//! The root of a node's actors: spawns the slots and puts a fresh one in the place of a broken one. Decides nothing else.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use schema::SlotId;

use crate::shared::Shared;
use crate::slot::SlotActor;

pub struct Supervisor;

pub struct State {
    shared: Arc<Shared>,
    slots: HashMap<ActorId, SlotId>,
}

impl Actor for Supervisor {
    type Msg = ();
    type State = State;
    type Arguments = Arc<Shared>;

    async fn pre_start(&self, myself: ActorRef<()>, shared: Arc<Shared>) -> Result<State, ActorProcessingErr> {
        let mut state = State { shared, slots: HashMap::new() };
        for slot in (0..state.shared.config.slots).map(SlotId) {
            let actor = Actor::spawn_linked(None, SlotActor, (state.shared.clone(), slot), myself.get_cell()).await?.0;
            state.slots.insert(actor.get_id(), slot);
            state.shared.slots.write().push(actor);
        }
        Ok(state)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<()>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, why) => {
                tracing::error!(%why, "a slot failed and is made anew");
                state.replace(&myself, &cell).await?;
            }
            SupervisionEvent::ActorTerminated(cell, _, _) => state.replace(&myself, &cell).await?,
            _ => {}
        }
        Ok(())
    }
}

impl State {
    /// Its rooms and sessions went with it; what waits for them is answered by being dropped, and they wake with the new one.
    async fn replace(&mut self, myself: &ActorRef<()>, cell: &ActorCell) -> Result<(), ActorProcessingErr> {
        let Some(slot) = self.slots.remove(&cell.get_id()) else { return Ok(()) };
        let actor = Actor::spawn_linked(None, SlotActor, (self.shared.clone(), slot), myself.get_cell()).await?.0;
        self.slots.insert(actor.get_id(), slot);
        self.shared.slots.write()[usize::from(slot.0)] = actor;
        self.shared.rooms.forget(|room| self.shared.reader.slot(*room) == slot);
        self.shared.sessions.forget(|user| self.shared.session_slot(*user) == slot);
        Ok(())
    }
}
