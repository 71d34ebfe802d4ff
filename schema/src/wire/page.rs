//! Pure. A page of history that many get is encoded once: what answers one of them over a socket are the bytes of the page as
//! REST has it, with the number of the request before its fields.

use super::Format;

/// What goes around an encoded `rest::Page` without its first byte, so that the whole is a `history` with this id.
pub fn around_page(format: Format, id: u32) -> (Vec<u8>, &'static [u8]) {
    match format {
        // `{` of the page opens the object; here it is open already.
        Format::Json => (format!("{{\"history\":{{\"id\":{id},").into_bytes(), b"}"),
        Format::MessagePack => {
            let mut head = vec![0x81];
            string(&mut head, "history");
            // The page is a map of seven fields, this one of eight.
            head.push(0x80 | (PAGE_FIELDS + 1));
            string(&mut head, "id");
            head.extend_from_slice(&super::to_msgpack(&id));
            (head, b"")
        }
    }
}

const PAGE_FIELDS: u8 = 7;

fn string(out: &mut Vec<u8>, short: &str) {
    out.push(0xa0 | short.len() as u8);
    out.extend_from_slice(short.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, EventBody, Message};
    use crate::server::{History, ServerEvent};
    use crate::{Cmid, RoomId, UserId, rest};

    #[test]
    fn a_page_with_a_number_before_it_is_the_answer_to_the_byte() {
        let room = RoomId::from_bytes([7; 16]);
        let body = EventBody::Message(Message { text: "\"{}\" ü".into(), reply: Some(1), origin: None });
        let event = Event { room, seq: 2, ordinal: 1, at: 3, user: UserId::default(), cmid: Cmid::default(), body };
        for events in [vec![], vec![event.clone()], vec![event; 40]] {
            for id in [0, 1, 127, 128, 70_000, u32::MAX] {
                let (from, to, head, ordinal, marks) = (2, 2 + events.len() as u64, 90_000, 5, events.clone());
                let page = rest::Page { room, from, to, head, ordinal, events: events.clone(), marks: marks.clone() };
                let answer = ServerEvent::History(History { id, room, from, to, head, ordinal, events: events.clone(), marks });
                for format in [Format::Json, Format::MessagePack] {
                    let (before, after) = around_page(format, id);
                    let spliced = [&before, &format.encode(&page)[1..], after].concat();
                    assert_eq!(spliced, format.encode(&answer), "{format:?}, id {id}");
                }
            }
        }
    }
}
