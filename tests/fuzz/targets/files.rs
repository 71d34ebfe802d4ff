//! What people and programs hand over as files or orders: a conversation to import, a configuration, the command line's
//! orders, a history to check.

use std::iter::empty;

use hubbub::admin::{Answer, Order};
use hubbub::config;
use hubbub::import::Line;
use loadtest::check::{self, Bounds};
use loadtest::history::{self, Claim, Entry, Run, Seen};
use schema::client::{Post, Resume};
use schema::event::{Member, Message};
use schema::limits::TEXT_BYTES_MAX;
use schema::{ClientEvent, Cmid, DeviceId, Event, EventBody, Role, RoomId, RoomKind, RoomSettings, UserId};

use super::{Target, folder, is_a_sentence};
use crate::mutate::Form;
use crate::tree::Tree;

pub const IMPORT_LINE: Target = Target { name: "import_line", form: Form::Json, seeds: import_seeds, feed: import_line };
pub const CONFIG: Target = Target { name: "config", form: Form::Text(WORDS), seeds: config_seeds, feed: config };
pub const ORDER: Target = Target { name: "order", form: Form::Json, seeds: order_seeds, feed: order };
pub const HISTORY: Target = Target { name: "history", form: Form::Json, seeds: history_seeds, feed: history };

const ID: &str = "01937b2c-4e5f-7a6b-8c7d-9eafb0c1d210";

fn import_seeds() -> Vec<Vec<u8>> {
    let lines = [
        r#"{"ts":"2019-06-30T12:00:00","user":"Ann","text":"hi","thread":"1","more":true}"#,
        r#"{"ts":"2017-02-28T23:59:59.387200Z","user":"bob_2","text":"```elm\nmain = text\n```"}"#,
        r#"{"ts":"1970-01-01T00:00:00","user":"x.y-z","text":""}"#,
    ];
    lines.iter().map(|line| line.as_bytes().to_vec()).collect()
}

/// A line within the bounds, or a sentence with its number.
fn import_line(input: &[u8]) {
    match Line::read(7, input) {
        Ok(None) => assert!(input.iter().all(u8::is_ascii_whitespace)),
        Ok(Some(line)) => {
            assert!(line.number == 7 && line.text.len() <= TEXT_BYTES_MAX && line.user.len() <= 32);
            assert!(line.at < 253_402_300_800_000 + 86_400_000, "after the year 9999");
            let text = serde_json::to_vec(&line).expect("a line can be written");
            assert_eq!(serde_json::from_slice::<Line>(&text).expect("and read"), line);
        }
        Err(bad) => {
            is_a_sentence(&bad.to_string());
            assert!(bad.to_string().starts_with("line 7: "));
        }
    }
}

const WORDS: &[&str] = &[
    "[node]\n",
    "[listen]\n",
    "[limits]\n",
    "[auth]\n",
    "[edge]\n",
    "[store]\n",
    "[rooms]\n",
    "[log]\n",
    "data_dir",
    "http",
    "origins",
    "issuer",
    "level",
    "format",
    "heartbeat_ms",
    "refresh_days",
    "tls_certificate",
    " = ",
    "\"",
    "'''",
    "[]",
    "{}",
    "true",
    "1979-05-27",
    "-1",
    "0",
    "0x7f",
    "1e9",
    "9223372036854775807",
    "127.0.0.1:0",
    "\n",
];

fn config_seeds() -> Vec<Vec<u8>> {
    let whole = config::load(None, empty()).map(|loaded| loaded.print()).unwrap_or_default();
    let small = "# a comment\n[node]\ndata_dir = \"x\"\n[edge]\norigins = [\"https://a.example\"]\n[limits]\nheartbeat_ms = 5_000\n";
    vec![whole.into_bytes(), small.as_bytes().to_vec(), b"[auth]\nsignup = \"closed\"\n[log]\nlevel = \"debug\"\n".to_vec()]
}

/// What is printed of a configuration reads back as the same; a refusal is a sentence.
fn config(input: &[u8]) {
    let folder = folder();
    let file = folder.path().join("hubbub.toml");
    std::fs::write(&file, input).expect("the file is written");
    match config::load(Some(&file), empty()) {
        Err(error) => is_a_sentence(&error.to_string()),
        Ok(loaded) => {
            std::fs::write(&file, loaded.print()).expect("the file is written");
            assert_eq!(config::load(Some(&file), empty()).expect("what is printed reads back").config, loaded.config);
        }
    }
}

