//! What earlier releases put on the wire is read for ever: a file a frame, written once and never changed.

use std::path::PathBuf;

use bytes::Bytes;
use schema::SlotId;
use store::remote::{
    Answered, Call, Decoder, Expected, Failure, FoundRow, Frame, NumberedBlock, Refusal, RowKey, RowWrite, Speaks, Welcome, encode,
};
use uuid::Uuid;

fn frames() -> Vec<(String, Frame)> {
    let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
    let nonce = || Bytes::from_static(&[7; 32]);
    let speaks = Speaks { oldest: 1, newest: 1 };
    let mut frames = vec![
        ("hello", Frame::Hello { speaks, nonce: nonce() }),
        ("challenge", Frame::Challenge { version: 1, nonce: nonce(), proof: nonce() }),
        ("proof", Frame::Proof { proof: nonce() }),
        ("welcome", Frame::Welcome(Welcome { grant: 9, calls_max: 2_048, bytes_max: 16_777_216 })),
        ("refused_version", Frame::Refused { why: Refusal::Version }),
        ("refused_secret", Frame::Refused { why: Refusal::Secret }),
        ("refused_full", Frame::Refused { why: Refusal::Full }),
        ("ping", Frame::Ping {}),
        ("pong", Frame::Pong {}),
    ];
    let (slot, key) = (SlotId(255), || RowKey { table: 3, partition: bytes("room"), sort: bytes("ann") });
    let partition = || RowKey { table: 3, partition: bytes("room"), sort: Bytes::new() };
    let writes =
        vec![RowWrite { key: key(), stamp: 5, value: Some(bytes("row")) }, RowWrite { key: partition(), stamp: 1 << 40, value: None }];
    let put = |expect| Call::Put { key: key(), value: bytes("row"), expect };
    let calls = [
        ("fence", Call::Fence { slot, epoch: 9 << 16 | 1 }),
        ("append", Call::Append { slot, epoch: 9 << 16 | 1, head: 41, batch: Uuid::from_u128(7), block: bytes("block") }),
        ("read", Call::Read { slot, from: 42, limit: 64 }),
        ("trim", Call::Trim { slot, upto: 40 }),
        ("get", Call::Get { key: key() }),
        ("scan", Call::Scan { partition: partition(), from: bytes("a"), to: Bytes::new(), limit: 100, newest_first: true }),
        ("put_any", put(Expected::Any)),
        ("put_absent", put(Expected::Absent)),
        ("put_version", put(Expected::Version(3))),
        ("put_many", Call::PutMany { writes }),
        ("put_max", Call::PutMax { key: key(), value: bytes("row"), stamp: 5 }),
        ("delete", Call::Delete { key: key() }),
    ];
    frames.extend(calls.map(|(name, call)| (name, Frame::Ask { id: 5, within_ms: 5_000, call })));
    let row = || FoundRow { sort: bytes("ann"), value: bytes("row"), stamp: 5 };
    let failed = Answered::Failed;
    let answers = [
        ("answer_fenced", Answered::Fenced { head: 41 }),
        ("answer_stale", Answered::Stale { epoch: 10 << 16 }),
        ("answer_applied", Answered::Applied {}),
        ("answer_moved", Answered::Moved { epoch: 10 << 16, head: 42, last_batch: Some(Uuid::from_u128(7)) }),
        ("answer_moved_virgin", Answered::Moved { epoch: 0, head: 0, last_batch: None }),
        ("answer_blocks", Answered::Blocks { blocks: vec![NumberedBlock { number: 42, block: bytes("block") }] }),
        ("answer_row", Answered::Row { row: Some(row()) }),
        ("answer_no_row", Answered::Row { row: None }),
        ("answer_rows", Answered::Rows { rows: vec![row()], more: true }),
        ("answer_put", Answered::Put { version: 4 }),
        ("answer_conflict", Answered::Conflict { version: 3 }),
        ("answer_written", Answered::Written {}),
        ("answer_unknown", failed(Failure::Unknown { why: "why".into() })),
        ("answer_read_only", failed(Failure::ReadOnly { why: "why".into() })),
        ("answer_corrupt", failed(Failure::Corrupt { why: "why".into() })),
        ("answer_missing_block", failed(Failure::MissingBlock { slot: 255, block: 42 })),
    ];
    frames.extend(answers.map(|(name, answered)| (name, Frame::Answer { id: 5, answered })));
    frames.into_iter().map(|(name, frame)| (name.to_owned(), frame)).collect()
}

#[test]
fn frames_of_the_first_version_are_read_and_written_as_ever() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/remote/golden/1");
    for (name, frame) in frames() {
        let (file, mut bytes) = (folder.join(format!("{name}.hex")), Vec::new());
        encode(&frame, &mut bytes);
        let written = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
        if !file.exists() && std::env::var_os("GOLDEN").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
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
    // {"answer": {"id": 7, "answered": {"put": {"version": 1, "later": [1]}}}}
    let payload = b"\x81\xa6answer\x82\xa2id\x07\xa8answered\x81\xa3put\x82\xa7version\x01\xa5later\x91\x01";
    let mut decoder = Decoder::default();
    decoder.push(&(payload.len() as u32).to_be_bytes());
    decoder.push(payload);
    assert_eq!(decoder.frame(), Ok(Some(Frame::Answer { id: 7, answered: Answered::Put { version: 1 } })));
}
