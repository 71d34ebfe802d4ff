//! Rooms and sessions follow what the group agrees on: the node hears of every table, hands over what is to move, and gives all away
//! before it goes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use actors::peer::Peers;
use actors::{Among, Node};
use cluster::{Member, State, Status, Table};
use parking_lot::Mutex;
use schema::SlotId;

use super::Alone;

/// What a slot's owner does before another one takes it over; what is not done by then is found in the journal.
const SETTLE_WITHIN: Duration = Duration::from_secs(2);
/// From asking that all slots are somebody else's to going without that.
const GIVE_AWAY_WITHIN: Duration = Duration::from_secs(20);

/// Who owns what, and the way to the others, if there may be any.
pub fn among(member: &Member, peers: Arc<Peers>, alone: Alone) -> Among {
    if alone.is_none() {
        let mesh = member.chat(peers.clone());
        peers.reach_by(mesh.clone());
        member.follow(mesh);
    }
    Among { ring: member.ring(), peers }
}

/// From now on the node does what the table says. `before`: the one that it was started with, or an older one.
pub fn follow(member: Arc<Member>, node: Node, before: Arc<Table>) {
    tokio::spawn(async move {
        let (mut state, mut before) = (member.membership().watch(), before);
        let moving = Arc::new(Mutex::new(HashSet::new()));
        loop {
            let table = state.borrow_and_update().table();
            member.ring().update(table.clone());
            node.placed(&before);
            let us = member.membership().node();
            for (slot, placement) in (0..).map(SlotId).zip(&table.slots).filter(|(_, placement)| placement.owner == us) {
                if let Some(to) = placement.moving
                    && moving.lock().insert(slot)
                {
                    let (member, node, moving) = (member.clone(), node.clone(), moving.clone());
                    tokio::spawn(async move {
                        hand_over(&member, &node, slot, to).await;
                        moving.lock().remove(&slot);
                    });
                }
            }
            before = Arc::new(table);
            if state.changed().await.is_err() {
                return;
            }
        }
    });
}

async fn hand_over(member: &Member, node: &Node, slot: SlotId, to: cluster::NodeId) {
    match tokio::time::timeout(SETTLE_WITHIN, node.settle(slot)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(slot = slot.0, %error, "a slot is handed over with more to read than it should have"),
        Err(_) => tracing::warn!(slot = slot.0, "a slot is handed over with more to read than it should have"),
    }
    // Refused, the plan has changed; unheard, it is asked for again by whoever leads then.
    if let Err(error) = member.membership().end_move(slot, to).await {
        tracing::debug!(slot = slot.0, %error, "a slot was not handed over");
    }
}

/// Before this node goes: others take what it has, if there are any.
pub async fn give_away(member: &Member) {
    let (membership, us) = (member.membership(), member.membership().node());
    let others = |state: &State, are: &[Status]| state.nodes.iter().any(|(id, node)| *id != us && are.contains(&node.status));
    // One that goes too takes nothing, but has to hear that this one takes nothing either.
    if !others(&membership.state(), &[Status::Active, Status::Draining]) {
        return;
    }
    let given = async {
        membership.drain(us).await?;
        let mut state = membership.watch();
        let _ = state.wait_for(|state| state.owned_by(us) == 0 || !others(state, &[Status::Active])).await;
        Ok::<_, cluster::membership::Error>(())
    };
    match tokio::time::timeout(GIVE_AWAY_WITHIN, given).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the others could not be asked to take what this node has; they take it when it is gone"),
        Err(_) => tracing::warn!("the others did not take all that this node has in time; they take the rest when it is gone"),
    }
}
