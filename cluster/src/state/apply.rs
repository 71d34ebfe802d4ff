//! Pure. One entry of the log, applied. Refuses what does not fit the state as it is now: whoever proposed it saw an older one.
//! What is refused changes nothing at all.

use schema::SlotId;

use super::{
    ADDRESS_BYTES_MAX, Command, GRANT_MAX, INVITES_MAX, NODES_MAX, Node, Outcome, Refusal, SLOTS_MAX, Spec, State, Status, ZONE_BYTES_MAX,
};
use crate::ring::{NodeId, Placement};

type Applied = Result<Outcome, Refusal>;

impl State {
    /// `index` is the entry's place in the log; it rises from call to call.
    pub fn apply(&mut self, index: u64, command: &Command) -> Outcome {
        match self.change(index, command) {
            Ok(outcome) => {
                self.version = index;
                outcome
            }
            Err(refusal) => Outcome::Refused(refusal),
        }
    }

    fn change(&mut self, index: u64, command: &Command) -> Applied {
        if !self.is_founded() && !matches!(command, Command::Found { .. }) {
            return Err(Refusal::NotFounded);
        }
        match command {
            Command::Found { cluster, node, spec, slots, above } => self.found(index, (*cluster, *node), spec, *slots, *above),
            Command::Join { spec } => self.join(NodeId(index), spec),
            Command::Invite { invite } => self.invite(*invite),
            Command::Admit { invite, spec } => self.admit(NodeId(index), *invite, spec),
            Command::Activate { node, spec, above } => self.activate(index, *node, spec, *above),
            Command::Renew { node, fingerprint } => self.renew(*node, *fingerprint),
            Command::Drain { node } => self.drain(*node),
            Command::Down { node, incarnation } => self.down(*node, *incarnation),
            Command::Remove { node } => self.remove(*node),
            Command::BeginMove { slot, to } => self.begin_move(*slot, *to),
            Command::EndMove { slot, to } => self.end_move(index, *slot, *to),
            Command::BeginMoves { moves } => self.begin_moves(moves),
            Command::EndMoves { moves } => self.end_moves(index, moves),
            Command::Pace { moves_in_flight } => {
                self.moves_in_flight = Some(*moves_in_flight);
                Ok(Outcome::Done)
            }
            Command::Assign { from, slots } => self.assign(index, *from, slots),
            Command::Raise { slot, owner, above } => self.raise(index, *slot, *owner, *above),
        }
    }

    fn found(&mut self, index: u64, (cluster, node): (u128, NodeId), spec: &Spec, slots: u16, above: u64) -> Applied {
        if self.is_founded() {
            return Err(Refusal::Founded);
        }
        if !slots.is_power_of_two() || slots > SLOTS_MAX {
            return Err(Refusal::Slots(slots));
        }
        fits(spec)?;
        let grant = self.next_grant(index, above)?;
        self.cluster = cluster;
        self.slots = vec![Placement { owner: node, grant, moving: None }; usize::from(slots)];
        self.nodes.insert(node, Node { spec: spec.clone(), status: Status::Active, incarnation: index, invite: None, before: None });
        Ok(Outcome::Active { incarnation: index })
    }

    /// Whoever begins to join at an address where another one began, or was lost with all it owned, takes that one's place: it can only
    /// be the same machine, whose answer or whose disk is gone.
    fn join(&mut self, id: NodeId, spec: &Spec) -> Applied {
        fits(spec)?;
        let replaced = |node: &Node| node.spec.address == spec.address && matches!(node.status, Status::Joining | Status::Down);
        let gone: Vec<_> = self.nodes.iter().filter(|(id, node)| replaced(node) && self.owned_by(**id) == 0).map(|(id, _)| *id).collect();
        if self.nodes.len() - gone.len() >= NODES_MAX {
            return Err(Refusal::Full);
        }
        gone.iter().for_each(|id| drop(self.nodes.remove(id)));
        self.nodes.insert(id, Node { spec: spec.clone(), status: Status::Joining, incarnation: 0, invite: None, before: None });
        Ok(Outcome::Joined { node: id, cluster: self.cluster })
    }

    fn invite(&mut self, invite: [u8; 32]) -> Applied {
        self.invites.retain(|known| *known != invite);
        self.invites.push(invite);
        let over = self.invites.len().saturating_sub(INVITES_MAX);
        self.invites.drain(..over);
        Ok(Outcome::Done)
    }

    fn admit(&mut self, id: NodeId, invite: [u8; 32], spec: &Spec) -> Applied {
        if !self.is_invited(invite, &spec.address) {
            return Err(Refusal::NotInvited);
        }
        let joined = self.join(id, spec)?;
        self.invites.retain(|known| *known != invite);
        self.nodes.get_mut(&id).expect("it joined").invite = Some(invite);
        Ok(joined)
    }

    fn activate(&mut self, index: u64, id: NodeId, spec: &Spec, above: u64) -> Applied {
        fits(spec)?;
        if !self.nodes.contains_key(&id) {
            return Err(Refusal::NoNode(id));
        }
        let grant = self.next_grant(index, above)?;
        let before = self.shown_before(id, spec.fingerprint);
        self.nodes.insert(id, Node { spec: spec.clone(), status: Status::Active, incarnation: index, invite: None, before });
        self.slots.iter_mut().filter(|slot| slot.owner == id).for_each(|slot| slot.grant = grant);
        Ok(Outcome::Active { incarnation: index })
    }

    fn renew(&mut self, id: NodeId, fingerprint: [u8; 32]) -> Applied {
        let before = self.shown_before(id, fingerprint);
        let node = self.nodes.get_mut(&id).ok_or(Refusal::NoNode(id))?;
        (node.spec.fingerprint, node.before) = (fingerprint, before);
        Ok(Outcome::Done)
    }

