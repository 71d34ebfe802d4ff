//! The two real channels, imported by the program itself: history is the file, a second run adds nothing.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::read::GzDecoder;
use schema::{Event, EventBody};
use serde_json::Value;

fn data(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    assert!(path.is_file(), "the real channels are not beside the project: put {name} into {}", path.parent().unwrap().display());
    path
}

fn hubbub(data_dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hubbub")).args(arguments).env("HUBBUB_NODE_DATA_DIR", data_dir).output().unwrap()
}

fn done(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn import(data_dir: &Path, file: &Path, room: &str) -> Value {
    let file = file.to_str().unwrap();
    serde_json::from_str(&done(hubbub(data_dir, &["--json", "import", file, "--room", room]))).unwrap()
}

/// What was said, as the store has it: (at, user, text, thread), with names for ids.
fn said(data_dir: &Path, room: &str) -> Vec<(u64, String, String, Option<String>)> {
    let users: Value = serde_json::from_str(&done(hubbub(data_dir, &["--json", "user", "list"]))).unwrap();
    let users = users["users"].as_array().unwrap().iter();
    let names: HashMap<String, String> = users.map(|u| (u["id"].as_str().unwrap().into(), u["name"].as_str().unwrap().into())).collect();
    let events = done(hubbub(data_dir, &["export", "--events", room]));
    let events = events.lines().map(|line| serde_json::from_str::<Event>(line).unwrap()).enumerate();
    let mut said = Vec::new();
    for (place, event) in events {
        assert_eq!(event.seq, place as u64 + 1, "history has no hole");
        if let EventBody::Message(message) = event.body {
            let origin = message.origin.unwrap();
            let text = with_names(&message.text, &names);
            said.push((origin.at, names[&event.user.to_string()].clone(), text, origin.thread));
        }
    }
    said
}

fn with_names(text: &str, names: &HashMap<String, String>) -> String {
    let mut parts = text.split("<@");
    let mut named = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = part.split_once('>').and_then(|(id, rest)| names.get(id).map(|name| (name, rest)));
        match name {
            Some((name, rest)) => named.push_str(&format!("<@{name}>{rest}")),
            None => named.push_str(&format!("<@{part}")),
        }
    }
    named
}

/// The same of the file.
fn written(file: &Path) -> Vec<(String, String, Option<String>)> {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    let field = |line: &Value, name: &str| line[name].as_str().map(str::to_owned);
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (field(&line, "user").unwrap(), field(&line, "text").unwrap(), field(&line, "thread"))).collect()
}

fn check(name: &str, messages: usize) {
    let (folder, file) = (tempfile::tempdir().unwrap(), data(name));
    let first = import(folder.path(), &file, "general");
    let room = first["room"].as_str().unwrap().to_owned();
    let said_first = said(folder.path(), &room);
    let plain: Vec<_> = said_first.iter().map(|(_, user, text, thread)| (user.clone(), text.clone(), thread.clone())).collect();
    assert_eq!(plain.len(), messages);
    assert!(plain == written(&file), "history differs from the file");
    assert!(said_first.is_sorted_by_key(|(at, ..)| *at), "times are kept as data, in the file's order");
    assert_eq!(import(folder.path(), &file, "general"), first);
    assert_eq!(said(folder.path(), &room).len(), messages, "a second run adds nothing");
}

#[test]
fn the_elm_channel_is_in_history_as_it_is_in_the_file() {
    check("elm-general.jsonl.gz", 14_510);
}

#[test]
fn the_racket_channel_is_in_history_as_it_is_in_the_file() {
    check("racket-general.jsonl.gz", 22_172);
}

