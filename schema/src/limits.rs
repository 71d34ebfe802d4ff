//! The bounds that are part of the protocol and of stored data: the same on every node, stated to clients.
//! Bounds of one node's memory and time are configuration (`src/limits.rs`).

/// A whole message after reassembly.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
pub const REASON_BYTES_MAX: usize = 500;
pub const EMOJI_BYTES_MAX: usize = 64;
pub const NAME_BYTES_MAX: usize = 80;
pub const TOPIC_BYTES_MAX: usize = 500;
pub const USERNAME_BYTES_MAX: usize = 32;
pub const PASSWORD_BYTES_MIN: usize = 8;
pub const PASSWORD_BYTES_MAX: usize = 256;
pub const SIGNAL_BYTES_MAX: usize = 4 * 1024;
/// People named at once when a room is made.
pub const CREATE_MEMBERS_MAX: usize = 200;
pub const WATCH_MAX: usize = 200;
pub const PAGE_MAX: usize = 200;
pub const PAGE_DEFAULT: usize = 50;
/// At hello: events of one room, events in all, bytes in all.
pub const RESUME_ROOM_EVENTS_MAX: u64 = 500;
pub const RESUME_EVENTS_MAX: usize = 800;
pub const RESUME_BYTES_MAX: usize = 512 * 1024;
/// A journal block.
pub const BLOCK_EVENTS_MAX: usize = 128;
pub const BLOCK_BYTES_MAX: usize = 64 * 1024;
/// A journal segment: blocks, and age in milliseconds, after which it is sealed.
pub const SEGMENT_BLOCKS_MAX: u64 = 512;
pub const SEGMENT_MS_MAX: u64 = 24 * 3600 * 1000;
/// Events that a look-up of a cmid may have to pass over before it is refused as `expired_id`.
pub const CMID_SCAN_MAX: u64 = 50_000;
/// History rows of one partition.
pub const HISTORY_BUCKET: u64 = 4096;
/// The protocol's level inside `hubbub.v1`: rises when something is added.
pub const LEVEL: u16 = 2;
/// Whoever speaks this level is sent `events`; others get one `event` after the other.
pub const EVENTS_LEVEL: u16 = 2;
/// In one `events`: so many, or about so many bytes.
pub const EVENTS_FRAME_MAX: usize = 500;
pub const EVENTS_FRAME_BYTES_MAX: usize = 128 * 1024;
/// Requests of one connection that have no answer yet; then its socket is not read.
pub const REQUESTS_IN_FLIGHT_MAX: u16 = 16;
