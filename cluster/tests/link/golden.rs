//! What earlier releases put on the wire is read for ever: a file a frame, written once and never changed.

use std::path::PathBuf;

use bytes::Bytes;
use cluster::NodeId;
use cluster::link::{Answered, Decoder, Frame, Hello, Lane, Refusal, Speaks, Welcome, encode};

fn frames() -> Vec<(&'static str, Frame)> {
    let body = || Bytes::from_static(b"body");
    let speaks = Speaks { oldest: 1, newest: 1 };
    vec![
        ("hello", Frame::Hello(Hello { speaks, node: NodeId(7), lane: Lane::Chat, session: 9 })),
        ("hello_group", Frame::Hello(Hello { speaks, node: NodeId(7), lane: Lane::Group, session: 9 })),
        ("welcome", Frame::Welcome(Welcome { version: 1, node: NodeId(8), window_bytes: 4_194_304 })),
        ("refused", Frame::Refused { why: Refusal::Version }),
        ("say", Frame::Say { table: 3, body: body() }),
        ("ask", Frame::Ask { id: 5, table: 3, within_ms: 2_000, body: body() }),
        ("answer_done", Frame::Answer { id: 5, table: 4, answered: Answered::Done(body()) }),
        ("answer_refused", Frame::Answer { id: 6, table: 4, answered: Answered::Refused(Refusal::Busy) }),
        ("credit", Frame::Credit { bytes: 65_536 }),
        ("ping", Frame::Ping {}),
        ("pong", Frame::Pong {}),
    ]
}

#[test]
fn frames_of_the_first_version_are_read_and_written_as_ever() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/link/golden/1");
    for (name, frame) in frames() {
        let (file, mut bytes) = (folder.join(format!("{name}.hex")), Vec::new());
        encode(&frame, &mut bytes);
        let written = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
        if !file.exists() && std::env::var_os("GOLDEN").is_some() {
            std::fs::write(&file, &written).unwrap();
        }
        let kept =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}; GOLDEN=1 writes what is missing", file.display()));
        let digit = |at| u8::from_str_radix(&kept[at..at + 2], 16).unwrap();
        let mut decoder = Decoder::default();
        decoder.push(&(0..kept.trim().len()).step_by(2).map(digit).collect::<Vec<_>>());
        assert_eq!(decoder.frame().unwrap(), Some(frame), "{name}");
        assert_eq!(written, kept, "{name} is written in another way");
    }
}

#[test]
fn a_field_of_a_later_release_is_passed_over() {
    // {"credit": {"bytes": 7, "later": [1]}}
    let payload = b"\x81\xa6credit\x82\xa5bytes\x07\xa5later\x91\x01";
    let mut decoder = Decoder::default();
    decoder.push(&(payload.len() as u32).to_be_bytes());
    decoder.push(payload);
    assert_eq!(decoder.frame(), Ok(Some(Frame::Credit { bytes: 7 })));
}
