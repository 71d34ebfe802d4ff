//! How many groups were acknowledged, in a file beside the database. fjall takes a log that was cut for one that a crash
//! left unfinished, and drops the rest in silence; a database that ends before the mark is refused instead.
//!
//! The mark is written after the group's fsync and never synced itself: it may lag behind after a power cut, never lead.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::open::unusable;
use crate::Error;

pub const FILE: &str = "mark";

pub struct Mark {
    file: File,
}

impl Mark {
    /// Also answers the last group that was marked; a mark that cannot be read (torn by a power cut) counts as none.
    pub fn open(folder: &Path) -> Result<(Self, u64), Error> {
        let path = folder.join(FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| unusable(format!("{} cannot be opened: {error}", path.display())))?;
        let mut bytes = [0; 12];
        let group = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) if crc32c::crc32c(&bytes[..8]).to_be_bytes() == bytes[8..] => {
                u64::from_be_bytes(bytes[..8].try_into().expect("eight bytes"))
            }
            _ => 0,
        };
        Ok((Self { file }, group))
    }

    pub fn set(&self, group: u64) -> std::io::Result<()> {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&group.to_be_bytes());
        bytes[8..].copy_from_slice(&crc32c::crc32c(&group.to_be_bytes()).to_be_bytes());
        self.file.write_all_at(&bytes, 0)
    }
}
