//! Pure. What every virtual user does at which moment of a run: an endless care for order, no clock at all. The same
//! scenario gives the same plan everywhere, and workers that each carry out their part carry out the whole.

mod crowd;
mod load;
mod random;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub use crowd::{Crowd, Room};
pub use random::Random;

use crate::measure::Deed;
use crate::scenario::{Persona, Scenario, Think};
use load::LoadCurve;
use random::Weights;

/// Actions a second that a scenario intends at a moment, over all its people.
pub fn intended_per_second(scenario: &Scenario, at_s: f64) -> f64 {
    let shares: f64 = scenario.persona.values().map(|persona| persona.share).sum();
    let each: f64 = scenario.persona.values().map(|persona| persona.share * persona.per_minute / 60.0).sum();
    LoadCurve::of(&scenario.phase).load_at(at_s * 1e6) * each / shares.max(f64::MIN_POSITIVE) * f64::from(scenario.people.users)
}

/// Something that somebody is to do at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intended {
    /// After the first phase began.
    pub at_us: u64,
    pub user: u32,
    pub what: Doing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// `bytes`: of the text, where there is one.
    Act { deed: Deed, room: u32, bytes: u32 },
    /// The phone has no network for so long.
    Away { us: u64 },
}

/// One worker's part of a scenario's plan, in order of time.
#[derive(Debug)]
pub struct Plan {
    scenario: Scenario,
    crowd: Crowd,
    curve: LoadCurve,
    personas: Vec<Habits>,
    people: Vec<Person>,
    /// (when, place in `people`, whether it is the network's turn).
    next: BinaryHeap<Reverse<(u64, usize, bool)>>,
}

/// What a persona does, ready to be chosen from.
#[derive(Debug)]
struct Habits {
    persona: Persona,
    deeds: Vec<Deed>,
    weights: Weights,
}

#[derive(Debug)]
struct Person {
    user: u32,
    random: Random,
    /// Load that has gone by until their next action, in microseconds at load 1.
    load_us: f64,
    rooms: Weights,
}

impl Plan {
    pub fn of(scenario: &Scenario, worker: u32, workers: u32) -> Self {
        let crowd = Crowd::of(scenario);
        let curve = LoadCurve::of(&scenario.phase);
        let personas: Vec<_> = scenario.persona.values().map(Habits::of).collect();
        let mut plan = Self { scenario: scenario.clone(), crowd, curve, personas, people: Vec::new(), next: BinaryHeap::new() };
        for user in 0..scenario.people.users {
            if plan.crowd.worker(user, workers) != worker {
                continue;
            }
            let mut random = Random::of(scenario.seed, u64::from(user) + (1 << 32));
            let habits = &plan.personas[usize::from(plan.crowd.personas[user as usize])];
            let load_us = habits.pause_us(&mut random).map_or(f64::INFINITY, |pause| match habits.persona.think {
                Think::Exponential => pause,
                // Not all at the same moment.
                Think::Constant => pause * random.unit(),
            });
            let first_flap = habits.persona.flaps.map(|flaps| (flaps.every.us() as f64 * random.unit()) as u64);
            let rooms = plan.crowd.rooms_of(user).iter().map(|room| plan.crowd.rooms[*room as usize].weight);
            let rooms = Weights::of(rooms);
            let place = plan.people.len();
            plan.people.push(Person { user, random, load_us, rooms });
            plan.line_up(place);
            if let Some(at_us) = first_flap {
                plan.next.push(Reverse((at_us, place, true)));
            }
        }
        plan
    }

    pub fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// The users of this part, in the order of their numbers.
    pub fn users(&self) -> impl Iterator<Item = u32> {
        self.people.iter().map(|person| person.user)
    }

    fn line_up(&mut self, place: usize) {
        if let Some(at_us) = self.curve.when(self.people[place].load_us) {
            self.next.push(Reverse((at_us, place, false)));
        }
    }

    fn flap(&mut self, at_us: u64, place: usize) -> Option<Intended> {
        let user = self.people[place].user;
        let flaps = self.personas[usize::from(self.crowd.personas[user as usize])].persona.flaps?;
        if at_us >= self.scenario.lasts_us() {
            return None;
        }
        self.next.push(Reverse((at_us + flaps.every.us(), place, true)));
        Some(Intended { at_us, user, what: Doing::Away { us: flaps.away.us() } })
    }

    fn act(&mut self, at_us: u64, place: usize) -> Option<Intended> {
        let person = &mut self.people[place];
        let (user, habits) = (person.user, &self.personas[usize::from(self.crowd.personas[person.user as usize])]);
        let deed = habits.deeds[habits.weights.choose(&mut person.random)?];
        let room = person.rooms.choose(&mut person.random);
        let (least, most) = habits.persona.text_bytes.bounds();
        let bytes = person.random.between(least, most);
        person.load_us += habits.pause_us(&mut person.random)?;
        self.line_up(place);
        // Who is in no room has nothing to do.
        let room = self.crowd.rooms_of(user)[room?];
        Some(Intended { at_us, user, what: Doing::Act { deed, room, bytes } })
    }
}

impl Habits {
    fn of(persona: &Persona) -> Self {
        let (names, weights): (Vec<_>, Vec<_>) = persona.actions.iter().map(|(name, weight)| (name.as_str(), *weight)).unzip();
        let deeds = names.into_iter().filter_map(Deed::of).collect();
        Self { persona: persona.clone(), deeds, weights: Weights::of(weights) }
    }

    /// Load between two actions; `None`: never.
    fn pause_us(&self, random: &mut Random) -> Option<f64> {
        if self.persona.per_minute <= 0.0 {
            return None;
        }
        let mean = 60e6 / self.persona.per_minute;
        Some(match self.persona.think {
            Think::Exponential => mean * random.exponential(),
            Think::Constant => mean,
        })
    }
}

impl Iterator for Plan {
    type Item = Intended;
    fn next(&mut self) -> Option<Intended> {
        loop {
            let Reverse((at_us, place, is_network)) = self.next.pop()?;
            let intended = if is_network { self.flap(at_us, place) } else { self.act(at_us, place) };
            if intended.is_some() {
                return intended;
            }
        }
    }
}

#[cfg(test)]
mod tests;
