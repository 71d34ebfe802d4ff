//! Settings of what keeps and orders the data: the store of one machine, and the rooms and sessions over it.

use std::path::PathBuf;
use std::time::Duration;

use schema::InstallationId;
use serde::{Deserialize, Serialize};
use store::EmbeddedConfig;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Where the data is: "embedded", in `node.data_dir`; "remote", in a store process (`hubbub store serve`).
    pub backend: Backend,
    /// "host:port" of the store process.
    pub address: String,
    /// The secret that the store process was started with, or made.
    pub secret_file: PathBuf,
    /// PEM: who signed the store process's certificate, or that itself. Needed where it is not on this machine.
    pub tls_ca: PathBuf,
    /// The database's cache; 0: a quarter of the memory.
    pub cache_bytes: u64,
    /// What may wait for the writer. Over it: callers wait.
    pub queue_bytes: usize,
    /// Kept free on the disk. Below it: read-only.
    pub reserve_bytes: u64,
    /// A file that is given up then, so that what is under way can end.
    pub ballast_bytes: u64,
    /// Threads that read.
    pub readers: usize,
    /// Calls under way that somebody waits for. Over it: they wait in turn, within the deadline.
    pub calls_max: usize,
    /// A call that is not answered by then is given up: `unavailable`. After 32 in a row none is made for a second.
    pub call_ms: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    #[default]
    Embedded,
    Remote,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rooms {
    /// Requests without an answer, of one room; and their bytes, of one room, one slot and the node. Over it: `busy`.
    pub requests_waiting_max: usize,
    pub bytes_waiting_max: usize,
    pub slot_bytes_waiting_max: usize,
    pub node_bytes_waiting_max: usize,
    /// Of one slot above its watermark, and of all slots of the node. Over it: appends wait.
    pub tail_events_max: usize,
    pub tail_bytes_max: usize,
    pub node_tail_bytes_max: usize,
    /// Pages of history that are kept in memory. Over it: those that are asked for least are read again.
    pub pages_bytes_max: usize,
    /// Unused for so long, a room or a session falls asleep.
    pub room_idle_ms: u32,
    pub session_idle_ms: u32,
    /// From a user's last closed socket until others see them as offline.
    pub offline_after_ms: u32,
}

impl Default for Store {
    fn default() -> Self {
        let store = EmbeddedConfig::default();
        Self {
            backend: Backend::Embedded,
            address: String::new(),
            secret_file: PathBuf::new(),
            tls_ca: PathBuf::new(),
            cache_bytes: 0,
            queue_bytes: store.queue_bytes,
            reserve_bytes: store.reserve_bytes,
            ballast_bytes: store.ballast_bytes,
            readers: store.readers,
            calls_max: 256,
            call_ms: 5_000,
        }
    }
}

impl Store {
    /// `memory_bytes`: what the process may take.
    pub fn settings(&self, memory_bytes: u64) -> EmbeddedConfig {
        let default = EmbeddedConfig::default();
        let quarter = (memory_bytes / 4).clamp(32 << 20, 4 << 30);
        EmbeddedConfig {
            cache_bytes: if self.cache_bytes == 0 { quarter } else { self.cache_bytes },
            queue_bytes: self.queue_bytes,
            reserve_bytes: self.reserve_bytes,
            ballast_bytes: self.ballast_bytes,
            readers: self.readers,
            ..default
        }
    }
}

impl Default for Rooms {
    fn default() -> Self {
        let rooms = actors::Config::default();
        let ms = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        Self {
            requests_waiting_max: rooms.room_requests_max,
            bytes_waiting_max: rooms.room_bytes_max,
            slot_bytes_waiting_max: rooms.slot_bytes_max,
            node_bytes_waiting_max: rooms.node_bytes_max,
            tail_events_max: rooms.tail_events_max,
            tail_bytes_max: rooms.tail_bytes_max,
            node_tail_bytes_max: rooms.node_tail_bytes_max,
            pages_bytes_max: rooms.pages_bytes_max,
            room_idle_ms: ms(rooms.room_idle),
            session_idle_ms: ms(rooms.session_idle),
            offline_after_ms: ms(rooms.offline_after),
        }
    }
}

impl Rooms {
    pub fn settings(&self, installation: InstallationId, slots: u16, heartbeat_ms: u32) -> actors::Config {
        let ms = |ms: u32| Duration::from_millis(ms.into());
        actors::Config {
            installation,
            slots,
            room_requests_max: self.requests_waiting_max,
            room_bytes_max: self.bytes_waiting_max,
            slot_bytes_max: self.slot_bytes_waiting_max,
            node_bytes_max: self.node_bytes_waiting_max,
            tail_events_max: self.tail_events_max,
            tail_bytes_max: self.tail_bytes_max,
            node_tail_bytes_max: self.node_tail_bytes_max,
            pages_bytes_max: self.pages_bytes_max,
            room_idle: ms(self.room_idle_ms),
            session_idle: ms(self.session_idle_ms),
            offline_after: ms(self.offline_after_ms),
            heartbeat: ms(heartbeat_ms),
            ..actors::Config::default()
        }
    }
}
