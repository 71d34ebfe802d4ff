//! What a coordinator and its workers say to each other, as values. Carries nothing itself.

use std::collections::BTreeSet;
use std::path::PathBuf;

use schema::RoomId;
use serde::{Deserialize, Serialize};

use super::books::Counts;
use super::offences::Offences;
use super::places::Places;
use crate::measure::Tally;
use crate::people::Person;
use crate::scenario::Scenario;

/// What one worker is to carry out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub scenario: Scenario,
    pub worker: u32,
    pub workers: u32,
    pub places: Places,
    /// Those of this worker's users, by their numbers.
    pub accounts: Vec<(u32, Person)>,
    /// Rooms by their number in the plan, each with the head that it had before the run.
    pub rooms: Vec<(RoomId, u64)>,
    /// Where devices write their histories; none: nowhere.
    pub history: Option<PathBuf>,
    /// When the run's clock began: microseconds since 1970.
    pub epoch_us: u64,
    /// Connections that are being made at a time: before the run, and in it.
    pub connecting_max: u32,
    pub reconnecting_max: u32,
    /// How long to wait for everything to have arrived in the end.
    pub converge_us: u64,
}

/// What a coordinator says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Order {
    /// The first phase begins at this time of the run's clock.
    Go { at_us: u64 },
    /// Cut this share of the connections for so long.
    Cut { share: f64, away_us: u64 },
    /// Nothing more is to be done: the phases end now.
    Stop,
    /// Nobody posts any more: read the heads of the rooms whose owners are yours, and say them.
    Heads,
    /// The heads of the rooms after the last answer: wait until every device is as far, then say `Done`.
    Converge { heads: Vec<u64> },
}

/// What a worker says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Said {
    Connecting {
        done: u32,
    },
    Connected,
    /// One second is over.
    Second(Box<Second>),
    /// Nothing is intended any more, and all is answered; or the time for that is over.
    Quiet {
        unanswered: u64,
    },
    /// Rooms by number, each with its head.
    Heads(Vec<(u32, u64)>),
    Done(Box<Outcome>),
    Failed(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Second {
    /// Since the run began; before it, while connections are made, nothing is sent.
    pub number: u32,
    pub tally: Tally,
    pub connections: u64,
    pub cpu_us: u64,
    /// Ordered requests without an answer yet, and broken promises so far.
    pub unanswered: u64,
    pub offences: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub counts: Counts,
    pub unknown: u64,
    /// Events times devices that had to get them, and that got them.
    pub due: u64,
    pub delivered: u64,
    pub receivers: u64,
    pub uncompared: u64,
    /// By their numbers: several workers may have read the same one.
    pub rooms_audited: BTreeSet<u32>,
    pub offences: Offences,
}
