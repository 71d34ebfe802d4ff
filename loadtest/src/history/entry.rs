//! The lines of a history.

use schema::client::Resume;
use schema::wire::to_msgpack;
use schema::{ClientEvent, Cmid, DeviceId, ErrorCode, Event, EventBody, RoomId, UserId};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// When, in microseconds of the run's clock, and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line(pub u64, pub Entry);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// What follows is of this device.
    Client {
        user: UserId,
        device: DeviceId,
    },
    /// A hello is about to be sent, saying how far this device has each room.
    Hello {
        resume: Vec<Resume>,
    },
    /// Its answer: the heads of the rooms.
    Ready {
        heads: Vec<Resume>,
    },
    /// An ordered request is about to be sent, for the first time or again.
    Sent {
        request: ClientEvent,
    },
    /// `seq` is not there when the request changed nothing.
    Acked {
        room: RoomId,
        cmid: Cmid,
        seq: Option<u64>,
    },
    /// For good.
    Refused {
        room: RoomId,
        cmid: Cmid,
        code: ErrorCode,
    },
    /// For now: it will be sent again.
    PutOff {
        room: RoomId,
        cmid: Cmid,
        code: ErrorCode,
    },
    /// An event arrived by itself.
    Delivered {
        room: RoomId,
        seen: Seen,
    },
    /// The node said that the room is new to this device, or new again.
    Joined {
        room: RoomId,
        head: u64,
    },
    Gap {
        room: RoomId,
        from: u64,
        to: u64,
    },
    Behind {
        room: RoomId,
        head: u64,
    },
    /// A page of history that was asked for at `asked`, to fill a gap (`fill`) or to be read.
    Page {
        room: RoomId,
        asked: u64,
        fill: bool,
        from: u64,
        to: u64,
        head: u64,
        seen: Vec<Seen>,
    },
    /// The node said that what stood at `seq` is erased.
    Erased {
        room: RoomId,
        seq: u64,
    },
    Lost {},
    /// The device ends the run: what it never got an answer to, and how far it has each room that it is still in.
    End {
        unknown: Vec<Claim>,
        have: Vec<Resume>,
    },
    /// The harness will do this so many times.
    Plan {
        fault: String,
        times: u32,
    },
    Fault {
        fault: String,
    },
    /// The room as the history API had it at the end, from seq 1 to its head; what was there up to `base` was not made
    /// in this run.
    Final {
        room: RoomId,
        base: u64,
        head: u64,
        events: Vec<Event>,
    },
}

/// One of a device's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    pub room: RoomId,
    pub cmid: Cmid,
}

/// An event as somebody saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub seq: u64,
    pub cmid: Cmid,
    pub user: UserId,
    /// Of everything that must be the same for all who see it.
    pub digest: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

impl Seen {
    pub fn of(event: &Event) -> Self {
        Self {
            seq: event.seq,
            cmid: event.cmid,
            user: event.user,
            digest: xxh3_64(&to_msgpack(event)),
            erased: event.body == EventBody::Erased,
        }
    }
}
