//! What this backend reads from its disk, for whoever feeds it noise (`tests/fuzz`). Nothing of the product goes this way.

use std::path::Path;

use super::backup::{Part, check_bytes};
use super::{layout, wal};
use crate::Error;

/// A row of the records, and of the journal, whatever kind its key says it is.
pub fn row(key: &[u8], value: &[u8]) -> Result<(), Error> {
    layout::record_name(key);
    layout::block_name(key);
    check_bytes(true, key, value).and(check_bytes(false, key, value))
}

/// The value behind the checksum that it has under this key.
pub fn sealed(key: &[u8], value: &[u8]) -> Vec<u8> {
    let crc = crc32c::crc32c_append(crc32c::crc32c(key), value);
    [&crc.to_be_bytes(), value].concat()
}

/// The log files in a folder, before the database opens them.
pub fn log(database: &Path, marked: u64) -> Result<(), Error> {
    wal::check(database, marked)
}

/// One file of a backup, to its end; how many rows it has.
pub fn backup_part(path: &Path) -> Result<u64, Error> {
    let (mut part, mut rows) = (Part::open(path)?, 0);
    while part.read_row(path)?.is_some() {
        rows += 1;
    }
    Ok(rows)
}
