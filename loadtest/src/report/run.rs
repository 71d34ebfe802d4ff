//! Pure. `run.json`: everything that a run found, as one document for machines, pages and comparisons. Its JSON schema is
//! `loadtest/run.schema.json`; fields are only ever added. It decides nothing: `judge` does.
//!
//! Times are seconds since the run's first intended action (`_s`) or microseconds (`_us`). What is not known is left out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Of the document; raised when a field changes its meaning.
pub const FORMAT: u32 = 1;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunReport {
    pub format: u32,
    /// Of this run alone.
    pub id: String,
    /// `quick`, `run`, `capacity`, `soak`, `chaos`, `storm` or `jitter`.
    pub mode: String,
    /// Milliseconds since 1970.
    pub started_ms: u64,
    pub elapsed_s: f64,
    /// Where it was ended by hand, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_s: Option<f64>,
    pub verdict: Verdict,
    pub exit_code: u8,
    pub scenario: ScenarioEcho,
    pub machine: Machine,
    pub server: Server,
    pub phases: Vec<Phase>,
    pub faults: Vec<Fault>,
    /// Over all phases that are measured.
    pub actions: Vec<Action>,
    pub timeline: Vec<Moment>,
    /// The measured phases in stretches of equal length, at most 60, for comparisons.
    #[serde(default)]
    pub slices: Vec<Slice>,
    pub integrity: Integrity,
    pub generator: Generator,
    pub thresholds: Vec<Threshold>,
    pub figures: Vec<Figure>,
}

/// Green: every message that was acknowledged was delivered, once, in order, to those and only those who may read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Green,
    #[default]
    Red,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioEcho {
    pub name: String,
    pub about: String,
    pub seed: u64,
    /// The whole scenario as it was carried out, as TOML.
    pub toml: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    pub processors: u32,
    pub model: String,
    pub system: String,
    pub memory_bytes: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    pub address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it differs from a node's defaults, as `section.key=value`; known when the run started the node.
    pub config: Vec<String>,
    /// Nodes whose processes could be watched from here.
    pub nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    pub name: String,
    /// User and system time during the measured phases.
    pub cpu_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_us_per_delivery: Option<f64>,
    /// Of its own, when people and rooms were there and nobody was connected.
    #[serde(default)]
    pub memory_bytes_before: u64,
    pub memory_bytes_max: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    pub name: String,
    pub from_s: f64,
    pub to_s: f64,
    /// Whether it counts in `actions` and for thresholds.
    pub measured: bool,
    pub actions: Vec<Action>,
    /// The harness in this phase.
    pub lag_p99_us: u64,
    pub generator_cpu_percent: f64,
}

/// Something that was done to the server or to connections, for a mark over the timeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    pub name: String,
    pub at_s: f64,
    /// When it was over: the connections were back, the node was ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_s: Option<f64>,
    pub detail: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// `post`, `edit`, `react`, `read`, `typing`, `page`, `ping`, `deliver`, `replay` (a delivery that was missed, after a new
    /// connection), `connect` or `resume`.
    pub name: String,
    /// How many were begun: for `deliver` and `replay`, how many arrived.
    pub count: u64,
    pub done: u64,
    /// For good.
    pub refused: u64,
    /// For now: sent again by itself.
    pub put_off: u64,
    /// Done a second of the phases that it is over.
    pub per_second: f64,
    /// From when it was to happen: what a person would have felt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_intended: Option<Latency>,
    /// From when it was really sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_actual: Option<Latency>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    pub count: u64,
    pub min_us: u64,
    pub mean_us: f64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p99_us: u64,
    pub p999_us: u64,
    pub max_us: u64,
    /// Pairs of quantile (0 to 1) and microseconds, for a percentile spectrum.
    pub spectrum: Vec<(f64, u64)>,
    /// The whole histogram: HdrHistogram's V2 deflate format in base64, in microseconds.
    pub hdr: String,
}

/// One second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    pub at_s: f64,
    /// By the names of `Action`; actions that did not happen are left out.
    pub actions: BTreeMap<String, Beat>,
    pub connections: u64,
    /// Ordered requests without an answer yet, at the end of it.
    #[serde(default)]
    pub unanswered: u64,
    /// Broken promises so far.
    #[serde(default)]
    pub offences: u64,
    pub lag_p99_us: u64,
    /// Of one processor, the busiest worker.
    pub generator_cpu_percent: f64,
    /// In the order of `server.nodes`.
    pub nodes: Vec<NodeMoment>,
}

/// A stretch of the measured phases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slice {
    pub from_s: f64,
    pub to_s: f64,
    /// By the names of `Action`.
    pub actions: BTreeMap<String, Sliced>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sliced {
    pub count: u64,
    /// From the intended time, as `Latency.hdr`.
    pub hdr: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Beat {
    pub count: u64,
    /// From the intended time.
    pub p50_us: u64,
    pub p99_us: u64,
    pub max_us: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeMoment {
    /// Of one processor.
    pub cpu_percent: f64,
    pub memory_bytes: u64,
}

/// Every delivery, counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Integrity {
    pub rooms: u64,
    pub receivers: u64,
    /// Ordered requests that were sent, acknowledged, refused for good, and without an answer at the end.
    pub asked: u64,
    pub acked: u64,
    pub refused: u64,
    pub unknown: u64,
    /// Events times those who had to get them.
    pub due: u64,
    pub delivered: u64,
    /// Of those delivered, how many came by a page after a stated `gap` or `behind`.
    pub paged: u64,
    pub lost: u64,
    pub doubled: u64,
    pub reordered: u64,
    pub unauthorised: u64,
    /// Anything else that must not be: two who saw different things, an event nobody asked for, no end in time.
    pub wrong: u64,
    /// Events whose agreement was not compared, because they came long after all others had them.
    pub uncompared: u64,
    pub rooms_audited: u64,
    /// The first of them; `lost` and so on count all.
    pub offences: Vec<Offence>,
    /// Where the histories are, for `hubbub-bench check`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// What the checker of histories said, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checker: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offending {
    Lost,
    Doubled,
    Reordered,
    Unauthorised,
    Wrong,
}

/// One broken promise, with its message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Offence {
    pub kind: Offending,
    pub room: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// One sentence that names the message and who it concerns.
    pub what: String,
}

/// The harness about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Generator {
    pub workers: u32,
    pub connections: u64,
    /// Between an action's intended time and its being sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<Latency>,
    /// Of one processor: the busiest worker, over the measured phases.
    pub cpu_percent: f64,
    /// Whether its times can be believed: the harness itself was not what was slow.
    pub certified: bool,
    /// The rule by which that was decided.
    pub rule: String,
    /// Why not; empty when certified.
    pub reasons: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// As the scenario names it, as in `deliver.intended.p99_ms`.
    pub name: String,
    pub bound: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<f64>,
    /// Not there: could not be judged, as in a run that is not certified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<bool>,
}

/// A number worth a line of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: String,
    /// Whether less is better, for comparisons.
    pub less_is_better: bool,
    pub detail: String,
}

impl RunReport {
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.name == name)
    }
}
