//! Every decoder as a target: what its input looks like, what to grow noise from, and what has to hold of what it took.

mod auth;
mod edge;
mod files;
mod http;
mod link;
mod member;
mod remote;
mod rows;
mod wire;

use std::path::{Path, PathBuf};

use crate::mutate::Form;

#[derive(Debug)]
pub struct Target {
    pub name: &'static str,
    pub form: Form,
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Panics when what it was given is taken for something it is not.
    pub feed: fn(&[u8]),
}

pub const ALL: &[Target] = &[
    wire::CLIENT_JSON,
    wire::CLIENT_MSGPACK,
    wire::SERVER_JSON,
    wire::SERVER_MSGPACK,
    wire::BLOCK,
    wire::EVENT,
    wire::RECORD,
    wire::PEER,
    wire::REST,
    edge::FRAMES,
    edge::HANDSHAKE,
    http::HTTP_REQUEST,
    auth::TOKEN,
    files::IMPORT_LINE,
    files::CONFIG,
    files::ORDER,
    rows::STORE_ROW,
    rows::STORE_LOG,
    rows::BACKUP,
    files::HISTORY,
    link::LINK,
    remote::REMOTE,
    member::WISH,
    member::QUESTION,
];

/// The golden files of one kind that end so, in the order of their names.
fn golden(kind: &str, ending: &str) -> Vec<Vec<u8>> {
    folder_of_golden(&format!("schema/golden/{kind}"), ending)
}

fn folder_of_golden(inside: &str, ending: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join(inside));
    let folder = folder.into_iter().find(|folder| folder.is_dir()).expect("golden files of that kind");
    let entries = std::fs::read_dir(folder).expect("a folder of golden files");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(ending));
    files.sort();
    let read = |file: PathBuf| std::fs::read(file).expect("a golden file is read");
    files.into_iter().map(read).map(|bytes| if ending.ends_with("hex") { from_hex(&bytes) } else { bytes }).collect()
}

fn from_hex(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = text.iter().filter_map(|digit| (*digit as char).to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A new folder for every input, for decoders that read files; in memory where the system has such a place.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder for a moment")
}

/// A sentence that a person reads: one line, something in it, not longer than a screen.
fn is_a_sentence(text: &str) {
    assert!(!text.trim().is_empty() && text.len() <= 2_000 && !text.contains('\n'), "no sentence: {text:?}");
}
