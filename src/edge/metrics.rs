//! The edge's metrics, as handles that are looked up once. A lot counts in plain numbers and adds them once a turn.

use metrics::{Counter, Gauge, counter, gauge};
use schema::CloseCode;

/// Of one lot.
#[derive(Clone)]
pub struct LotMetrics {
    pub connections: Gauge,
    pub bytes_in: Counter,
    pub bytes_out: Counter,
    pub messages_in: Counter,
    pub frames_out: Counter,
    pub writes: Counter,
    pub outbox_bytes: Gauge,
    pub outbox_frames: Gauge,
    pub ephemerals_dropped: Counter,
    pub behind: Counter,
    pub inbox_overflows: Counter,
    pub rate_limited: Counter,
    pub unanswered_dropped: Counter,
    pub bad_requests: Counter,
    pub reading_paused: Counter,
    pub rooms: Gauge,
    closes: Vec<(u16, Counter)>,
    closes_other: Counter,
}

impl LotMetrics {
    pub fn new(lot: u16) -> Self {
        let lot = lot.to_string();
        let count = |name: &'static str| counter!(name, "lot" => lot.clone());
        let level = |name: &'static str| gauge!(name, "lot" => lot.clone());
        let closes = |code: u16| counter!("hubbub_edge_closes_total", "code" => code.to_string());
        Self {
            connections: level("hubbub_edge_connections"),
            bytes_in: count("hubbub_edge_received_bytes_total"),
            bytes_out: count("hubbub_edge_sent_bytes_total"),
            messages_in: count("hubbub_edge_messages_total"),
            frames_out: count("hubbub_edge_frames_total"),
            writes: count("hubbub_edge_writes_total"),
            outbox_bytes: level("hubbub_edge_outbox_bytes"),
            outbox_frames: level("hubbub_edge_outbox_frames"),
            ephemerals_dropped: count("hubbub_edge_ephemerals_dropped_total"),
            behind: count("hubbub_edge_behind_total"),
            inbox_overflows: count("hubbub_edge_inbox_overflows_total"),
            rate_limited: count("hubbub_edge_rate_limited_total"),
            unanswered_dropped: count("hubbub_edge_unanswered_dropped_total"),
            bad_requests: count("hubbub_edge_bad_requests_total"),
            reading_paused: count("hubbub_edge_reading_paused_total"),
            rooms: level("hubbub_edge_rooms"),
            closes: CloseCode::ALL.iter().map(|code| (code.number(), closes(code.number()))).collect(),
            closes_other: counter!("hubbub_edge_closes_total", "code" => "none"),
        }
    }

    /// `None`, or a code of the client's own: the socket ended without one of ours.
    pub fn closed(&self, code: Option<u16>) {
        let known = self.closes.iter().find(|(number, _)| Some(*number) == code);
        known.map_or(&self.closes_other, |(_, counter)| counter).increment(1);
    }
}

/// Of the door: what was let in, and why not.
#[derive(Clone)]
pub struct DoorMetrics {
    pub accepted: Counter,
    pub handshakes: Counter,
    pub refused_rate: Counter,
    pub refused_http: Counter,
    pub refused_unauthenticated: Counter,
    pub refused_address: Counter,
    pub refused_origin: Counter,
    pub refused_request: Counter,
    pub refused_draining: Counter,
    pub refused_memory: Counter,
    pub refused_tls: Counter,
    pub refused_tls_rate: Counter,
}

impl DoorMetrics {
    pub fn new() -> Self {
        let refused = |why: &'static str| counter!("hubbub_edge_refused_total", "why" => why);
        Self {
            accepted: counter!("hubbub_edge_accepted_total"),
            handshakes: counter!("hubbub_edge_handshakes_total"),
            refused_rate: refused("rate"),
            refused_http: refused("http"),
            refused_unauthenticated: refused("unauthenticated"),
            refused_address: refused("address"),
            refused_origin: refused("origin"),
            refused_request: refused("request"),
            refused_draining: refused("draining"),
            refused_memory: refused("memory"),
            refused_tls: refused("tls"),
            refused_tls_rate: refused("tls_rate"),
        }
    }
}

impl Default for DoorMetrics {
    fn default() -> Self {
        Self::new()
    }
}
