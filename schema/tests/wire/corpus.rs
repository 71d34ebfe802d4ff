//! The golden files as bytes: where noise starts from.

use std::fs;
use std::path::{Path, PathBuf};

/// Files of one kind that end so, in the order of their names.
pub fn golden(kind: &str, ending: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(kind);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder of golden files").map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(ending));
    files.sort();
    assert!(!files.is_empty(), "no golden files of {kind} end in {ending}");
    let read = |file: PathBuf| fs::read(file).expect("a golden file is read");
    files.into_iter().map(read).map(|bytes| if ending.ends_with("hex") { from_hex(&bytes) } else { bytes }).collect()
}

fn from_hex(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = text.iter().filter_map(|digit| (*digit as char).to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
