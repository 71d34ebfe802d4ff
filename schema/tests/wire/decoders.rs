//! What every decoder refuses: too deep, left over, unknown, of another type, out of range, twice, cut off, too many.

use schema::block::Block;
use schema::client::{ClientEvent, Ping};
use schema::rest::PostMessage;
use schema::wire::{DEPTH_MAX, DecodeError, Format, from_json, from_msgpack, to_msgpack};
use schema::{Event, ServerEvent};
use serde::Serialize;
use serde_json::{Value, json};

const ROOM: &str = "01937b2c-4e5f-7a6b-8c7d-9eafb0c1d210";

/// Reads the value as a client's event in both formats: both must say the same.
fn read(value: &Value) -> Result<ClientEvent, DecodeError> {
    let json = from_json::<ClientEvent>(value.to_string().as_bytes());
    let msgpack = from_msgpack::<ClientEvent>(&to_msgpack(value));
    assert_eq!(json.is_ok(), msgpack.is_ok(), "{value}: {json:?} as JSON, {msgpack:?} as MessagePack");
    json
}

fn refused(value: Value) -> String {
    read(&value).expect_err(&value.to_string()).0
}

fn post() -> Value {
    json!({ "post": { "id": 7, "room": ROOM, "cmid": ROOM, "after": 41, "text": "hi" } })
}

fn post_with(field: &str, value: Value) -> Value {
    let mut post = post();
    post["post"][field] = value;
    post
}

#[test]
fn a_plain_post_is_read() {
    assert!(matches!(read(&post()).unwrap(), ClientEvent::Post(post) if post.text == "hi" && post.reply.is_none()));
}

#[test]
fn unknown_events_and_fields_are_refused_by_name() {
    assert!(refused(post_with("color", json!(1))).contains("unknown field `color`"));
    assert!(refused(json!({ "shout": { "id": 1 } })).contains("unknown variant `shout`"));
    assert!(
        refused(json!({ "settings": { "id": 1, "room": ROOM, "cmid": ROOM, "settings": { "nam": "x" } } })).contains("unknown field `nam`")
    );
    assert!(refused(json!({ "hello": { "device": ROOM, "resume": [{ "room": ROOM, "seq": 1, "ordinal": 1 }] } })).contains("ordinal"));
}

#[test]
fn a_missing_field_is_named() {
    assert!(refused(json!({ "post": { "id": 7, "room": ROOM, "cmid": ROOM } })).contains("missing field `text`"));
    assert!(refused(json!({ "ping": {} })).contains("missing field `id`"));
}

#[test]
fn no_event_and_two_events_are_refused() {
    for value in [json!({}), json!([]), json!(null), json!(7), json!("ping"), json!({ "ping": { "id": 1 }, "post": {} })] {
        refused(value);
    }
}

#[test]
fn values_of_another_type_are_refused() {
    for (field, value) in [
        ("id", json!("7")),
        ("id", json!(7.5)),
        ("id", json!(null)),
        ("id", json!([7])),
        ("after", json!("41")),
        ("after", json!(true)),
        ("text", json!(7)),
        ("text", json!({ "text": "hi" })),
        ("reply", json!("3")),
        ("prev", json!(3)),
    ] {
        refused(post_with(field, value));
    }
    refused(json!({ "typing": { "room": ROOM, "on": 1 } }));
    refused(json!({ "presence": { "id": 1, "status": "asleep" } }));
    refused(json!({ "watch": { "id": 1, "users": ROOM } }));
}

