//! What `schema` decodes: the client wire in both formats, blocks, events, records, what nodes say to each other, REST bodies. What was accepted is a
//! value like any other: both formats write it and read it back.

use hubbub::edge::decode;
use schema::block::Block;
use schema::peer::{Answer, Question, Word};
use schema::record::*;
use schema::rest::*;
use schema::wire::{Format, from_json, from_msgpack, to_msgpack};
use schema::{ErrorCode, Event, ServerEvent};
use serde::{Serialize, de::DeserializeOwned};

use super::{Target, golden, is_a_sentence};
use crate::mutate::Form;

pub const CLIENT_JSON: Target =
    Target { name: "client_json", form: Form::Json, seeds: || golden("client", ".json"), feed: |bytes| client(Format::Json, bytes) };
pub const CLIENT_MSGPACK: Target = Target {
    name: "client_msgpack",
    form: Form::MessagePack,
    seeds: || golden("client", ".hex"),
    feed: |bytes| client(Format::MessagePack, bytes),
};
pub const SERVER_JSON: Target = Target {
    name: "server_json",
    form: Form::Json,
    seeds: || golden("server", ".json"),
    feed: |bytes| sound_if_read::<ServerEvent>(Format::Json, bytes),
};
pub const SERVER_MSGPACK: Target = Target {
    name: "server_msgpack",
    form: Form::MessagePack,
    seeds: || golden("server", ".hex"),
    feed: |bytes| sound_if_read::<ServerEvent>(Format::MessagePack, bytes),
};
pub const BLOCK: Target = Target { name: "block", form: Form::MessagePack, seeds: || golden("block", ".hex"), feed: block };
pub const EVENT: Target = Target {
    name: "event",
    form: Form::MessagePack,
    seeds: || golden("event", ".hex"),
    feed: |bytes| sound_if_read::<Event>(Format::MessagePack, bytes),
};
pub const RECORD: Target = Target { name: "record", form: Form::MessagePack, seeds: || golden("record", ".hex"), feed: records };
pub const PEER: Target = Target { name: "peer", form: Form::MessagePack, seeds: peer_seeds, feed: peer };
pub const REST: Target = Target { name: "rest", form: Form::Json, seeds: || golden("rest", ".json"), feed: rest };

fn is_sound<T: Serialize + DeserializeOwned + PartialEq>(value: &T) {
    for format in [Format::Json, Format::MessagePack] {
        let again: T = format.decode(&format.encode(value)).expect("what was accepted reads back");
        assert!(again == *value, "it reads back as something else");
    }
}

fn sound_if_read<T: Serialize + DeserializeOwned + PartialEq>(format: Format, bytes: &[u8]) {
    if let Ok(value) = format.decode::<T>(bytes) {
        is_sound(&value);
    }
}

/// As a lot reads it: an event within the stated lengths, or a refusal that can be sent.
fn client(format: Format, bytes: &[u8]) {
    match decode::decode(format, bytes) {
        Ok(event) => {
            is_sound(&event);
            decode::manner(&event);
        }
        Err(refusal) => {
            assert!(matches!(refusal.code, ErrorCode::BadRequest | ErrorCode::UnknownEvent | ErrorCode::TooLong));
            is_a_sentence(&refusal.message);
            is_sound(&ServerEvent::Error(refusal));
        }
    }
}

fn block(bytes: &[u8]) {
    if let Ok(block) = Block::decode(bytes) {
        assert_eq!(Block::decode(&block.encode()).expect("what was accepted reads back"), block);
    }
}

fn record<R: Record + PartialEq>(bytes: &[u8]) {
    if let Ok(record) = from_msgpack::<R>(bytes) {
        assert!(from_msgpack::<R>(&to_msgpack(&record)).expect("what was accepted reads back") == record);
        // An annotation of an event without a target has no place; the rest have one whatever they hold.
        if R::TABLE != Table::Annotations {
            assert_eq!(record.key().table, R::TABLE);
        }
    }
}

fn records(bytes: &[u8]) {
    record::<HistoryRow>(bytes);
    record::<Annotation>(bytes);
    record::<RequestKey>(bytes);
    record::<MemberRow>(bytes);
    record::<RoomRow>(bytes);
    record::<RoomHead>(bytes);
    record::<RoomListEntry>(bytes);
    record::<Channel>(bytes);
    record::<ChannelName>(bytes);
    record::<RoomSize>(bytes);
    record::<Watermark>(bytes);
    record::<Installation>(bytes);
    record::<ImportCursor>(bytes);
    record::<LastGrant>(bytes);
    record::<User>(bytes);
    record::<Username>(bytes);
    record::<Credential>(bytes);
    record::<Login>(bytes);
    record::<SigningKey>(bytes);
    record::<Revocation>(bytes);
    record::<Invite>(bytes);
    record::<Disabled>(bytes);
    record::<Marker>(bytes);
    record::<Receipt>(bytes);
    record::<DraftRow>(bytes);
    record::<MentionRow>(bytes);
}

fn peer_seeds() -> Vec<Vec<u8>> {
    ["peer_question", "peer_answer", "peer_word"].into_iter().flat_map(|kind| golden(kind, ".hex")).collect()
}

/// What another node of the group asks, answers and says.
fn peer(bytes: &[u8]) {
    fn read<T: Serialize + DeserializeOwned + PartialEq>(bytes: &[u8]) {
        if let Ok(said) = from_msgpack::<T>(bytes) {
            assert!(from_msgpack::<T>(&to_msgpack(&said)).expect("what was accepted reads back") == said);
        }
    }
    read::<Question>(bytes);
    read::<Answer>(bytes);
    read::<Word>(bytes);
}

fn rest(bytes: &[u8]) {
    fn body<T: Serialize + DeserializeOwned + PartialEq>(bytes: &[u8]) {
        match from_json::<T>(bytes) {
            Ok(body) => is_sound(&body),
            Err(error) => is_a_sentence(&error.0),
        }
    }
    body::<SignUp>(bytes);
    body::<LogIn>(bytes);
    body::<Refresh>(bytes);
    body::<MakeInvite>(bytes);
    body::<ChangePassword>(bytes);
    body::<ChangeProfile>(bytes);
    body::<CreateRoom>(bytes);
    body::<PostMessage>(bytes);
    body::<EditMessage>(bytes);
    body::<PutMember>(bytes);
    body::<PutRead>(bytes);
    body::<Page>(bytes);
    body::<Problem>(bytes);
}
