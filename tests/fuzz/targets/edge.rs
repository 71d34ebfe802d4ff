//! What the edge reads before there is an event: RFC 6455's frames, and the opening handshake.

use hubbub::edge::Origins;
use hubbub::edge::handshake::Handshake;
use hubbub::edge::heartbeat::Tick;
use hubbub::edge::parser::{Bounds, Item, Parser};
use hyper::header::{HeaderName, HeaderValue, ORIGIN};

use super::{Target, is_a_sentence};
use crate::mutate::Form;

pub const FRAMES: Target = Target { name: "frames", form: Form::Bytes, seeds: frame_seeds, feed: frames };
pub const HANDSHAKE: Target = Target { name: "handshake", form: Form::Text(WORDS), seeds: handshake_seeds, feed: handshake };

const BOUNDS: Bounds = Bounds { message_bytes_max: 4096, fragments_max: 8 };

fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match body.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(body.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// One byte that says how to cut, then frames.
fn frame_seeds() -> Vec<Vec<u8>> {
    let long = "é".repeat(900);
    let talks: [&[(u8, &[u8])]; 9] = [
        &[(0x81, b"hello"), (0x82, b"\0\xff")],
        &[(0x01, "h\u{e9}".as_bytes()), (0x89, b"ping"), (0x00, b"l"), (0x80, b"lo")],
        &[(0x01, b"\xc3"), (0x80, b"\xa9")],
        &[(0x88, b"\x03\xe8bye"), (0x81, b"after the end")],
        &[(0x88, b""), (0x8a, b"pong")],
        &[(0x81, b""), (0x8a, b"")],
        &[(0x81, &[b'x'; 126]), (0x82, &[0; 4096])],
        &[(0x01, b"a"), (0x00, b"b"), (0x00, b"c"), (0x00, b"d"), (0x00, b"e"), (0x00, b"f"), (0x00, b"g"), (0x80, b"h")],
        &[(0x81, long.as_bytes())],
    ];
    let written = |talk: &&[(u8, &[u8])]| talk.iter().flat_map(|(first, body)| frame(*first, body)).collect::<Vec<_>>();
    talks.iter().enumerate().map(|(cut, talk)| [vec![cut as u8 + 1], written(talk)].concat()).collect()
}

#[derive(Debug, PartialEq)]
enum Came {
    Message(bool, Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
    Violation(u16),
}

fn parse<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Came> {
    let (mut parser, mut came) = (Parser::default(), Vec::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut rest = &mut piece[..];
        loop {
            let item = match parser.step(&mut rest, &BOUNDS, Tick(1)) {
                Ok(None) => break,
                Ok(Some(item)) => item,
                Err(violation) => {
                    came.push(Came::Violation(violation.close_code().number()));
                    return came;
                }
            };
            came.push(match item {
                Item::Message { text, bytes } => Came::Message(text, bytes.to_vec()),
                Item::Ping(body) => Came::Ping(body.to_vec()),
                Item::Pong => Came::Pong,
                Item::Close(code) => {
                    came.push(Came::Close(code));
                    return came;
                }
            });
        }
        assert!(rest.is_empty(), "what is unfinished is kept by the parser");
    }
    came
}

/// Cuts do not matter, bounds hold, and text is text.
fn frames(input: &[u8]) {
    let Some((cut, bytes)) = input.split_first() else { return };
    let whole = parse([bytes].into_iter());
    assert_eq!(parse(bytes.chunks(usize::from(*cut).max(1))), whole, "in pieces of {cut}");
    let (one, two) = bytes.split_at(usize::from(*cut).min(bytes.len()));
    assert_eq!(parse([one, two].into_iter()), whole, "cut at {cut}");
    for came in whole {
        match came {
            Came::Message(text, bytes) => {
                assert!(bytes.len() <= BOUNDS.message_bytes_max);
                assert!(!text || std::str::from_utf8(&bytes).is_ok());
            }
            Came::Ping(body) => assert!(body.len() <= 125),
            Came::Close(code) => assert!(code.is_none_or(|code| (1000..5000).contains(&code)), "{code:?} must not be used (RFC 6455, 7.4)"),
            Came::Pong => {}
            Came::Violation(code) => assert!([1002, 1007, 1008, 1009].contains(&code)),
        }
    }
}

const WORDS: &[&str] = &[
    "GET ",
    "POST ",
    "host: ",
    "upgrade: websocket\n",
    "connection: ",
    "Upgrade",
    "sec-websocket-version: 13\n",
    "sec-websocket-key: ",
    "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol: ",
    "hubbub.v1.json",
    "hubbub.v1.msgpack",
    "origin: ",
    "http://",
    "https://",
    "null",
    "chat.example",
    ":80",
    ":443",
    "@",
    "#",
    "\n",
];

fn handshake_seeds() -> Vec<Vec<u8>> {
    let good = "GET /v1/ws\nhost: chat.example\nupgrade: websocket\nconnection: keep-alive, Upgrade\nsec-websocket-version: 13\n\
                sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\n";
    let more =
        ["", "sec-websocket-protocol: chat, hubbub.v1.msgpack\n", "origin: https://chat.example\n", "origin: https://pages.example:443\n"];
    more.iter().map(|more| format!("{good}{more}").into_bytes()).collect()
}

/// A refusal is a sentence; what is let in answers with the hash of its key, and comes from a page that may.
fn handshake(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let builder = hyper::Request::builder().method(first.next().unwrap_or_default()).uri(first.next().unwrap_or_default());
    let Ok(request) = builder.body(()) else { return };
    let (mut parts, ()) = request.into_parts();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            // As hyper does it with a head of too many fields.
            if parts.headers.len() < 100 {
                parts.headers.append(name, value);
            }
        }
    }
    let origins = Origins::new(["https://pages.example".to_owned()]).expect("an origin");
    match Handshake::read(&parts, &origins) {
        Err(refused) => is_a_sentence(&refused.to_string()),
        Ok(handshake) => {
            let headers = handshake.headers();
            let accept = headers.iter().find(|(name, _)| name == "sec-websocket-accept").expect("an answer to the key");
            assert_eq!(accept.1.len(), 28, "20 bytes in base64");
            let said = parts.headers.get(ORIGIN).map(|origin| origin.to_str().expect("what was let in is text").to_ascii_lowercase());
            let host = parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default().trim().to_ascii_lowercase();
            let bare = |text: &str| text.trim_end_matches(":443").trim_end_matches(":80").to_owned();
            let own = |origin: &str| origin.split_once("://").is_some_and(|(_, page)| bare(page) == bare(&host));
            assert!(said.is_none_or(|said| bare(&said) == "https://pages.example" || own(&said)), "a page that may not was let in");
        }
    }
}
