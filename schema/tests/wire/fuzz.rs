//! Noise against every decoder: golden files with bytes changed, cut, doubled and crossed. Nothing may panic; whatever is
//! accepted must be a value that both formats write and read back.
//!
//! A run is repeated by its seed. By command: `FUZZ_SECONDS=60 FUZZ_SEED=1 cargo test -p hubbub-schema --test wire fuzz`,
//! or `FUZZ_CASES=1000000`.

use std::time::{Duration, Instant};

use schema::block::Block;
use schema::record::*;
use schema::rest::*;
use schema::wire::{Format, from_json, from_msgpack, to_msgpack};
use schema::{ClientEvent, Event, ServerEvent};
use serde::{Serialize, de::DeserializeOwned};

use super::corpus::golden;

const CASES: u64 = 3_000;
const SEED: u64 = 0x6875_6262_7562;

/// splitmix64: a run is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
    fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Feeds noise grown from the corpus until the budget is spent.
fn fuzz(what: &str, corpus: &[Vec<u8>], mut feed: impl FnMut(&[u8])) {
    let seed = from_environment("FUZZ_SEED").unwrap_or(SEED);
    let seconds = from_environment("FUZZ_SECONDS").map(Duration::from_secs);
    let cases = from_environment("FUZZ_CASES").unwrap_or(if seconds.is_some() { u64::MAX } else { CASES });
    let begun = Instant::now();
    let mut dice = Dice(seed);
    for case in 0..cases {
        if case % 256 == 0 && seconds.is_some_and(|seconds| begun.elapsed() >= seconds) {
            break;
        }
        let noise = mutate(&mut dice, corpus);
        let fed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| feed(&noise)));
        assert!(fed.is_ok(), "{what}: case {case} of FUZZ_SEED={seed} broke on {}", noise.escape_ascii());
    }
}

/// Bytes that decoders look at twice.
const TELLING: &[u8] = b"\x00\x7f\x80\x90\xa0\xbf\xc0\xc1\xc4\xc6\xc9\xca\xcf\xd4\xd9\xdb\xdc\xdd\xde\xdf\xe0\xff{}[]\",:\\0-.eE\n";

fn mutate(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(8) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, TELLING[dice.below(TELLING.len())]),
            2 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            3 if at < bytes.len() => bytes[at] = TELLING[dice.below(TELLING.len())],
            4 if at < bytes.len() => drop(bytes.remove(at)),
            5 => {
                let other = &corpus[dice.below(corpus.len())];
                let from = dice.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            6 => {
                let until = at + dice.below(bytes.len() - at + 1).min(64);
                let piece = bytes[at..until].to_vec();
                (0..dice.below(40)).for_each(|_| bytes.splice(at..at, piece.iter().copied()).for_each(drop));
            }
            _ => (0..dice.below(9)).for_each(|_| bytes.insert(at, dice.roll() as u8)),
        }
    }
    bytes
}

/// What was accepted is a value like any other.
fn is_sound<T: Serialize + DeserializeOwned + PartialEq>(value: &T) {
    for format in [Format::Json, Format::MessagePack] {
        let again: T = format.decode(&format.encode(value)).expect("what was accepted reads back");
        assert!(again == *value);
    }
}

fn feed_format<T: Serialize + DeserializeOwned + PartialEq>(format: Format) -> impl Fn(&[u8]) {
    move |bytes| {
        if let Ok(value) = format.decode::<T>(bytes) {
            is_sound(&value);
        }
    }
}

#[test]
fn client_json_survives_noise() {
    fuzz("client JSON", &golden("client", ".json"), feed_format::<ClientEvent>(Format::Json));
}

#[test]
fn client_msgpack_survives_noise() {
    fuzz("client MessagePack", &golden("client", ".hex"), feed_format::<ClientEvent>(Format::MessagePack));
}

#[test]
fn server_json_survives_noise() {
    fuzz("server JSON", &golden("server", ".json"), feed_format::<ServerEvent>(Format::Json));
}

#[test]
fn server_msgpack_survives_noise() {
    fuzz("server MessagePack", &golden("server", ".hex"), feed_format::<ServerEvent>(Format::MessagePack));
}

#[test]
fn blocks_survive_noise() {
    fuzz("block", &golden("block", ".hex"), |bytes| {
        if let Ok(block) = Block::decode(bytes) {
            assert_eq!(Block::decode(&block.encode()).expect("what was accepted reads back"), block);
        }
    });
}

#[test]
fn events_survive_noise() {
    fuzz("event", &golden("event", ".hex"), feed_format::<Event>(Format::MessagePack));
}

fn feed_record<R: Record + PartialEq>(bytes: &[u8]) {
    if let Ok(record) = from_msgpack::<R>(bytes) {
        assert!(from_msgpack::<R>(&to_msgpack(&record)).expect("what was accepted reads back") == record);
        // An annotation of an event without a target has no place; the rest have one whatever they hold.
        if R::TABLE != Table::Annotations {
            assert_eq!(record.key().table, R::TABLE);
        }
    }
}

#[test]
fn records_survive_noise() {
    fuzz("record", &golden("record", ".hex"), |bytes| {
        feed_record::<HistoryRow>(bytes);
        feed_record::<Annotation>(bytes);
        feed_record::<RequestKey>(bytes);
        feed_record::<MemberRow>(bytes);
        feed_record::<RoomRow>(bytes);
        feed_record::<RoomHead>(bytes);
        feed_record::<RoomListEntry>(bytes);
        feed_record::<Channel>(bytes);
        feed_record::<ChannelName>(bytes);
        feed_record::<RoomSize>(bytes);
        feed_record::<Watermark>(bytes);
        feed_record::<Installation>(bytes);
        feed_record::<ImportCursor>(bytes);
        feed_record::<User>(bytes);
        feed_record::<Username>(bytes);
        feed_record::<Credential>(bytes);
        feed_record::<Login>(bytes);
        feed_record::<SigningKey>(bytes);
        feed_record::<Revocation>(bytes);
        feed_record::<Marker>(bytes);
        feed_record::<Receipt>(bytes);
        feed_record::<DraftRow>(bytes);
        feed_record::<MentionRow>(bytes);
    });
}

#[test]
fn rest_bodies_survive_noise() {
    fn feed<T: Serialize + DeserializeOwned + PartialEq>(bytes: &[u8]) {
        if let Ok(body) = from_json::<T>(bytes) {
            is_sound(&body);
        }
    }
    fuzz("REST", &golden("rest", ".json"), |bytes| {
        feed::<SignUp>(bytes);
        feed::<LogIn>(bytes);
        feed::<Refresh>(bytes);
        feed::<ChangePassword>(bytes);
        feed::<ChangeProfile>(bytes);
        feed::<CreateRoom>(bytes);
        feed::<PostMessage>(bytes);
        feed::<EditMessage>(bytes);
        feed::<PutMember>(bytes);
        feed::<PutRead>(bytes);
        feed::<Page>(bytes);
        feed::<Problem>(bytes);
    });
}
