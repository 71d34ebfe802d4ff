//! openraft's own suite over our storage, and power cuts at every write.

mod power_cut;
mod suite;

use super::{Disk, LogStore, Machine, Stored, Writer};

/// As a start does it.
pub fn storage((disk, mut stored): (Disk, Stored)) -> (LogStore, Machine) {
    let (writer, _task) = Writer::spawn(disk);
    let log = LogStore::new(&mut stored, writer.clone());
    let machine = Machine::new(&mut stored, writer).expect("the snapshot is ours");
    (log, machine)
}
