//! Pure. What a frame says, by as few of its bytes as will do: most frames are events that somebody else on this machine
//! has read already, and then room, seq and a hash of the bytes are enough. Everything else goes through the decoder.

use schema::wire::Format;
use schema::{RoomId, ServerEvent};
use xxhash_rust::xxh3::xxh3_64;

#[derive(Debug, PartialEq)]
pub enum Glimpse {
    /// An event; `hash` is the same for all who were sent the same bytes.
    Delivered {
        room: RoomId,
        seq: u64,
        hash: u64,
    },
    Acked {
        id: u32,
        seq: Option<u64>,
    },
    Said(Box<ServerEvent>),
    /// No event of the protocol.
    Unreadable(String),
}

pub fn glimpse(body: &[u8], format: Format) -> Glimpse {
    if format == Format::Json {
        if let Some((room, seq)) = event_of_json(body) {
            return Glimpse::Delivered { room, seq, hash: xxh3_64(body) };
        }
        if let Some((id, seq)) = ok_of_json(body) {
            return Glimpse::Acked { id, seq };
        }
    }
    match format.decode::<ServerEvent>(body) {
        Ok(ServerEvent::Event(event)) => Glimpse::Delivered { room: event.room, seq: event.seq, hash: xxh3_64(body) },
        Ok(ServerEvent::Ok(done)) => Glimpse::Acked { id: done.id, seq: done.seq },
        Ok(event) => Glimpse::Said(Box::new(event)),
        Err(error) => Glimpse::Unreadable(error.0),
    }
}

fn event_of_json(body: &[u8]) -> Option<(RoomId, u64)> {
    let (room, rest) = body.strip_prefix(br#"{"event":{"room":""#)?.split_at_checked(36)?;
    let (seq, _) = number(rest.strip_prefix(br#"","seq":"#)?)?;
    Some((RoomId(uuid::Uuid::try_parse_ascii(room).ok()?), seq))
}

fn ok_of_json(body: &[u8]) -> Option<(u32, Option<u64>)> {
    let (id, rest) = number(body.strip_prefix(br#"{"ok":{"id":"#)?)?;
    let id = u32::try_from(id).ok()?;
    if rest.first() == Some(&b'}') {
        return Some((id, None));
    }
    let (_, rest) = rest.strip_prefix(br#","room":""#)?.split_at_checked(36)?;
    let (seq, _) = number(rest.strip_prefix(br#"","seq":"#)?)?;
    Some((id, Some(seq)))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 19 {
        return None;
    }
    let (digits, rest) = bytes.split_at(digits);
    Some((digits.iter().fold(0, |n, digit| n * 10 + u64::from(digit - b'0')), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::event::{Event, EventBody, Message};
    use schema::server::Done;
    use schema::{Cmid, UserId};

    fn event() -> ServerEvent {
        let body = EventBody::Message(Message { text: "\"seq\":9".into(), reply: None, origin: None });
        let (user, cmid) = (UserId::default(), Cmid::default());
        ServerEvent::Event(Event { room: RoomId::from_bytes([3; 16]), seq: 1234, ordinal: 1, at: 1, user, cmid, body })
    }

    #[test]
    fn a_glimpse_sees_what_the_decoder_sees() {
        for format in [Format::Json, Format::MessagePack] {
            let bytes = format.encode(&event());
            let hash = xxh3_64(&bytes);
            assert_eq!(glimpse(&bytes, format), Glimpse::Delivered { room: RoomId::from_bytes([3; 16]), seq: 1234, hash });
            for (room, seq) in [(Some(RoomId::default()), Some(8)), (None, None)] {
                let done = Done { id: 77, room, seq, ordinal: None, at: Some(5) };
                assert_eq!(glimpse(&format.encode(&ServerEvent::Ok(done)), format), Glimpse::Acked { id: 77, seq });
            }
            let other = ServerEvent::Draining {};
            assert_eq!(glimpse(&format.encode(&other), format), Glimpse::Said(Box::new(other)));
        }
    }

    #[test]
    fn the_common_frames_are_read_in_place() {
        assert!(event_of_json(&Format::Json.encode(&event())).is_some());
        let done = Done { id: 7, room: Some(RoomId::default()), seq: Some(3), ordinal: Some(2), at: Some(1) };
        assert_eq!(ok_of_json(&Format::Json.encode(&ServerEvent::Ok(done))), Some((7, Some(3))));
    }

    #[test]
    fn what_is_no_event_is_said_to_be_none() {
        assert!(matches!(glimpse(b"{\"event\":{\"room\":\"", Format::Json), Glimpse::Unreadable(_)));
    }
}
