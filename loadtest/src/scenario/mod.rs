//! Pure. A load scenario as its author writes it: who is there, in which rooms, what they do and how often, and what goes
//! wrong meanwhile. Only the wording: what follows from it for each person is `plan`.

pub mod access_log;
mod built_in;
mod fault;
mod position;
mod span;
mod validate;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use built_in::{BUILT_IN, built_in};
pub use fault::{FaultKind, Needs, Which};
pub use span::Span;
pub use validate::Mistake;

use crate::measure::Deed;

/// A whole scenario file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    /// One sentence: what it shows.
    #[serde(default)]
    pub about: String,
    /// The same seed gives the same plan, to the microsecond.
    #[serde(default = "one")]
    pub seed: u64,
    #[serde(default)]
    pub codec: Codec,
    /// Only over TLS: the node is named with `https://`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls: bool,
    pub people: People,
    pub rooms: Vec<Rooms>,
    pub persona: BTreeMap<String, Persona>,
    pub phase: Vec<Phase>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<Fault>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub threshold: Vec<Threshold>,
}

fn one() -> u64 {
    1
}

/// Which subprotocol the connections speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    #[default]
    Json,
    Msgpack,
    /// Every other connection.
    Mixed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// Virtual users, each with a connection of its own.
    pub users: u32,
    /// Accounts behind them; fewer than users when several devices share one. Each costs the node a password hash once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<u32>,
    /// Nodes that share nothing: people and rooms are dealt out among them. A run sets it to the number of nodes that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
}

impl People {
    pub fn accounts(&self) -> u32 {
        self.accounts.unwrap_or(self.users).min(self.users)
    }
    pub fn nodes(&self) -> u32 {
        self.nodes.unwrap_or(1).max(1)
    }
}

/// Rooms of one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rooms {
    pub count: u32,
    /// Accounts in each.
    pub members: u32,
    /// How much likelier a room of this size is chosen than others.
    #[serde(default = "even")]
    pub weight: f64,
    /// Skew of their popularity: the room of rank k is chosen with a weight of 1/k^zipf; 0: all alike.
    #[serde(default)]
    pub zipf: f64,
}

fn even() -> f64 {
    1.0
}

/// A kind of person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// How many there are, in proportion to the others.
    #[serde(default = "even")]
    pub share: f64,
    /// Actions a minute while the load is 1.
    pub per_minute: f64,
    #[serde(default)]
    pub think: Think,
    /// Weights of `post`, `edit`, `react`, `read`, `typing`, `page` and `ping`.
    #[serde(default)]
    pub actions: BTreeMap<String, f64>,
    /// Of a post, its mark included: at least 64.
    #[serde(default)]
    pub text_bytes: Bytes,
    /// A phone in a tunnel: its connection is cut again and again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaps: Option<Flaps>,
}

/// How the times between two actions of a person spread around their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Think {
    #[default]
    Exponential,
    Constant,
}

/// A size, or the least and the most of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Bytes {
    Exactly(u32),
    Between { min: u32, max: u32 },
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Exactly(128)
    }
}

impl Bytes {
    pub fn bounds(self) -> (u32, u32) {
        match self {
            Self::Exactly(bytes) => (bytes, bytes),
            Self::Between { min, max } => (min, max),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flaps {
    pub every: Span,
    /// How long the connection stays away.
    pub away: Span,
}

/// A stretch of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    pub name: String,
    pub lasts: Span,
    /// Times what the personas say.
    #[serde(default = "even")]
    pub load: f64,
    /// Where the load is at the end; without it, it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_to: Option<f64>,
    /// Whether it counts for the figures and the thresholds.
    #[serde(default = "yes")]
    pub measured: bool,
}

fn yes() -> bool {
    true
}

/// Something that goes wrong, on purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    #[serde(rename = "do")]
    pub kind: FaultKind,
    /// After the first phase began.
    pub at: Span,
    #[serde(default = "once")]
    pub times: u32,
    /// Between two of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// `cut`: which part of the connections; `loss`: which part of the packets. All unless it is said.
    #[serde(default = "even")]
    pub share: f64,
    /// Until they come back, it goes on, or is started again.
    #[serde(default)]
    pub away: Span,
    /// Of a group: whom it happens to.
    #[serde(default)]
    pub node: Which,
}

fn once() -> u32 {
    1
}

/// A bound that a figure has to keep, or the run ends with 99.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// `<action>.<intended|actual>.<p50|p90|p99|p999|max|mean>_ms`, as in `deliver.intended.p99_ms`, or
    /// `<action>.per_second`.
    pub of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
}

/// What personas may do.
pub const DOINGS: &[Deed] = &[Deed::Post, Deed::Edit, Deed::React, Deed::Read, Deed::Typing, Deed::Page, Deed::Ping];

impl Scenario {
    /// Reads and checks a file's text. Errors say the line and the key.
    pub fn read(text: &str) -> Result<Self, Vec<Mistake>> {
        let scenario: Self = toml::from_str(text).map_err(|error| vec![Mistake::unreadable(&error, text)])?;
        let mistakes = scenario.mistakes(text);
        if mistakes.is_empty() { Ok(scenario) } else { Err(mistakes) }
    }

    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// Of all phases.
    pub fn lasts_us(&self) -> u64 {
        self.phase.iter().map(|phase| phase.lasts.us()).sum()
    }
}