#[test]
fn a_bad_line_stops_the_import_by_its_number_or_is_left_out_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("talk.jsonl");
    let line = |n: u32| format!("{{\"ts\":\"2020-01-01T00:00:0{n}\",\"user\":\"Ann\",\"text\":\"line {n}\"}}\n");
    std::fs::write(&file, format!("{}not json\n{}", line(1), line(3))).unwrap();
    let data_dir = folder.path().join("data");
    let arguments = ["import", file.to_str().unwrap(), "--room", "talk"];
    let stopped = hubbub(&data_dir, &arguments);
    assert!(!stopped.status.success());
    let sentence = String::from_utf8(stopped.stderr).unwrap();
    let rooms = || -> Value { serde_json::from_str(&done(hubbub(&data_dir, &["--json", "room", "list"]))).unwrap() };
    let room = rooms()["rooms"].as_array().unwrap().iter().find(|room| room["name"] == "talk").unwrap()["room"].clone();
    let expected = format!(
        "hubbub: line 2: expected ident (column 2); everything before it is in room {}. Mend the line, or add --skip-bad, and run this again\n",
        room.as_str().unwrap()
    );
    assert_eq!(sentence, expected);
    assert_eq!(said(&data_dir, room.as_str().unwrap()).len(), 1, "as it says");
    let gone_on = hubbub(&data_dir, &[&["--json"], &arguments[..], &["--skip-bad"]].concat());
    let answer: Value = serde_json::from_str(&done(gone_on)).unwrap();
    assert_eq!((answer["lines"].as_u64(), answer["bad"].as_u64()), (Some(3), Some(1)));
    let texts: Vec<_> = said(&data_dir, answer["room"].as_str().unwrap()).into_iter().map(|(_, _, text, _)| text).collect();
    assert_eq!(texts, ["line 1", "line 3"]);
}

#[test]
fn an_import_that_fails_at_its_first_line_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (file, empty, data_dir) = (folder.path().join("talk.jsonl"), folder.path().join("empty.jsonl"), folder.path().join("data"));
    std::fs::write(&file, "{\"ts\":\"yesterday\",\"user\":\"Ann\",\"text\":\"hi\"}\n").unwrap();
    std::fs::write(&empty, "\n").unwrap();
    let stopped = hubbub(&data_dir, &["import", file.to_str().unwrap(), "--room", "talk"]);
    let sentence = String::from_utf8(stopped.stderr).unwrap();
    assert!(sentence.contains("line 1: \"yesterday\" is no time") && sentence.contains("nothing is imported"), "{sentence}");
    done(hubbub(&data_dir, &["import", empty.to_str().unwrap(), "--room", "talk"]));
    for list in ["room", "user"] {
        let list = done(hubbub(&data_dir, &[list, "list"]));
        assert!(list.is_empty(), "{list}");
    }
}

#[test]
fn what_was_exported_is_imported_elsewhere_with_the_same_texts_times_and_authors() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there, file) = (folder.path().join("here"), folder.path().join("there"), folder.path().join("talk.jsonl"));
    let lines: String = (0..300)
        .map(|n| {
            let text = ["hello <@Bob>", "a <b> \\\"quoted\\\" \\n line", "", "<@nobody at all>", "Grüße 👋 <@"][n % 5];
            let thread = if n % 3 == 0 { ",\"thread\":\"t1\"" } else { "" };
            let user = ["Ann", "Bob", "c-3.po"][n % 3];
            format!("{{\"ts\":\"2020-01-01T00:{:02}:{:02}.{:03}Z\",\"user\":\"{user}\",\"text\":\"{text}\"{thread}}}\n", n / 60, n % 60, n)
        })
        .collect();
    std::fs::write(&file, &lines).unwrap();
    let first = import(&here, &file, "talk");
    let exported = done(hubbub(&here, &["export", first["room"].as_str().unwrap()]));
    assert_eq!(exported.lines().count(), 300);
    assert_eq!(exported, lines, "what went in comes out");
    std::fs::write(&file, &exported).unwrap();
    let second = import(&there, &file, "talk");
    assert_eq!(said(&here, first["room"].as_str().unwrap()), said(&there, second["room"].as_str().unwrap()));
}
