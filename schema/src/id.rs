//! Ids as newtypes over 16 bytes. Made by callers (UUIDv7 of a clock and randomness passed in as a `Uuid`), never here.
//!
//! Text formats write a hyphenated UUID, binary formats 16 bytes; both readers take either, so that a client may
//! use whichever its library finds easier.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

macro_rules! id {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub Uuid);

        impl $name {
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }
        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() {
                    let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
                    s.serialize_str(self.0.hyphenated().encode_lower(&mut buffer))
                } else {
                    s.serialize_bytes(self.0.as_bytes())
                }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_any(IdVisitor).map(Self)
            }
        }
        #[cfg(feature = "generate")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": "uuid", "description": concat!($($doc),*).trim() })
            }
        }
    };
}

id!(/// A person.
    UserId);
id!(/// One installation of a client.
    DeviceId);
id!(/// Any conversation, and a workspace (a room without messages).
    RoomId);
id!(/// A client's id of one ordered request, made once, before the bytes leave.
    Cmid);
id!(/// A signed-in device's tokens.
    LoginId);
id!(/// The data set a node serves; another one means that cached state is void.
    InstallationId);

id!(/// An invitation to sign up.
    InviteId);

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = Uuid;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UUID, as hyphenated text or 16 bytes")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Uuid, E> {
        Uuid::try_parse(text).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Uuid, E> {
        Uuid::from_slice(bytes).map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

impl RoomId {
    /// The direct room of two people: a UUIDv8 (RFC 9562, 5.8) of the SHA-256 over the sorted pair, so that whoever
    /// opens it first, and both at once, open the same room.
    pub fn direct(a: UserId, b: UserId) -> Self {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        let hash = Sha256::new_with_prefix(b"hubbub direct").chain_update(low.as_bytes()).chain_update(high.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        Self(Uuid::new_v8(bytes))
    }

    /// Whether it has the form of a direct room's id. Such a one belongs to two people, though a third can compute it.
    pub fn is_direct(self) -> bool {
        self.0.get_version_num() == 8
    }

    /// Whether a client can have made it. Ids of other forms follow from something, and are not for taking.
    pub fn is_of_client(self) -> bool {
        self.0.get_version_num() == 7
    }
}

/// One of the ring's slots, 0 ≤ slot < slots of the cluster (256 unless chosen otherwise).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SlotId(pub u16);

/// A connection on its node: which lot, which place in its slab, and how often that place was used before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct ConnectionId {
    pub lot: u16,
    pub generation: u16,
    pub index: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u8) -> UserId {
        UserId::from_bytes([n; 16])
    }

    #[test]
    fn a_direct_room_is_the_same_from_both_sides() {
        assert_eq!(RoomId::direct(user(1), user(2)), RoomId::direct(user(2), user(1)));
        assert_ne!(RoomId::direct(user(1), user(2)), RoomId::direct(user(1), user(3)));
        assert!(RoomId::direct(user(1), user(2)).is_direct() && !RoomId::direct(user(1), user(2)).is_of_client());
        assert!(RoomId(Uuid::now_v7()).is_of_client());
    }

    #[test]
    fn an_id_reads_as_text_and_as_bytes_in_messagepack() {
        let id = user(7);
        let text = rmp_serde::to_vec(&id.to_string()).unwrap();
        let binary = rmp_serde::to_vec(&id).unwrap();
        assert_eq!(binary.len(), 18);
        assert_eq!(rmp_serde::from_slice::<UserId>(&text).unwrap(), id);
        assert_eq!(rmp_serde::from_slice::<UserId>(&binary).unwrap(), id);
        assert!(serde_json::from_str::<UserId>("\"../etc\"").is_err());
    }
}
