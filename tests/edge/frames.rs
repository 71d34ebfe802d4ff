//! The table of raw frames (`frames.txt`), against the parser in every cut and against a real lot.

use std::io::Write;

use hubbub::edge::Voice;
use hubbub::edge::frame::Violation;
use hubbub::edge::heartbeat::Tick;
use hubbub::edge::parser::{Bounds, Item, Parser};
use hubbub::limits::Limits;
use schema::CloseCode;
use schema::wire::Format;

use crate::client::{Came, Client, frame};
use crate::world::World;

pub struct Case {
    pub promise: &'static str,
    pub bytes: Vec<u8>,
    comes: Vec<Came>,
}

pub fn cases() -> Vec<Case> {
    let lines = include_str!("frames.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.split('|').map(str::trim);
            let mut part = || parts.next().unwrap();
            let (promise, sent, comes) = (part(), part(), part());
            let bytes = sent.split(' ').filter(|word| !word.is_empty()).flat_map(client_frame).collect();
            Case { promise, bytes, comes: comes.split(' ').map(server_frame).collect() }
        })
        .collect()
}

/// `a*5` and `\xNN` to bytes.
fn body(text: &str) -> Vec<u8> {
    if let Some((byte, count)) = text.split_once('*') {
        return byte.repeat(count.parse().unwrap()).into_bytes();
    }
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

fn close_body(text: &str) -> Vec<u8> {
    let (code, sentence) = text.split_once('+').unwrap_or((text, ""));
    let mut bytes = code.parse::<u16>().map_or(Vec::new(), |code| code.to_be_bytes().to_vec());
    bytes.extend(body(sentence));
    bytes
}

fn client_frame(word: &str) -> Vec<u8> {
    if let Some(hex) = word.strip_prefix("raw") {
        return (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    }
    let (kind, text) = word.split_once(':').unwrap();
    let first = match kind {
        "T" => 0x81,
        "t" => 0x01,
        "B" => 0x82,
        "b" => 0x02,
        "C" => 0x80,
        "c" => 0x00,
        "P" => 0x89,
        "O" => 0x8a,
        "X" => return frame(0x88, &close_body(text)),
        other => u8::from_str_radix(&other[1..], 16).unwrap(),
    };
    frame(first, &body(text))
}

fn server_frame(word: &str) -> Came {
    let (kind, text) = word.split_once(':').unwrap();
    match kind {
        "T" => Came::Text(body(text)),
        "B" => Came::Binary(body(text)),
        "O" => Came::Pong(body(text)),
        _ => Came::Close(text.parse().ok(), String::new()),
    }
}

/// What an echo over the bare parser answers when the bytes come in these pieces.
pub fn echo<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Came> {
    let bounds = Bounds { message_bytes_max: 65536, fragments_max: 64 };
    let (mut parser, mut came) = (Parser::default(), Vec::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut rest = &mut piece[..];
        loop {
            let item = match parser.step(&mut rest, &bounds, Tick(1)) {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(violation) => {
                    came.push(Came::Close(Some(violation.close_code().number()), String::new()));
                    return came;
                }
            };
            came.push(match item {
                Item::Message { text: true, bytes } => Came::Text(bytes.to_vec()),
                Item::Message { text: false, bytes } => Came::Binary(bytes.to_vec()),
                Item::Ping(body) => Came::Pong(body.to_vec()),
                Item::Pong => continue,
                Item::Close(code) => {
                    came.push(Came::Close(code, String::new()));
                    return came;
                }
            });
        }
        assert!(rest.is_empty(), "what is unfinished is kept by the parser");
    }
    came
}

#[test]
fn every_case_holds_for_the_parser_however_the_bytes_are_cut() {
    let cases = cases();
    assert!(cases.len() >= 120);
    for case in cases {
        let check = |pieces: Vec<&[u8]>, how: &str| assert_eq!(echo(pieces.into_iter()), case.comes, "{}, {how}", case.promise);
        check(vec![&case.bytes], "whole");
        check(case.bytes.chunks(1).collect(), "byte by byte");
        check(case.bytes.chunks(7).collect(), "in sevens");
        for at in 0..case.bytes.len().min(300) {
            check(vec![&case.bytes[..at], &case.bytes[at..]], "in two");
        }
    }
}

#[test]
fn every_case_holds_for_a_lot_whole_and_byte_by_byte() {
    let limits = Limits { connections_per_address_max: 2000, unauthenticated_per_address_max: 2000, ..Limits::default() };
    let world = World::start(limits, Voice::Echo, None);
    for case in cases() {
        for piece in [usize::MAX, 1] {
            if case.bytes.len() > 2000 && piece == 1 {
                continue;
            }
            let mut client = Client::connect(world.address, Format::Json);
            for part in case.bytes.chunks(piece.min(case.bytes.len())) {
                // After a violation nobody takes the rest.
                if client.socket.write_all(part).is_err() {
                    break;
                }
            }
            for wanted in &case.comes {
                let came = match client.next() {
                    Came::Close(code, _) => Came::Close(code, String::new()),
                    came => came,
                };
                assert_eq!(&came, wanted, "{}", case.promise);
            }
            if matches!(case.comes.last(), Some(Came::Close(..))) {
                assert_eq!(client.next(), Came::End, "{}", case.promise);
            }
        }
    }
}

#[test]
fn a_connection_with_nothing_unfinished_keeps_nothing() {
    let bounds = Bounds { message_bytes_max: 65536, fragments_max: 64 };
    let mut parser = Parser::default();
    let whole: Vec<u8> = [frame(0x01, b"a"), frame(0x89, b"ping"), frame(0x80, b"b"), frame(0x81, b"c")].concat();
    for piece in whole.chunks(3) {
        let mut piece = piece.to_vec();
        let mut rest = &mut piece[..];
        while parser.step(&mut rest, &bounds, Tick(1)).unwrap().is_some() {}
    }
    assert!(!parser.has_tail());
}

#[test]
fn a_flood_of_fragments_and_a_message_that_never_ends_are_cut_off() {
    let world = World::start(Limits { message_ms: 200, ..Limits::default() }, Voice::Echo, None);
    let mut flood = Client::connect(world.address, Format::Json);
    let mut first = frame(0x01, b"");
    (0..10_000).for_each(|_| first.extend(frame(0x00, b"")));
    // The lot may hang up in the middle of it.
    drop(flood.socket.write_all(&first));
    assert!(matches!(flood.next(), Came::Close(Some(code), _) if code == CloseCode::Policy.number()));

    let mut endless = Client::connect(world.address, Format::Json);
    endless.write(&frame(0x01, b"one fragment, and never another"));
    assert_eq!(endless.closed(), CloseCode::Policy.number());

    let mut half = Client::connect(world.address, Format::Json);
    half.write(&frame(0x81, &[b'x'; 100])[..50]);
    assert_eq!(half.closed(), CloseCode::Policy.number());
}

#[test]
fn every_violation_has_its_close_code() {
    assert_eq!(Violation::Protocol("").close_code().number(), 1002);
    assert_eq!(Violation::BadText.close_code().number(), 1007);
    assert_eq!(Violation::TooManyFragments.close_code().number(), 1008);
    assert_eq!(Violation::TooBig.close_code().number(), 1009);
}
