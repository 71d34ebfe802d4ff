//! Free space, looked at before a write: the database must never meet a full disk, it would poison itself. Below the
//! reserve nothing new is taken, while what was taken is finished (projections, fences, trims); below half of it nothing
//! is written at all. A ballast file is given up at the reserve, so that background work has room, and taken back later.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::open::unusable;
use crate::Error;
use crate::metrics::Metrics;

/// Free bytes of the disk under a folder.
pub type FreeBytes = Box<dyn Fn(&Path) -> std::io::Result<u64> + Send + Sync>;

/// What must stay free, how one looks, and what was seen last.
pub struct Space {
    pub free_of: FreeBytes,
    pub reserve_bytes: u64,
    pub is_read_only: AtomicBool,
    /// What takes long is given up.
    pub is_closing: AtomicBool,
}

/// Opening needs a little room itself; the ballast may give it.
const START_BYTES: u64 = 16 << 20;
const BALLAST: &str = "ballast";

impl Space {
    pub fn new(free_of: FreeBytes, reserve_bytes: u64) -> Self {
        Self { free_of, reserve_bytes, is_read_only: AtomicBool::default(), is_closing: AtomicBool::default() }
    }

    /// Asked before the database is opened, which a full disk would break.
    pub fn check_start(&self, folder: &Path) -> Result<(), Error> {
        let needed = START_BYTES.min(self.reserve_bytes / 2);
        let free =
            || (self.free_of)(folder).map_err(|error| unusable(format!("the free space of {} cannot be read: {error}", folder.display())));
        if free()? < needed && std::fs::remove_file(folder.join(BALLAST)).is_ok() {
            tracing::warn!("the disk is full: the ballast was given up to start at all");
        }
        let left = free()?;
        if left < needed {
            return Err(unusable(format!(
                "the disk under {} has {} KiB left; free some space and start again",
                folder.display(),
                left >> 10
            )));
        }
        Ok(())
    }
}

pub fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// Everything is written.
    Open,
    /// Only what finishes earlier work.
    Finishing,
    Shut,
}

pub struct Disk {
    folder: PathBuf,
    space: Arc<Space>,
    ballast_bytes: u64,
    interval: Duration,
    metrics: Metrics,
    looked: Option<Instant>,
    free: u64,
    /// Since it was looked at, times what the log, a flush and a compaction make of it.
    written: u64,
    room: Room,
    has_ballast: bool,
}

const WRITE_AMPLIFICATION: u64 = 4;

impl Disk {
    pub fn new(folder: &Path, space: Arc<Space>, ballast_bytes: u64, interval: Duration, metrics: Metrics) -> Self {
        let folder = folder.to_owned();
        let has_ballast = folder.join(BALLAST).exists();
        Self { folder, space, ballast_bytes, interval, metrics, looked: None, free: 0, written: 0, room: Room::Open, has_ballast }
    }

    pub fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64 * WRITE_AMPLIFICATION;
    }

    /// What may be written now. Looks at the disk once an interval; in between it counts what was written.
    pub fn room(&mut self, now: Instant) -> Room {
        let is_due = self.looked.is_none_or(|looked| now.duration_since(looked) >= self.interval);
        if is_due || self.free.saturating_sub(self.written) < self.space.reserve_bytes {
            self.look(now);
        }
        let before = self.room;
        self.room = self.judge();
        if self.room > Room::Open && self.has_ballast {
            self.drop_ballast(now);
        } else if self.room == Room::Open && !self.has_ballast {
            self.take_ballast();
        }
        if before != self.room {
            tracing::warn!(free_bytes = self.free, reserve_bytes = self.space.reserve_bytes, room = ?self.room, "disk space");
            self.space.is_read_only.store(self.room > Room::Open, Ordering::Relaxed);
            self.metrics.read_only.set(f64::from(u8::from(self.room > Room::Open)));
        }
        self.room
    }

    pub fn refusal(&self) -> Error {
        const MIB: u64 = 1 << 20;
        Error::ReadOnly(format!(
            "the disk under {} has {} MiB left and {} MiB are kept free; free some space and writing goes on by itself",
            self.folder.display(),
            self.free / MIB,
            self.space.reserve_bytes / MIB
        ))
    }

    /// For who wonders why something failed: what the disk has left now.
    pub fn left(&self) -> String {
        let folder = self.folder.display();
        match (self.space.free_of)(&self.folder) {
            Ok(bytes) => format!("the disk under {folder} has {} MiB left", bytes >> 20),
            Err(error) => format!("the free space of {folder} cannot be read: {error}"),
        }
    }

    fn judge(&self) -> Room {
        let free = self.free.saturating_sub(self.written);
        // Coming back wants more than going down did, else the ballast flaps.
        let back =
            if self.room == Room::Open { 0 } else { self.space.reserve_bytes / 8 + if self.has_ballast { 0 } else { self.ballast_bytes } };
        if free >= self.space.reserve_bytes + back {
            Room::Open
        } else if free >= self.space.reserve_bytes / 2 {
            Room::Finishing
        } else {
            Room::Shut
        }
    }

    fn look(&mut self, now: Instant) {
        match (self.space.free_of)(&self.folder) {
            Ok(free) => self.free = free,
            Err(error) => {
                tracing::warn!(%error, "the disk's free space cannot be read; taken as none");
                self.free = 0;
            }
        }
        self.written = 0;
        self.looked = Some(now);
        self.metrics.disk_free_bytes.set(self.free as f64);
    }

    fn drop_ballast(&mut self, now: Instant) {
        self.has_ballast = false;
        if let Err(error) = std::fs::remove_file(self.folder.join(BALLAST)) {
            tracing::warn!(%error, "the ballast file cannot be removed");
        }
        let room = self.room;
        self.look(now);
        // Giving it up never opens the store again by itself: it is there to finish with.
        self.room = if room == Room::Shut && self.free >= self.space.reserve_bytes / 2 { Room::Finishing } else { room };
    }

    fn take_ballast(&mut self) {
        self.has_ballast = true;
        if self.ballast_bytes == 0 || self.free < self.space.reserve_bytes + self.ballast_bytes {
            self.has_ballast = self.ballast_bytes == 0;
            return;
        }
        let path = self.folder.join(BALLAST);
        let made = File::create(&path)
            .and_then(|file| fallocate(&file, FallocateFlags::empty(), 0, self.ballast_bytes).map_err(std::io::Error::from));
        match made {
            Ok(()) => self.free -= self.ballast_bytes,
            Err(error) => tracing::warn!(%error, "no ballast file: the reserve alone must do"),
        }
    }
}
