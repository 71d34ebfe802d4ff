//! Pure. What a write does to a row, in each of the three modes. Backends fetch the row and carry the answer out.

use bytes::Bytes;

use crate::{Expect, Put};

/// A row as stored. A deleted stamped row stays as a cell without a value, so that a late lower stamp cannot revive it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Stamp of a stamped or max row, version of a conditional one.
    pub stamp: u64,
    pub value: Option<Bytes>,
}

/// Whether a stamped write replaces what is there: the higher stamp wins, a delete wins a tie.
pub fn stamped_wins(current: Option<&Cell>, stamp: u64, deletes: bool) -> bool {
    match current {
        None => true,
        Some(cell) if stamp == cell.stamp => deletes && cell.value.is_some(),
        Some(cell) => stamp > cell.stamp,
    }
}

pub fn max_wins(current: Option<&Cell>, stamp: u64) -> bool {
    current.is_none_or(|cell| stamp > cell.stamp)
}

/// The outcome of a conditional put; on `Done` the row is to be stored at that version.
pub fn conditional(current: Option<&Cell>, expect: Expect) -> Put {
    let version = current.map_or(0, |cell| cell.stamp);
    let met = match expect {
        Expect::Any => true,
        Expect::Absent => version == 0,
        Expect::Version(expected) => version == expected && version != 0,
    };
    if met { Put::Done { version: version + 1 } } else { Put::Conflict { version } }
}