fn order_seeds() -> Vec<Vec<u8>> {
    let orders = [
        r#"{"add_user":{"name":"ann","display":"Ann","password":"secret secret","admin":true}}"#.to_owned(),
        r#"{"list_users":{"after":"","limit":50}}"#.to_owned(),
        r#"{"rotate_keys":{}}"#.to_owned(),
        format!(r#"{{"export":{{"room":"{ID}","after":3}}}}"#),
        r#"{"create_room":{"owner":"ann","kind":"group","settings":{"name":"x"},"members":["bob"]}}"#.to_owned(),
        r#"{"backup":{"to":"somewhere"}}"#.to_owned(),
        r#"{"set_log_level":{"level":"debug"}}"#.to_owned(),
        r#"{"done":{}}"#.to_owned(),
        format!(r#"{{"room":{{"room":"{ID}"}}}}"#),
    ];
    orders.map(String::into_bytes).to_vec()
}

/// Both ends of the socket: what one reads it would write the same.
fn order(input: &[u8]) {
    if let Ok(order) = serde_json::from_slice::<Order>(input) {
        let text = serde_json::to_string(&order).expect("an order can be written");
        let again: Order = serde_json::from_str(&text).expect("and read");
        assert_eq!(serde_json::to_string(&again).expect("and written"), text);
    }
    if let Ok(answer) = serde_json::from_slice::<Answer>(input) {
        let text = serde_json::to_string(&answer).expect("an answer can be written");
        let again: Answer = serde_json::from_str(&text).expect("and read");
        assert_eq!(serde_json::to_string(&again).expect("and written"), text);
    }
}

/// A list of lines: two devices, a room, an ordered talk, a restart and a page.
fn history_seeds() -> Vec<Vec<u8>> {
    let room = RoomId::default();
    let at = |seq: u64| Resume { room, seq };
    let event = |seq: u64, body: EventBody| {
        let (user, cmid) = (UserId::from_bytes([1; 16]), Cmid::from_bytes([seq as u8; 16]));
        Event { room, seq, ordinal: seq, at: seq, user, cmid, body }
    };
    let member = Member { user: UserId::from_bytes([1; 16]), role: Role::Owner };
    let made = EventBody::Created { kind: RoomKind::Group, settings: RoomSettings::default(), members: vec![member] };
    let said = |text: &str| EventBody::Message(Message { text: text.into(), reply: None, origin: None });
    let events = vec![event(1, made), event(2, said("hi")), event(3, said("there"))];
    let mut entries = vec![Entry::Client { user: UserId::from_bytes([1; 16]), device: DeviceId::from_bytes([1; 16]) }];
    entries.extend([Entry::Hello { resume: vec![] }, Entry::Ready { heads: vec![at(1)] }]);
    for event in &events[1..] {
        let (cmid, text) = (event.cmid, "hi".into());
        let request = ClientEvent::Post(Post { id: 1, room, cmid, after: 1, prev: None, text, reply: None });
        entries.push(Entry::Sent { request });
        entries.push(Entry::Delivered { room, seen: Seen::of(event) });
        entries.push(Entry::Acked { room, cmid, seq: Some(event.seq) });
    }
    let seen = events.iter().map(Seen::of).collect();
    entries.extend([Entry::Lost {}, Entry::Hello { resume: vec![at(3)] }, Entry::Ready { heads: vec![at(3)] }]);
    entries.push(Entry::Page { room, asked: 0, fill: false, from: 1, to: 3, head: 3, seen });
    entries.push(Entry::End { unknown: vec![Claim { room, cmid: events[2].cmid }], have: vec![at(3)] });
    entries.extend([Entry::Plan { fault: "kill -9".into(), times: 1 }, Entry::Fault { fault: "kill -9".into() }]);
    entries.push(Entry::Final { room, base: 0, head: 3, events });
    let lines: Vec<history::Line> = entries.into_iter().enumerate().map(|(at, entry)| history::Line(at as u64, entry)).collect();
    vec![serde_json::to_vec(&lines).expect("lines are written")]
}

/// A bad file is refused in a sentence, and a strange one gets a verdict: the checker does not break on what it judges.
fn history(input: &[u8]) {
    let folder = folder();
    let file = folder.path().join("history.jsonl");
    let lines: Vec<Tree> = serde_json::from_slice(input).unwrap_or_default();
    let lines: Vec<String> = lines.iter().filter_map(|line| serde_json::to_string(line).ok()).collect();
    std::fs::write(&file, if lines.is_empty() { input.to_vec() } else { lines.join("\n").into_bytes() }).expect("the file is written");
    match Run::read(&file) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(run) => drop(check::check(&run, Bounds::default()).to_string()),
    }
}
