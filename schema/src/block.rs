//! A journal block: events of any rooms of one slot, written and read as one.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::wire::{DecodeError, from_msgpack, to_msgpack};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// At most `limits::BLOCK_EVENTS_MAX`, in the order in which they happened.
    pub events: Vec<Event>,
}

impl Block {
    pub fn encode(&self) -> Bytes {
        to_msgpack(self)
    }
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        from_msgpack(bytes)
    }
}
