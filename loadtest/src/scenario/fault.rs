//! Pure. What can go wrong on purpose, by name. How it is done is `run` and `group`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Connections are lost without a word, and come back with their token and where they were.
    Cut,
    /// The node is killed (SIGKILL) and started again.
    Kill,
    /// The node is stopped (SIGSTOP) and goes on (SIGCONT) after `away`.
    Pause,
    /// The node is asked to end (SIGTERM) and started again.
    Restart,
    /// The node is killed, and whoever leads then as well; both are started again.
    KillTwo,
    /// All nodes are restarted, one after the other.
    Roll,
    /// All slots are moved away from the node, and it is restarted.
    Drain,
    /// A new node joins; then the node ends and is removed.
    Replace,
    /// The node and the others do not reach each other.
    Split,
    /// The node does not hear the others.
    Deaf,
    /// The others do not hear the node.
    Mute,
    /// The node reaches neither the others nor the store process.
    Alone,
    /// The node and the next one do not reach each other.
    Between,
    /// Each node reaches only its two neighbours.
    Ring,
    /// A `share` of all packets between nodes is lost.
    Loss,
    /// No node reaches the store process.
    StoreCut,
    /// The store process is killed (SIGKILL) and started again.
    StoreKill,
    /// The node's clock goes an hour ahead, and after half of `away` an hour behind.
    Clock,
}

/// What there has to be for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    Nothing,
    /// A node that this program started.
    Node,
    /// A group that it started.
    Group,
    /// A group in a network of its own.
    Net,
}

impl Needs {
    pub fn text(self) -> &'static str {
        match self {
            Self::Nothing => "nodes",
            Self::Node => "node that this program started",
            Self::Group => "group that this program started",
            Self::Net => "network of its own",
        }
    }
}

impl FaultKind {
    pub fn text(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Restart => "restart",
            Self::KillTwo => "kill_two",
            Self::Roll => "roll",
            Self::Drain => "drain",
            Self::Replace => "replace",
            Self::Split => "split",
            Self::Deaf => "deaf",
            Self::Mute => "mute",
            Self::Alone => "alone",
            Self::Between => "between",
            Self::Ring => "ring",
            Self::Loss => "loss",
            Self::StoreCut => "store_cut",
            Self::StoreKill => "store_kill",
            Self::Clock => "clock",
        }
    }

    pub fn needs(self) -> Needs {
        match self {
            Self::Cut => Needs::Nothing,
            Self::Kill | Self::Pause | Self::Restart => Needs::Node,
            Self::KillTwo | Self::Roll | Self::Drain | Self::Replace | Self::StoreKill | Self::Clock => Needs::Group,
            Self::Split | Self::Deaf | Self::Mute | Self::Alone | Self::Between | Self::Ring | Self::Loss | Self::StoreCut => Needs::Net,
        }
    }
}

/// A node of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Each in its turn.
    #[default]
    Turn,
    /// Who leads the group at that time.
    Leader,
    /// Any that does not.
    Follower,
}
