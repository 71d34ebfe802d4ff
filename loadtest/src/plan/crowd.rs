//! Pure. Who is who: each virtual user's account, node, persona and rooms, from the scenario's seed alone.

use std::collections::{HashSet, VecDeque};

use super::random::Random;
use crate::scenario::Scenario;

#[derive(Clone, Debug, Default)]
pub struct Crowd {
    /// Of each virtual user: which persona, by place in the order of their names.
    pub personas: Vec<u16>,
    pub rooms: Vec<Room>,
    /// Of each account: its rooms, rising.
    pub rooms_of: Vec<Vec<u32>>,
    nodes: u32,
}

#[derive(Clone, Debug)]
pub struct Room {
    /// Accounts; the first makes the room.
    pub members: Vec<u32>,
    /// The one that has it, and all its members.
    pub node: u32,
    /// How likely it is chosen among a person's rooms.
    pub weight: f64,
}

impl Crowd {
    pub fn of(scenario: &Scenario) -> Self {
        let (accounts, nodes) = (scenario.people.accounts(), scenario.people.nodes());
        let mut rooms = Vec::new();
        for (place, group) in scenario.rooms.iter().enumerate() {
            let mut random = Random::of(scenario.seed, 1_000 + place as u64);
            let mut queues = vec![VecDeque::new(); nodes as usize];
            for rank in 1..=group.count {
                let node = (rank - 1) % nodes;
                let here = (node..accounts).step_by(nodes as usize);
                let members = deal(&mut queues[node as usize], group.members, here, &mut random);
                rooms.push(Room { members, node, weight: group.weight / f64::from(rank).powf(group.zipf) });
            }
        }
        let mut rooms_of = vec![Vec::new(); accounts as usize];
        for (number, room) in rooms.iter().enumerate() {
            room.members.iter().for_each(|account| rooms_of[*account as usize].push(number as u32));
        }
        Self { personas: personas(scenario), rooms, rooms_of, nodes }
    }

    pub fn accounts(&self) -> u32 {
        self.rooms_of.len() as u32
    }
    /// That share nothing.
    pub fn nodes(&self) -> u32 {
        self.nodes.max(1)
    }
    pub fn account(&self, user: u32) -> u32 {
        user % self.accounts()
    }
    /// Where an account is, and every user of it.
    pub fn node(&self, account: u32) -> u32 {
        account % self.nodes.max(1)
    }
    pub fn rooms_of(&self, user: u32) -> &[u32] {
        &self.rooms_of[self.account(user) as usize]
    }
    /// Users of one account stay with one worker.
    pub fn worker(&self, user: u32, workers: u32) -> u32 {
        self.account(user) % workers
    }
}

/// The next so many different accounts: everybody's turn comes before anybody's second.
fn deal(queue: &mut VecDeque<u32>, count: u32, accounts: impl Iterator<Item = u32> + Clone, random: &mut Random) -> Vec<u32> {
    let mut members = Vec::with_capacity(count as usize);
    let mut is_in = HashSet::with_capacity(count as usize);
    let mut again = Vec::new();
    while members.len() < count as usize {
        let Some(account) = queue.pop_front() else {
            let mut all: Vec<_> = accounts.clone().collect();
            random.shuffle(&mut all);
            queue.extend(all);
            continue;
        };
        if is_in.insert(account) {
            members.push(account);
        } else {
            again.push(account);
        }
    }
    again.into_iter().rev().for_each(|account| queue.push_front(account));
    members
}

/// As many of each persona as their shares say, to the one, in no order.
fn personas(scenario: &Scenario) -> Vec<u16> {
    let users = scenario.people.users;
    let shares: f64 = scenario.persona.values().map(|persona| persona.share).sum();
    let (mut personas, mut until) = (Vec::with_capacity(users as usize), 0.0);
    for (place, persona) in scenario.persona.values().enumerate() {
        until += persona.share / shares * f64::from(users);
        let due = (until.round() as usize).min(users as usize);
        personas.resize(due.max(personas.len()), place as u16);
    }
    personas.resize(users as usize, scenario.persona.len().saturating_sub(1) as u16);
    Random::of(scenario.seed, 999).shuffle(&mut personas);
    personas
}
