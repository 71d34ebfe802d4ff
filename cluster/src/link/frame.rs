//! *Pure.* What stands on the wire between two nodes. Named fields, and a field that is not known is passed over: a node
//! of this release talks to one of the next.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::NodeId;

/// The link's own versions that a build speaks, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaks {
    pub oldest: u16,
    pub newest: u16,
}

impl Speaks {
    pub const OURS: Self = Self { oldest: 1, newest: 1 };

    /// The newest that both speak; `None`: they are too far apart.
    pub fn agree(self, other: Self) -> Option<u16> {
        let newest = self.newest.min(other.newest);
        (newest >= self.oldest.max(other.oldest)).then_some(newest)
    }
}

/// What a connection is for. Each has one of its own, so that a burst of chat holds up no heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Heartbeats and Raft.
    Group,
    /// Requests and events.
    Chat,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// The first of who dialled.
    Hello(Hello),
    /// The answer to it.
    Welcome(Welcome),
    /// Instead of a welcome; the connection closes.
    Refused {
        why: Refusal,
    },
    /// Without an answer.
    Say {
        table: u64,
        body: Bytes,
    },
    /// Wants an answer within `within_ms` of its arrival; afterwards nobody waits for it.
    Ask {
        id: u64,
        table: u64,
        within_ms: u32,
        body: Bytes,
    },
    Answer {
        id: u64,
        table: u64,
        answered: Answered,
    },
    /// So many bytes of bodies more may be sent.
    Credit {
        bytes: u32,
    },
    Ping {},
    Pong {},
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub speaks: Speaks,
    pub node: NodeId,
    pub lane: Lane,
    /// Another one for every connection.
    pub session: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    pub version: u16,
    pub node: NodeId,
    /// Bytes of bodies that may be under way at a time.
    pub window_bytes: u32,
}

/// What became of a request on the way; what it was about says its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    Done(Bytes),
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No version that both speak.
    Version,
    /// The certificate is of another node, or of none in the group.
    Stranger,
    /// Too much waits for answers already.
    Busy,
    /// Whoever was to answer is gone.
    Gone,
}

impl Frame {
    /// Carries something for the one above the link.
    pub fn is_word(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::Ask { .. } | Self::Answer { .. })
    }

    /// What it takes of the credit.
    pub fn body_bytes(&self) -> usize {
        match self {
            Self::Say { body, .. } | Self::Ask { body, .. } => body.len(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_speak_the_newest_that_both_know_and_strangers_in_time_do_not_speak() {
        let speaks = |oldest, newest| Speaks { oldest, newest };
        assert_eq!(speaks(1, 2).agree(speaks(2, 3)), Some(2));
        assert_eq!(speaks(1, 4).agree(speaks(1, 4)), Some(4));
        assert_eq!(speaks(1, 2).agree(speaks(3, 4)), None);
    }
}
