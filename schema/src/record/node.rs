//! What nodes keep about the data itself.

use serde::{Deserialize, Serialize};

use super::{Key, Record, Table};
use crate::id::{InstallationId, SlotId};

/// Everything of the slot's journal up to and including this block is in the projections. `put_max`, stamp = `block`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    pub slot: SlotId,
    pub block: u64,
}

impl Watermark {
    pub fn key_of(slot: SlotId) -> Key {
        Key::new(Table::Watermarks, &[&slot.0.to_be_bytes()], &[])
    }
}

impl Record for Watermark {
    const TABLE: Table = Table::Watermarks;
    fn key(&self) -> Key {
        Self::key_of(self.slot)
    }
}

/// Which data set this is; a restored or emptied one is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    pub id: InstallationId,
    pub created_at: u64,
}

impl Installation {
    pub fn key_of() -> Key {
        Key::new(Table::Installations, &[b"installation"], &[])
    }
}

impl Record for Installation {
    const TABLE: Table = Table::Installations;
    fn key(&self) -> Key {
        Self::key_of()
    }
}

/// The last grant that a process took for itself, on a store that others may be on too and without a group that gives grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastGrant {
    pub grant: u64,
}

impl LastGrant {
    pub fn key_of() -> Key {
        Key::new(Table::Grants, &[b"last"], &[])
    }
}

impl Record for LastGrant {
    const TABLE: Table = Table::Grants;
    fn key(&self) -> Key {
        Self::key_of()
    }
}

/// How far an import came: a second run goes on from here, however long the file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCursor {
    /// SHA-256 of the room and of the file's first 64 KiB, hex.
    pub name: String,
    /// Lines that are done.
    pub lines: u64,
    /// The room's head after them.
    pub head: u64,
}

impl ImportCursor {
    pub fn key_of(name: &str) -> Key {
        Key::new(Table::ImportCursors, &[name.as_bytes()], &[])
    }
}

impl Record for ImportCursor {
    const TABLE: Table = Table::ImportCursors;
    fn key(&self) -> Key {
        Self::key_of(&self.name)
    }
}
