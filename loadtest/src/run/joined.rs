//! Pure. A frame of several events, as so many frames of one: whoever counts deliveries, places and contents need not know
//! that they came together. Everybody in a room gets the same bytes, so the last frame that was taken apart is remembered.

use std::sync::Arc;

use schema::wire::Format;
use schema::{RoomId, ServerEvent};
use xxhash_rust::xxh3::xxh3_64;

/// An event as it would be alone.
#[derive(Debug)]
pub struct Single {
    pub room: RoomId,
    pub seq: u64,
    pub hash: u64,
    pub body: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Joined {
    /// By format.
    last: [Option<(u64, Arc<[Single]>)>; 2],
}

impl Joined {
    /// `None`: it is another frame, or cannot be read.
    pub fn apart(&mut self, body: &[u8], format: Format) -> Option<Arc<[Single]>> {
        let (name, last): (&[u8], _) = match format {
            Format::Json => (br#"{"events":"#, &mut self.last[0]),
            Format::MessagePack => (b"\x81\xa6events", &mut self.last[1]),
        };
        if !body.starts_with(name) {
            return None;
        }
        let hash = xxh3_64(body);
        if let Some((known, singles)) = last
            && *known == hash
        {
            return Some(singles.clone());
        }
        let Ok(ServerEvent::Events(many)) = format.decode(body) else { return None };
        let singles = many.events.into_iter().map(|event| {
            let (room, seq) = (event.room, event.seq);
            let body = format.encode(&ServerEvent::Event(event)).to_vec();
            Single { room, seq, hash: xxh3_64(&body), body }
        });
        let singles: Arc<[Single]> = singles.collect();
        *last = Some((hash, singles.clone()));
        Some(singles)
    }
}

#[cfg(test)]
mod tests {
    use schema::event::{Event, EventBody};
    use schema::server::Events;
    use schema::{Cmid, UserId};

    use super::*;
    use crate::run::wire::{Glimpse, glimpse};

    fn reaction(seq: u64) -> Event {
        let (room, user, cmid) = (RoomId::from_bytes([3; 16]), UserId::default(), Cmid::default());
        Event { room, seq, ordinal: 1, at: 1, user, cmid, body: EventBody::React { target: 1, emoji: "👋".into(), on: true } }
    }

    #[test]
    fn events_that_come_together_are_what_each_would_be_alone() {
        let mut joined = Joined::default();
        for format in [Format::Json, Format::MessagePack] {
            for seqs in [[2, 3], [2, 3], [4, 5]] {
                let many = Events { room: RoomId::from_bytes([3; 16]), events: seqs.map(reaction).to_vec() };
                let singles = joined.apart(&format.encode(&ServerEvent::Events(many)), format).expect("several events");
                for (single, seq) in singles.iter().zip(seqs) {
                    let alone = format.encode(&ServerEvent::Event(reaction(seq)));
                    let Glimpse::Delivered { room, hash, .. } = glimpse(&alone, format) else { panic!() };
                    assert_eq!((single.room, single.seq, single.hash, &single.body[..]), (room, seq, hash, &alone[..]));
                }
                assert_eq!(singles.len(), 2);
            }
            assert!(joined.apart(&format.encode(&ServerEvent::Event(reaction(1))), format).is_none());
        }
    }
}
