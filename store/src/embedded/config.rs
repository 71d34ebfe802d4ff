//! What an embedded store is opened with. The defaults are good for one node; where values come from is the server's matter.

use std::fmt;
use std::time::Duration;

use super::disk::{self, FreeBytes};

/// Told once that the disk failed; the process must end, and by default does.
pub type OnFatal = Box<dyn FnOnce(String) + Send>;

pub struct EmbeddedConfig {
    /// The database's cache; a quarter of the memory unless told.
    pub cache_bytes: u64,
    /// Of each of the two keyspaces: small, so that a start after a crash has little to read again.
    pub memtable_bytes: u64,
    /// Threads that flush and compact.
    pub workers: usize,
    pub readers: usize,
    /// What may wait for the writer; beyond it callers wait.
    pub queue_bytes: usize,
    /// After so much the writer commits, even if more waits.
    pub group_bytes: usize,
    /// Kept free on the disk: below it nothing new is written.
    pub reserve_bytes: u64,
    /// A file that is given up when the reserve is reached.
    pub ballast_bytes: u64,
    /// How often the disk's free space is looked at, at most.
    pub disk_interval: Duration,
    pub free_bytes: FreeBytes,
    pub on_fatal: OnFatal,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self {
            cache_bytes: quarter_of_memory(),
            memtable_bytes: 16 << 20,
            workers: 4,
            readers: 4,
            queue_bytes: 64 << 20,
            group_bytes: 8 << 20,
            reserve_bytes: 512 << 20,
            ballast_bytes: 64 << 20,
            disk_interval: Duration::from_millis(100),
            free_bytes: Box::new(disk::free_bytes),
            on_fatal: Box::new(|why| {
                tracing::error!("{why}");
                // Who listens to no log is told as well: a process must not end without a word.
                if !tracing::dispatcher::has_been_set() {
                    eprintln!("{why}");
                }
                std::process::abort();
            }),
        }
    }
}

impl fmt::Debug for EmbeddedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedConfig")
            .field("cache_bytes", &self.cache_bytes)
            .field("memtable_bytes", &self.memtable_bytes)
            .field("reserve_bytes", &self.reserve_bytes)
            .field("ballast_bytes", &self.ballast_bytes)
            .finish_non_exhaustive()
    }
}

fn quarter_of_memory() -> u64 {
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let kib: u64 = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib << 10)
    });
    total.map_or(256 << 20, |bytes| (bytes / 4).clamp(32 << 20, 4 << 30))
}
