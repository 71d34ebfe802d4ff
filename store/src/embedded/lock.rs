//! One process per data set: an advisory lock (flock) on a file that names its holder. The kernel drops it with the process,
//! however that ends; the file stays and means nothing by itself.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::open::unusable;
use crate::Error;

#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Of a folder that is there. Errors: who has it.
    pub fn take(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("lock");
        let cannot = |error: std::io::Error| unusable(format!("the lock file {} cannot be used: {error}", path.display()));
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(cannot)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(cannot)?;
                return Err(unusable(format!(
                    "the data in {} is in use by process {}; stop it first, or give this one a directory of its own",
                    folder.display(),
                    holder.trim()
                )));
            }
            Err(error) => return Err(cannot(error.into())),
        }
        file.set_len(0).map_err(cannot)?;
        file.rewind().map_err(cannot)?;
        writeln!(file, "{}", std::process::id()).map_err(cannot)?;
        Ok(Self { _file: file })
    }
}
