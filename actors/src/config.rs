//! The bounds of actors on one node, with the defaults of OPERATIONS.

use std::time::Duration;

use schema::InstallationId;

#[derive(Clone, Debug)]
pub struct Config {
    pub installation: InstallationId,
    /// Chosen when the data was made; stays.
    pub slots: u16,
    /// Requests without an answer, of a room; and their bytes, of a room, of a slot and in all. More, and they are `busy`.
    pub room_requests_max: usize,
    pub room_bytes_max: usize,
    pub slot_bytes_max: usize,
    pub node_bytes_max: usize,
    /// Above a slot's watermark, and above all of the node; more, and appends wait.
    pub tail_events_max: usize,
    pub tail_bytes_max: usize,
    pub node_tail_bytes_max: usize,
    /// Of history that was asked for, kept in memory. Over it what is asked for least goes.
    pub pages_bytes_max: usize,
    /// `None`: the backend takes all there is.
    pub appends_in_flight_max: Option<usize>,
    pub room_idle: Duration,
    pub session_idle: Duration,
    /// From a user's last closed socket until others see them as offline.
    pub offline_after: Duration,
    pub heartbeat: Duration,
    /// Where clients can go when this node goes, as origins.
    pub nodes: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            installation: InstallationId::default(),
            slots: 256,
            room_requests_max: 1_024,
            room_bytes_max: 4 << 20,
            slot_bytes_max: 8 << 20,
            node_bytes_max: 64 << 20,
            tail_events_max: 8_192,
            tail_bytes_max: 8 << 20,
            node_tail_bytes_max: 256 << 20,
            pages_bytes_max: crate::read::PAGES_BYTES_MAX,
            appends_in_flight_max: None,
            room_idle: Duration::from_secs(60),
            session_idle: Duration::from_secs(10),
            offline_after: Duration::from_secs(20),
            heartbeat: Duration::from_secs(30),
            nodes: Vec::new(),
        }
    }
}
