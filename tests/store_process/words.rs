//! What a store process and a node on it say to whoever runs them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use loadtest::process::Process;
use tempfile::TempDir;

use super::{BINARY, Store, command};

fn sentence(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().find_map(|line| line.strip_prefix("hubbub: "));
    last.unwrap_or_else(|| panic!("no sentence: {text}")).to_owned()
}

/// A node's command line with this store process's keys.
fn of_node(folder: &TempDir, store: &Store, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).current_dir(folder.path()).env("HUBBUB_NODE_DATA_DIR", folder.path().join("node"));
    command.env("HUBBUB_LISTEN_HTTP", "127.0.0.1:0").env("HUBBUB_LISTEN_ADMIN", "127.0.0.1:0");
    command.env("HUBBUB_STORE_BACKEND", "remote").env("HUBBUB_STORE_ADDRESS", store.address.to_string());
    command.env("HUBBUB_STORE_SECRET_FILE", store.secret());
    command
}

#[test]
fn a_store_process_makes_its_secret_for_its_owner_alone_keeps_it_and_stops_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::start(&folder.path().join("store"));
    let made = std::fs::read(store.secret()).unwrap();
    assert_eq!(std::fs::metadata(store.secret()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(store.stop().success());
    let again = Store::start(&folder.path().join("store"));
    assert_eq!(std::fs::read(again.secret()).unwrap(), made);
}

#[test]
fn a_second_store_process_on_the_same_data_and_one_in_the_clear_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::start(&folder.path().join("store"));
    let second = sentence(&command(&store.folder, "127.0.0.1:0").output().unwrap());
    assert!(second.contains("is in use by process") && second.contains("stop it first"), "{second}");
    let bare = sentence(&command(&folder.path().join("other"), "0.0.0.0:0").output().unwrap());
    assert!(bare.ends_with("can be reached from other machines: give --tls-cert and --tls-key, or listen on 127.0.0.1"), "{bare}");
}

#[test]
fn a_node_says_what_is_wrong_with_its_store_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::start(&folder.path().join("store"));
    let other = folder.path().join("other");
    std::fs::write(&other, "another secret that is long enough to be one").unwrap();
    let stranger = sentence(&of_node(&folder, &store, &["serve"]).env("HUBBUB_STORE_SECRET_FILE", &other).output().unwrap());
    assert_eq!(stranger, "the store process has another secret: set store.secret_file to the file that it was started with");
    store.kill();
    let away = sentence(&of_node(&folder, &store, &["serve"]).output().unwrap());
    assert!(away.starts_with(&format!("the store process at {} does not answer", store.address)), "{away}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_taken_of_the_store_process_and_a_command_without_a_node_takes_no_slot_from_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::start(&folder.path().join("store"));
    let node = Process::start(Path::new(BINARY), &folder.path().join("node"), &store.keys(), None).await.unwrap();
    assert!(node.command(&["user", "add", "ann"]).output().unwrap().status.success());
    let elsewhere = sentence(&node.command(&["backup", "copy"]).output().unwrap());
    assert!(elsewhere.contains("the data is in a store process: run `hubbub backup` on its machine"), "{elsewhere}");
    let copy = folder.path().join("copy");
    let taken = Command::new(BINARY).arg("backup").arg(&copy).env("HUBBUB_NODE_DATA_DIR", &store.folder).output().unwrap();
    assert!(taken.status.success() && copy.is_dir(), "{taken:?}");
    let alone = sentence(&of_node(&tempfile::tempdir().unwrap(), &store, &["user", "list"]).output().unwrap());
    assert!(alone.contains("the data is in the store process at") && alone.ends_with("start a node, and ask it"), "{alone}");
    let people = sentence(&Command::new(BINARY).args(["user", "list"]).env("HUBBUB_NODE_DATA_DIR", &store.folder).output().unwrap());
    assert_eq!(people, "a store process has no people and no rooms: ask a node that uses it");
}
