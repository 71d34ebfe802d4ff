//! Compares samples with their files, and writes those that are missing when `GOLDEN_WRITE` is set.
//!
//! `golden/<kind>/<name>.json` and `.msgpack.hex`; a later level adds `<name>.<level>.json` beside it, which is then what
//! the sample encodes to, while the older file must still read.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use schema::wire::{Format, from_json, from_msgpack, to_json, to_msgpack};
use serde::{Serialize, de::DeserializeOwned};

use super::positions;

const HEX_PER_LINE: usize = 64;

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(kind)
}

/// Both formats of one sample.
pub fn check<T: Serialize + DeserializeOwned + PartialEq>(kind: &str, name: &str, sample: &T) {
    check_json(kind, name, sample);
    check_msgpack(kind, name, sample);
}

pub fn check_json<T: Serialize + DeserializeOwned + PartialEq>(kind: &str, name: &str, sample: &T) {
    let text = String::from_utf8(to_json(sample).to_vec()).expect("JSON is UTF-8") + "\n";
    let golden = golden(kind, name, "json", &text);
    assert_eq!(golden, text, "{kind}/{name}.json is written differently now: add a field with a default, or a new level");
    let read: T = from_json(golden.as_bytes()).unwrap_or_else(|error| panic!("{kind}/{name}.json does not read any more: {error}"));
    assert!(read == *sample, "{kind}/{name}.json reads as something else now");
    positions::are_refused::<T>(&format!("{kind}/{name}"), Format::Json, sample);
}

pub fn check_msgpack<T: Serialize + DeserializeOwned + PartialEq>(kind: &str, name: &str, sample: &T) {
    let text = to_hex(&to_msgpack(sample));
    let golden = golden(kind, name, "msgpack.hex", &text);
    assert_eq!(golden, text, "{kind}/{name}.msgpack.hex is written differently now: add a field with a default, or a new level");
    let read: T =
        from_msgpack(&from_hex(&golden)).unwrap_or_else(|error| panic!("{kind}/{name}.msgpack.hex does not read any more: {error}"));
    assert!(read == *sample, "{kind}/{name}.msgpack.hex reads as something else now");
    positions::are_refused::<T>(&format!("{kind}/{name}"), Format::MessagePack, sample);
}

/// Every file of a kind, whatever its level, still reads as that type, and has a sample.
pub fn all_read<T: DeserializeOwned>(kind: &str, samples: &[&str]) {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder(kind)).expect("a folder of golden files").map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let text = fs::read_to_string(&file).expect("a golden file is text");
        let read = match name.ends_with(".json") {
            true => from_json::<T>(text.as_bytes()).map(drop),
            false => from_msgpack::<T>(&from_hex(&text)).map(drop),
        };
        assert!(read.is_ok(), "{kind}/{name} does not read any more: {}", read.unwrap_err());
        let stem = name.split('.').next().unwrap_or(name);
        assert!(samples.contains(&stem), "{kind}/{name} has no sample any more: golden files are never given up");
    }
}

fn golden(kind: &str, name: &str, ending: &str, would_be: &str) -> String {
    let file = folder(kind).join(format!("{name}.{ending}"));
    if let Ok(text) = fs::read_to_string(&file) {
        return text;
    }
    assert!(
        std::env::var_os("GOLDEN_WRITE").is_some(),
        "{kind}/{name}.{ending} is missing: run `cargo xtask gen --golden` and commit what it writes"
    );
    fs::create_dir_all(folder(kind)).expect("the folder of golden files can be made");
    fs::write(&file, would_be).expect("a golden file can be written");
    would_be.to_owned()
}

pub fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(HEX_PER_LINE / 2) {
        line.iter().for_each(|byte| write!(text, "{byte:02x}").expect("a String takes all"));
        text.push('\n');
    }
    text
}

pub fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|digit| (digit as char).to_digit(16).expect("hex") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