#[test]
fn numbers_out_of_range_are_refused() {
    for (field, value) in
        [("id", json!(-1)), ("id", json!(4_294_967_296u64)), ("after", json!(-1)), ("after", json!(1e300)), ("reply", json!(-3))]
    {
        refused(post_with(field, value));
    }
    assert!(from_json::<ClientEvent>(br#"{"ping":{"id":18446744073709551616}}"#).is_err());
    assert!(from_json::<ClientEvent>(br#"{"ping":{"id":1e1000}}"#).is_err());
    assert!(from_json::<ClientEvent>(br#"{"ping":{"id":NaN}}"#).is_err());
    refused(json!({ "history": { "id": 1, "room": ROOM, "limit": 65_536 } }));
}

#[test]
fn garbage_for_an_id_is_refused() {
    let long = "0".repeat(100_000);
    for id in ["", "x", "../../etc/passwd", "01937b2c-4e5f-7a6b-8c7d-9eafb0c1d21", "01937b2c-4e5f-7a6b-8c7d-9eafb0c1d21g", &long, "\u{0}"] {
        refused(post_with("room", json!(id)));
    }
    for id in [json!(0), json!(null), json!({}), json!(["a"]), json!(vec![0; 16])] {
        refused(post_with("cmid", id));
    }
    for length in [0, 15, 17, 1000] {
        let bytes = to_msgpack(&Bin(vec![7; length]));
        assert!(from_msgpack::<schema::RoomId>(&bytes).is_err(), "{length} bytes are no id");
    }
}

#[test]
fn what_is_quoted_in_a_refusal_is_short_and_on_one_line() {
    let long = "x".repeat(60_000);
    let marks = "\u{1}\n\u{200b}é".repeat(5_000);
    for text in [&long, &marks] {
        for value in [
            post_with("prev", json!(text)),
            post_with(text, json!(1)),
            json!({ text: {} }),
            json!({ "presence": { "id": 1, "status": text } }),
        ] {
            let said = refused(value);
            assert!(said.len() <= 310 && !said.contains('\n'), "{} bytes: {said}", said.len());
        }
    }
}

/// Bytes, which a `Vec<u8>` alone would write as an array.
struct Bin(Vec<u8>);
impl Serialize for Bin {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(&self.0)
    }
}

#[test]
fn a_field_that_comes_twice_is_refused() {
    let twice = format!(r#"{{"post":{{"id":7,"room":"{ROOM}","cmid":"{ROOM}","text":"a","text":"b"}}}}"#);
    assert!(from_json::<ClientEvent>(twice.as_bytes()).unwrap_err().0.contains("duplicate field `text`"));
    // {"ping": {"id": 1, "id": 2}}
    let twice = [&[0x81, 0xa4][..], b"ping", &[0x82, 0xa2], b"id", &[0x01, 0xa2], b"id", &[0x02]].concat();
    assert!(from_msgpack::<ClientEvent>(&twice).unwrap_err().0.contains("duplicate field `id`"));
}

#[test]
fn what_is_left_over_is_refused() {
    for format in [Format::Json, Format::MessagePack] {
        let bytes = format.encode(&ClientEvent::Ping(Ping { id: 1 }));
        for more in [&b"x"[..], b"{}", &bytes, &[0xc0], b"\0"] {
            assert!(format.decode::<ClientEvent>(&[&bytes, more].concat()).is_err(), "{format:?} with {more:?} after it");
        }
    }
    assert!(from_json::<ClientEvent>(b" {\"ping\":{\"id\":1}}\n").is_ok(), "space around JSON is nothing");
}

#[test]
fn what_is_cut_off_is_refused() {
    for format in [Format::Json, Format::MessagePack] {
        let bytes = format.encode(&post());
        for end in 0..bytes.len() {
            assert!(format.decode::<ClientEvent>(&bytes[..end]).is_err(), "{format:?} cut at {end}");
        }
    }
}

#[test]
fn nesting_is_bounded_wherever_it_stands() {
    let deep = (0..10_000).fold(String::new(), |text, _| text + "[");
    for json in [
        deep.clone(),
        format!(r#"{{"post":{{"id":{deep}"#),
        format!(r#"{{"hello":{{"device":"{ROOM}","resume":{deep}"#),
        format!(r#"{{"nobody":{deep}"#),
        r#"{"a":"#.repeat(10_000),
    ] {
        assert_eq!(from_json::<ClientEvent>(json.as_bytes()).unwrap_err().0, format!("nested deeper than {DEPTH_MAX} levels"));
    }
    for opening in [&[0x91][..], &[0x81, 0xa1, b'a'], &[0xdc, 0x00, 0x01], &[0xdf, 0, 0, 0, 1, 0xa1, b'a']] {
        assert!(from_msgpack::<ClientEvent>(&opening.repeat(10_000)).is_err());
        // A server's event may have fields that the reader does not know: they too are skipped within bounds.
        let unknown = [&[0x81, 0xa4][..], b"pong", &[0x82, 0xa2], b"id", &[0x01, 0xa1, b'x'], &opening.repeat(10_000)].concat();
        assert!(from_msgpack::<ServerEvent>(&unknown).is_err());
    }
}

#[test]
fn a_claimed_length_takes_no_memory() {
    // Arrays, maps, strings and bytes that say they have four thousand million elements, and end there.
    for claim in [0xdd, 0xdf, 0xdb, 0xc6, 0xc9] {
        let claim = [claim, 0xff, 0xff, 0xff, 0xff];
        let watch = [&[0x81, 0xa5][..], b"watch", &[0x82, 0xa2], b"id", &[0x01, 0xa5], b"users", &claim].concat();
        assert!(from_msgpack::<ClientEvent>(&watch).is_err());
        let block = [&[0x81, 0xa6][..], b"events", &claim].concat();
        assert!(Block::decode(&block).is_err());
        assert!(from_msgpack::<ClientEvent>(&claim).is_err());
        assert!(from_msgpack::<schema::record::SigningKey>(&[&[0x81, 0xa5][..], b"pkcs8", &claim].concat()).is_err());
    }
}

#[test]
fn an_array_as_long_as_a_message_may_be_is_read_or_refused_in_step() {
    let users = vec![json!(ROOM); 1_600];
    let ClientEvent::Watch(watch) = read(&json!({ "watch": { "id": 1, "users": users } })).unwrap() else { panic!("a watch") };
    assert_eq!(watch.users.len(), 1_600, "how many are allowed is the session's rule, not the decoder's");
    refused(json!({ "watch": { "id": 1, "users": vec![json!({}); 60_000] } }));
}

#[test]
fn bad_utf8_is_refused() {
    assert!(from_json::<ClientEvent>(b"{\"post\":{\"text\":\"\xff\"}}").is_err());
    assert!(from_json::<ClientEvent>(br#"{"draft":{"id":1,"room":"01937b2c-4e5f-7a6b-8c7d-9eafb0c1d210","text":"\ud800"}}"#).is_err());
    let draft = [&[0x81, 0xa5][..], b"draft", &[0x81, 0xa4], b"text", &[0xa1, 0xff]].concat();
    assert!(from_msgpack::<ClientEvent>(&draft).is_err());
}

#[test]
fn a_node_s_events_may_grow_fields_and_a_client_s_may_not() {
    let grown = json!({ "pong": { "id": 1, "load": [1, { "a": null }] } });
    assert!(from_json::<ServerEvent>(grown.to_string().as_bytes()).is_ok());
    assert!(from_msgpack::<ServerEvent>(&to_msgpack(&grown)).is_ok());
    assert!(from_json::<PostMessage>(br#"{"text":"hi","txet":1}"#).is_err());
}

#[test]
fn a_stored_event_of_an_older_level_reads_with_its_defaults() {
    let bare = json!({ "room": ROOM, "seq": 1, "ordinal": 1, "at": 1, "user": ROOM, "cmid": ROOM, "body": { "message": { "text": "hi" } }, "later": 1 });
    let event: Event = from_msgpack(&to_msgpack(&bare)).unwrap();
    assert_eq!(event, from_json(bare.to_string().as_bytes()).unwrap());
}

#[test]
fn what_is_wrong_inside_a_field_names_the_field_from_the_outermost_on() {
    assert!(refused(json!({ "presence": { "id": 1, "status": "zzz" } })).starts_with("field `status`: unknown variant `zzz`"));
    let settings = json!({ "settings": { "id": 1, "room": ROOM, "cmid": ROOM, "settings": { "name": 7 } } });
    assert!(refused(settings).starts_with("field `settings.name`: invalid type"));
    assert!(refused(json!({ "hello": { "device": ROOM, "resume": [{ "room": ROOM, "seq": "x" }] } })).starts_with("field `resume.seq`: "));
}

#[test]
fn a_struct_is_never_an_array_nor_are_its_names_numbers_or_bytes() {
    assert!(refused(json!({ "ping": [1] })).contains("an object with named fields"));
    assert!(refused(json!({ "join": [1, ROOM, ROOM, 0] })).contains("an object with named fields"));
    // {"ping": {0: 1}}, {23: {"id": 1}}, {"ping": {bin "id": 1}}
    for bytes in [&b"\x81\xa4ping\x81\x00\x01"[..], b"\x81\x17\x81\xa2id\x01", b"\x81\xa4ping\x81\xc4\x02id\x01"] {
        assert!(from_msgpack::<ClientEvent>(bytes).is_err(), "{}", bytes.escape_ascii());
    }
}
