//! openraft's storage suite, on files as a node has them.

use openraft::testing::{StoreBuilder, Suite};
use tempfile::TempDir;

use super::super::{Disk, Group, LogStore, Machine, StorageError};
use super::storage;

struct Files;

impl StoreBuilder<Group, LogStore, Machine, TempDir> for Files {
    async fn build(&self) -> Result<(TempDir, LogStore, Machine), StorageError> {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, machine) = storage(Disk::open(&folder.path().join("raft.redb")).expect("a new file"));
        Ok((folder, log, machine))
    }
}

#[test]
fn the_storage_passes_openrafts_own_suite() {
    Suite::test_all(Files).expect("the suite passes");
}

#[test]
fn a_second_process_is_kept_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("raft.redb");
    let _first = Disk::open(&path).expect("a new file");
    let refused = Disk::open(&path).expect_err("it is in use");
    assert!(refused.to_string().contains("cannot be opened"), "{refused}");
}

#[test]
fn a_file_that_was_half_made_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("raft.new"), [0; 4096]).expect("written");
    let (_disk, stored) = Disk::open(&folder.path().join("raft.redb")).expect("a new file");
    assert!(stored.identity.is_none() && !folder.path().join("raft.new").exists());
}
