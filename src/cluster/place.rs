//! Rooms and sessions follow what the group agrees on: the node hears of every table, hands over what is to move, and gives all away
//! before it goes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use actors::peer::Peers;
use actors::{Among, Node};
use cluster::{Member, NodeId, State, Status, Table};
use parking_lot::Mutex;
use schema::SlotId;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::Alone;

/// What a slot's owner does before another one takes it over; what is not done by then is found in the journal.
const SETTLE_WITHIN: Duration = Duration::from_secs(2);
/// A slot is granted anew above what the store has no more often than this.
const RAISE_AGAIN: Duration = Duration::from_secs(600);
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
    tokio::spawn(raise(member.clone()));
    // Each slot is on its way once.
    let (settled, ends) = mpsc::channel(usize::from(member.ring().slots()));
    let moving = Arc::new(Mutex::new(HashSet::new()));
    // Rings when the table wants a slot elsewhere than where it was on its way to.
    let again = Arc::new(Notify::new());
    tokio::spawn(end_moves(member.clone(), ends, moving.clone(), again.clone()));
    tokio::spawn(async move {
        let (mut state, mut before) = (member.membership().watch(), before);
        loop {
            let table = state.borrow_and_update().table();
            member.ring().update(table.clone());
            node.placed(&before);
            let us = member.membership().node();
            for (slot, placement) in (0..).map(SlotId).zip(&table.slots).filter(|(_, placement)| placement.owner == us) {
                if let Some(to) = placement.moving
                    && moving.lock().insert(slot)
                {
                    let (node, settled) = (node.clone(), settled.clone());
                    tokio::spawn(async move {
                        settle(&node, slot).await;
                        let _ = settled.send((slot, to)).await;
                    });
                }
            }
            before = Arc::new(table);
            tokio::select! {
                changed = state.changed() => if changed.is_err() { return },
                () = again.notified() => {}
            }
        }
    });
}

async fn settle(node: &Node, slot: SlotId) {
    match tokio::time::timeout(SETTLE_WITHIN, node.settle(slot)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(slot = slot.0, %error, "a slot is handed over with more to read than it should have"),
        Err(_) => tracing::warn!(slot = slot.0, "a slot is handed over with more to read than it should have"),
    }
}

/// Those that were settled while the ones before were written go into one entry. Each slot is there once: it is in `moving` until then.
async fn end_moves(
    member: Arc<Member>,
    mut settled: mpsc::Receiver<(SlotId, NodeId)>,
    moving: Arc<Mutex<HashSet<SlotId>>>,
    again: Arc<Notify>,
) {
    let membership = member.membership();
    while let Some(first) = settled.recv().await {
        let mut moves = vec![first];
        while let Ok(next) = settled.try_recv() {
            moves.push(next);
        }
        let asked = moves.clone();
        // Unheard, it is asked again; refused, the plan has changed.
        while let Err(cluster::membership::Error::Unavailable) = membership.end_moves(moves.clone()).await {
            let state = membership.state();
            moves.retain(|(slot, to)| state.slot(*slot).is_some_and(|placement| placement.moving == Some(*to)));
            if moves.is_empty() {
                break;
            }
        }
        asked.iter().for_each(|(slot, _)| _ = moving.lock().remove(slot));
        // A table that came meanwhile passed these over.
        let state = membership.state();
        let elsewhere = |slot: SlotId, to| state.slot(slot).and_then(|placement| placement.moving).is_some_and(|now| now != to);
        if asked.iter().any(|(slot, to)| elsewhere(*slot, *to)) {
            again.notify_one();
        }
    }
}

/// A slot whose epoch in the store is above this node's grant, though it is the owner by the newest table: the group is newer than its
/// store. Once in a while only: two groups on one store would take it from each other for ever.
async fn raise(member: Arc<Member>) {
    let (ring, mut raised) = (member.ring(), HashMap::<SlotId, Instant>::new());
    loop {
        for (slot, epoch) in ring.outgrown.next().await {
            if raised.get(&slot).is_some_and(|at| at.elapsed() < RAISE_AGAIN) {
                tracing::error!(slot = slot.0, epoch, "somebody who is not of this group writes to its store: stop one of the two");
                continue;
            }
            match member.membership().raise(slot, epoch).await {
                Ok(true) => {
                    tracing::warn!(slot = slot.0, epoch, "the store knew a higher epoch than the group: the slot is granted above it");
                    raised.insert(slot, Instant::now());
                }
                Ok(false) => {}
                Err(error) => tracing::debug!(slot = slot.0, %error, "a slot was not granted anew"),
            }
        }
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
    // As when all nodes are stopped at once: whoever is left can agree on nothing.
    let mut quorum = membership.watch_quorum();
    tokio::select! {
        given = tokio::time::timeout(GIVE_AWAY_WITHIN, given) => match given {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the others could not be asked to take what this node has; they take it when it is gone"),
            Err(_) => tracing::warn!("the others did not take all that this node has in time; they take the rest when it is gone"),
        },
        _ = quorum.wait_for(Option::is_some) => tracing::info!("too few others are left to take what this node has"),
    }
}
