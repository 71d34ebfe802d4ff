//! Bytes to events and back. Every decoder bounds size and depth and refuses what is left over after the value.

mod json;
mod msgpack;
mod named;
mod page;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

pub use json::{from_json, to_json};
pub use msgpack::{from_msgpack, to_msgpack};
pub use page::around_page;

/// How deep a value may nest; real ones need five.
pub const DEPTH_MAX: usize = 32;

/// One of the two ways to write the same types; the client picks it by subprotocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Format {
    #[default]
    Json,
    MessagePack,
}

/// Why bytes are not a value, in a sentence for the person who wrote them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub String);

/// Of what somebody sent, so much is said back to him.
const EXCERPT_BYTES_MAX: usize = 300;

impl DecodeError {
    /// The decoder's sentence, which quotes what it could not read, and that may be as long as a message.
    fn because(error: impl std::fmt::Display) -> Self {
        Self(excerpt(&error.to_string()))
    }
}

/// One line that can be shown: cut, and without characters that move a cursor.
pub fn excerpt(text: &str) -> String {
    let mut shown: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(EXCERPT_BYTES_MAX).collect();
    if text.len() > EXCERPT_BYTES_MAX {
        while shown.len() > EXCERPT_BYTES_MAX {
            shown.pop();
        }
        shown.push('…');
    }
    shown
}

impl Format {
    pub const SUBPROTOCOLS: [(&'static str, Format); 2] = [("hubbub.v1.json", Format::Json), ("hubbub.v1.msgpack", Format::MessagePack)];

    pub fn from_subprotocol(name: &str) -> Option<Self> {
        Self::SUBPROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }
    pub fn subprotocol(self) -> &'static str {
        Self::SUBPROTOCOLS[self as usize].0
    }
    pub fn encode(self, value: &impl Serialize) -> Bytes {
        match self {
            Self::Json => to_json(value),
            Self::MessagePack => to_msgpack(value),
        }
    }
    /// Errors: not the format, deeper than `DEPTH_MAX`, unknown names where the type refuses them, trailing bytes.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        match self {
            Self::Json => from_json(bytes),
            Self::MessagePack => from_msgpack(bytes),
        }
    }
}
