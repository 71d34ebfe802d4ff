//! The bounds of one node's connections: what they may cost in memory, time and number. Every one is a config key.
//!
//! Bounds that are part of the protocol or of stored data are the same on every node and live in `schema::limits`;
//! those of rooms, slots and stores belong to their crates' own configuration.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// TCP accepts a second. Over it: 503 with a jittered Retry-After. `hubbub_edge_refused_total{why="rate"}`
    pub accepts_per_second_max: u32,
    /// TLS handshakes a second and core. Over it: closed. `…{why="tls_rate"}`
    pub tls_accepts_per_core_per_second_max: u32,
    /// Sockets of one address that have not asked for anything yet, or not said a valid hello. Over it: 503. `…{why="unauthenticated"}`
    pub unauthenticated_per_address_max: u32,
    /// WebSockets of one address (IPv6: of one /64), and as many HTTP connections. Over it: 429. `…{why="address"}`
    pub connections_per_address_max: u32,
    /// WebSockets of one user. Over it the one that is idle longest closes with 4003.
    pub connections_per_user_max: u32,
    /// HTTP connections and handshakes of the whole node. Over it: 503. `…{why="http"}`
    pub http_connections_max: usize,
    /// A request's head: bytes and fields. Over it: 431.
    pub head_bytes_max: usize,
    pub head_fields_max: usize,
    /// A whole request head, and a TLS handshake, within this. Over it: closed.
    pub head_ms: u32,
    /// A valid hello within this after the handshake. Over it: close 4004.
    pub hello_ms: u32,

    /// A message after reassembly. Over it: close 1009.
    pub message_bytes_max: usize,
    /// Frames of one message, empty ones count. Over it: close 1008.
    pub fragments_max: u32,
    /// From a message's first byte to its last. Over it: close 1008.
    pub message_ms: u32,
    /// Read from one connection before the next one has its turn.
    pub read_bytes_per_turn_max: usize,
    /// Requests of one connection that are not answered yet. At it: the socket is not read, TCP pushes back.
    pub requests_in_flight_max: u8,
    /// Ordered requests and ephemeral events of one user over all connections. Over it: `rate_limited`.
    pub user_events_per_minute: u32,
    pub user_events_burst: u32,

    /// What one connection has to read yet. Over it: ephemeral events go, then its rooms are `behind`.
    pub outbox_bytes_max: usize,
    pub outbox_frames_max: usize,
    /// Nothing of an outbox could be written for this long: close 4001.
    pub slow_ms: u32,
    /// What waits for one lot. Over it: ephemeral events go, then all its rooms are `behind`.
    pub lot_inbox_bytes_max: usize,
    /// Frames of a room are joined to one write up to this.
    pub joined_bytes_max: usize,
    /// Deliveries of a big room before the lot reads again.
    pub slice_members: usize,

    /// Memory that the process may take; 0: what its container or the machine has. From `memory_soft_percent` of it on new
    /// sockets get 503; from `memory_hard_percent` on slow connections are closed and requests shed by class.
    /// `hubbub_memory_used_bytes`, `hubbub_memory_level`
    pub memory_bytes: u64,
    pub memory_soft_percent: u8,
    pub memory_hard_percent: u8,

    /// A client says something at least this often; silent for two of these: close 4002.
    pub heartbeat_ms: u32,
    /// After our close frame the peer has this long to answer it.
    pub linger_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            accepts_per_second_max: 8_000,
            tls_accepts_per_core_per_second_max: 400,
            unauthenticated_per_address_max: 20,
            connections_per_address_max: 200,
            connections_per_user_max: 20,
            http_connections_max: 16_384,
            head_bytes_max: 16 * 1024,
            head_fields_max: 64,
            head_ms: 10_000,
            hello_ms: 10_000,
            message_bytes_max: schema::limits::MESSAGE_BYTES_MAX,
            fragments_max: 64,
            message_ms: 30_000,
            read_bytes_per_turn_max: 128 * 1024,
            requests_in_flight_max: 16,
            user_events_per_minute: 120,
            user_events_burst: 20,
            outbox_bytes_max: 1024 * 1024,
            outbox_frames_max: 1_000,
            slow_ms: 10_000,
            lot_inbox_bytes_max: 4 * 1024 * 1024,
            joined_bytes_max: 16 * 1024,
            slice_members: 512,
            memory_bytes: 0,
            memory_soft_percent: 70,
            memory_hard_percent: 85,
            heartbeat_ms: 30_000,
            linger_ms: 2_000,
        }
    }
}
