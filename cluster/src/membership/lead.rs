//! What the leader does: takes suspects for down, carries out the plan for the slots, and keeps the voters as they should be. What that is,
//! `plan` and `detector` say; entries that came too late are refused by the state.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openraft::{BasicNode, ChangeMembers, RaftMetrics, ServerState};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::Membership;
use crate::detector::LOOK_MS;
use crate::plan::{moves_in_flight_max, plan, voters};
use crate::ring::NodeId;
use crate::state::{Command, Outcome, State};

/// How often voters are looked at; nothing waits for it but the next failure.
const VOTERS_EVERY: Duration = Duration::from_millis(100);
/// A change of voters that takes longer is tried again from what there is then.
const CHANGE: Duration = Duration::from_secs(3);
const ENTRY: Duration = Duration::from_millis(500);
/// A learner may vote that is behind by less.
const BEHIND_MAX: u64 = 100;

impl Membership {
    /// Every node listens, so that a new leader acts on what it heard itself.
    pub(super) async fn look_out(self) {
        let mut looks = interval(Duration::from_millis(LOOK_MS));
        looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            looks.tick().await;
            let state = self.state();
            let suspects = self.inner.detector.lock().look(&state, self.now_ms());
            if !self.leads() {
                continue;
            }
            let downs = suspects.iter().map(|suspect| Command::Down { node: suspect.node, incarnation: suspect.incarnation });
            let mut entries: Vec<_> = downs.collect();
            if entries.is_empty() {
                entries = next(&state);
            }
            for entry in entries {
                let Some(outcome) = self.propose_once(&entry, Instant::now() + ENTRY).await else { break };
                match (&entry, outcome) {
                    (Command::Down { node, .. }, Outcome::Done) => tracing::warn!(node = node.0, "a node is down: it was not heard of"),
                    (_, outcome) => tracing::debug!(?entry, ?outcome, "the plan is carried out"),
                }
            }
        }
    }

    pub(super) fn leads(&self) -> bool {
        self.inner.raft.metrics().borrow().state == ServerState::Leader
    }

    pub(super) async fn keep_voters(self) {
        let mut looks = interval(VOTERS_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            looks.tick().await;
            let metrics = self.inner.raft.metrics().borrow().clone();
            if metrics.state != ServerState::Leader {
                continue;
            }
            if let Some(change) = next_change(&self.state(), &metrics) {
                tracing::info!(?change, "the group changes");
                match timeout(CHANGE, self.inner.raft.change_membership(change, true)).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "the group has not changed"),
                    Err(_) => tracing::warn!("the group takes long to change"),
                }
            }
        }
    }
}

/// The plan as entries.
fn next(state: &State) -> Vec<Command> {
    let plan = plan(state, moves_in_flight_max(state));
    let mut taken: BTreeMap<NodeId, Vec<_>> = BTreeMap::new();
    plan.assign.iter().for_each(|step| taken.entry(step.from).or_default().push((step.slot, step.to)));
    let assigned = taken.into_iter().map(|(from, slots)| Command::Assign { from, slots });
    let begun: Vec<_> = plan.begin.iter().map(|step| (step.slot, step.to)).collect();
    let begun = (!begun.is_empty()).then_some(Command::BeginMoves { moves: begun });
    assigned.chain(begun).collect()
}

type Change = ChangeMembers<u64, BasicNode>;

/// One at a time: first everybody gets the log, then the right ones vote, then those who were removed are let go.
fn next_change(state: &State, metrics: &RaftMetrics<u64, BasicNode>) -> Option<Change> {
    if !state.is_founded() {
        return None;
    }
    let membership = metrics.membership_config.membership();
    let is_joint = membership.get_joint_config().len() > 1;
    let members: BTreeSet<NodeId> = membership.nodes().map(|(id, _)| NodeId(*id)).collect();
    let missing = state.nodes.iter().filter(|(id, _)| !members.contains(*id));
    let missing: BTreeMap<u64, BasicNode> = missing.map(|(id, node)| (id.0, BasicNode::new(&node.spec.address))).collect();
    if !missing.is_empty() && !is_joint {
        return Some(ChangeMembers::AddNodes(missing));
    }
    let current: BTreeSet<NodeId> = membership.voter_ids().map(NodeId).collect();
    let wanted = voters(state, &current, &ready(metrics));
    // A change whose leader died in the middle is finished by the next one.
    if is_joint || wanted != current {
        return Some(ChangeMembers::ReplaceAllVoters(wanted.iter().map(|id| id.0).collect()));
    }
    let gone: BTreeSet<u64> = members.difference(&current).filter(|id| !state.nodes.contains_key(*id)).map(|id| id.0).collect();
    (!gone.is_empty()).then_some(ChangeMembers::RemoveNodes(gone))
}

fn ready(metrics: &RaftMetrics<u64, BasicNode>) -> BTreeSet<NodeId> {
    let last = metrics.last_log_index.unwrap_or(0);
    let sent = metrics.replication.iter().flatten();
    sent.filter(|(_, matched)| matched.is_some_and(|id| id.index + BEHIND_MAX >= last)).map(|(id, _)| NodeId(*id)).collect()
}
