//! The simulation of a whole cluster: several nodes with the product's own decisions, links that break, a group that may be cut off
//! from itself. `CLUSTER.md` says how it is run.

mod agree;
mod fate;
mod group;
mod link;
mod node;
mod people;
mod planted;
mod world;

use crate::invariants::Broken;
use crate::plant::Plant;

const SEEDS: u64 = 50;
const AGAIN: &str = "cargo test -p hubbub-actors --test sim every_cluster_keeps_every_promise";

/// What a run did: that it was not empty, and that another run of the seed did the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub trace: u64,
    pub events: u64,
    pub acks: u64,
    pub crashes: u64,
    pub pauses: u64,
    pub partitions: u64,
    pub broken_links: u64,
    pub downs: u64,
    pub moves: u64,
    pub take_overs: u64,
    pub joins: u64,
    pub leaves: u64,
    pub unknown: u64,
}

impl Summary {
    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.acks += other.acks;
        self.crashes += other.crashes;
        self.pauses += other.pauses;
        self.partitions += other.partitions;
        self.broken_links += other.broken_links;
        self.downs += other.downs;
        self.moves += other.moves;
        self.take_overs += other.take_overs;
        self.joins += other.joins;
        self.leaves += other.leaves;
        self.unknown += other.unknown;
    }
    fn rarest(&self) -> u64 {
        let faults = [self.crashes, self.pauses, self.partitions, self.broken_links, self.downs, self.moves, self.take_overs, self.unknown];
        faults.into_iter().chain([self.joins, self.leaves]).min().unwrap_or(0)
    }
}

pub fn run(seed: u64, plant: Option<Plant>) -> Result<Summary, Broken> {
    crate::guarded(|| world::run(seed, plant))
}

#[test]
fn every_cluster_keeps_every_promise() {
    let seeds = crate::seeds(SEEDS);
    let (mut all, runs) = (Summary::default(), seeds.end - seeds.start);
    for seed in seeds {
        match run(seed, None) {
            Ok(summary) => all.add(&summary),
            Err(broken) => panic!("seed {seed}: {broken}\nagain: SIM_SEED={seed} {AGAIN}"),
        }
    }
    println!("{runs} seeds: {all:?}");
    assert!(runs < SEEDS || (all.acks > 50 * runs && all.rarest() > runs / 10), "a world in which little happens proves little: {all:?}");
}

#[test]
fn a_seed_gives_the_same_cluster_every_time() {
    crate::is_repeatable(run);
}
