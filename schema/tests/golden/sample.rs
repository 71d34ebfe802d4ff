//! The values that the samples are made of: one person, one room, always the same.

use schema::{Cmid, DeviceId, InstallationId, LoginId, RoomId, UserId};
use schema::{Event, EventBody};
use uuid::Uuid;

/// A UUIDv7 of a fixed time, told apart by its last byte.
fn id(number: u8) -> Uuid {
    let mut bytes = *uuid::uuid!("01937b2c-4e5f-7a6b-8c7d-9eafb0c1d200").as_bytes();
    bytes[15] = number;
    Uuid::from_bytes(bytes)
}

pub fn ann() -> UserId {
    UserId(id(1))
}
pub fn bob() -> UserId {
    UserId(id(2))
}
pub fn room() -> RoomId {
    RoomId(id(0x10))
}
pub fn workspace() -> RoomId {
    RoomId(id(0x11))
}
pub fn cmid() -> Cmid {
    Cmid(id(0x20))
}
pub fn prev() -> Cmid {
    Cmid(id(0x21))
}
pub fn device() -> DeviceId {
    DeviceId(id(0x30))
}
pub fn login() -> LoginId {
    LoginId(id(0x31))
}
pub fn installation() -> InstallationId {
    InstallationId(id(0x32))
}

pub const AT: u64 = 1_732_181_400_000;

/// Text that a careless writer would spoil.
pub const TEXT: &str = "héllo <@01937b2c-4e5f-7a6b-8c7d-9eafb0c1d202>, \"quoted\" \\ 👋🏽\n```rust\nlet x = 1;\n```";

pub fn event(seq: u64, ordinal: u64, body: EventBody) -> Event {
    Event { room: room(), seq, ordinal, at: AT + seq, user: ann(), cmid: cmid(), body }
}