    /// Said again, the certificate before stays the one before.
    fn shown_before(&self, id: NodeId, fingerprint: [u8; 32]) -> Option<[u8; 32]> {
        let node = self.nodes.get(&id)?;
        if node.spec.fingerprint == fingerprint { node.before } else { Some(node.spec.fingerprint).filter(|shown| *shown != [0; 32]) }
    }

    fn drain(&mut self, id: NodeId) -> Applied {
        let node = self.nodes.get_mut(&id).ok_or(Refusal::NoNode(id))?;
        if !matches!(node.status, Status::Active | Status::Draining) {
            return Err(Refusal::NotActive(id));
        }
        node.status = Status::Draining;
        self.give_up_moves_to(id);
        Ok(Outcome::Done)
    }

    fn down(&mut self, id: NodeId, incarnation: u64) -> Applied {
        let node = self.nodes.get_mut(&id).ok_or(Refusal::NoNode(id))?;
        if node.incarnation != incarnation || node.status == Status::Joining {
            return Err(Refusal::Stale);
        }
        node.status = Status::Down;
        self.give_up_moves_to(id);
        Ok(Outcome::Done)
    }

    fn remove(&mut self, id: NodeId) -> Applied {
        let node = self.nodes.get(&id).ok_or(Refusal::NoNode(id))?;
        if node.status == Status::Active {
            return Err(Refusal::StillActive(id));
        }
        if self.owned_by(id) > 0 {
            return Err(Refusal::OwnsSlots(id));
        }
        self.nodes.remove(&id);
        self.give_up_moves_to(id);
        Ok(Outcome::Done)
    }

    fn begin_move(&mut self, slot: SlotId, to: NodeId) -> Applied {
        self.active(to)?;
        let placement = self.slots.get_mut(usize::from(slot.0)).ok_or(Refusal::NoSlot(slot))?;
        if placement.owner == to || placement.moving.is_some() {
            return Err(Refusal::Stale);
        }
        placement.moving = Some(to);
        Ok(Outcome::Done)
    }

    fn end_move(&mut self, index: u64, slot: SlotId, to: NodeId) -> Applied {
        if self.slot(slot).ok_or(Refusal::NoSlot(slot))?.moving != Some(to) {
            return Err(Refusal::Stale);
        }
        let grant = self.next_grant(index, 0)?;
        self.slots[usize::from(slot.0)] = Placement { owner: to, grant, moving: None };
        Ok(Outcome::Done)
    }

    /// A move is as good as another: one that came too late does not hold up the others.
    fn begin_moves(&mut self, moves: &[(SlotId, NodeId)]) -> Applied {
        let begun = moves.iter().filter(|(slot, to)| self.begin_move(*slot, *to).is_ok()).count();
        if begun > 0 { Ok(Outcome::Done) } else { Err(Refusal::Stale) }
    }

    fn end_moves(&mut self, index: u64, moves: &[(SlotId, NodeId)]) -> Applied {
        let under_way = |(slot, to): &&(SlotId, NodeId)| self.slot(*slot).is_some_and(|placement| placement.moving == Some(*to));
        let ended: Vec<_> = moves.iter().filter(under_way).copied().collect();
        if ended.is_empty() {
            return Err(Refusal::Stale);
        }
        let grant = self.next_grant(index, 0)?;
        for (slot, to) in ended {
            self.slots[usize::from(slot.0)] = Placement { owner: to, grant, moving: None };
        }
        Ok(Outcome::Done)
    }

    /// All or none: a plan was made for one state.
    fn assign(&mut self, index: u64, from: NodeId, slots: &[(SlotId, NodeId)]) -> Applied {
        if !self.is(from, Status::Down) || slots.is_empty() {
            return Err(Refusal::Stale);
        }
        for (slot, to) in slots {
            self.active(*to)?;
            if self.slot(*slot).ok_or(Refusal::NoSlot(*slot))?.owner != from {
                return Err(Refusal::Stale);
            }
        }
        let grant = self.next_grant(index, 0)?;
        for (slot, to) in slots {
            self.slots[usize::from(slot.0)] = Placement { owner: *to, grant, moving: None };
        }
        Ok(Outcome::Done)
    }

    fn raise(&mut self, index: u64, slot: SlotId, owner: NodeId, above: u64) -> Applied {
        if self.slot(slot).ok_or(Refusal::NoSlot(slot))?.owner != owner {
            return Err(Refusal::Stale);
        }
        let grant = self.next_grant(index, above)?;
        self.slots[usize::from(slot.0)].grant = grant;
        Ok(Outcome::Done)
    }

    /// Above all that were given, and above the one named; the index of the entry where that is.
    fn next_grant(&mut self, index: u64, above: u64) -> Result<u64, Refusal> {
        let grant = index.max(self.granted.saturating_add(1)).max(above.saturating_add(1));
        if grant > GRANT_MAX {
            return Err(Refusal::Exhausted);
        }
        self.granted = grant;
        Ok(grant)
    }

    fn active(&self, id: NodeId) -> Result<(), Refusal> {
        if self.is(id, Status::Active) { Ok(()) } else { Err(Refusal::NotActive(id)) }
    }

    fn give_up_moves_to(&mut self, id: NodeId) {
        self.slots.iter_mut().filter(|slot| slot.moving == Some(id)).for_each(|slot| slot.moving = None);
    }
}

fn fits(spec: &Spec) -> Result<(), Refusal> {
    if spec.address.len() > ADDRESS_BYTES_MAX || spec.zone.len() > ZONE_BYTES_MAX { Err(Refusal::TooLong) } else { Ok(()) }
}
