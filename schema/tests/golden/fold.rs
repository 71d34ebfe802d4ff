//! The state hash: what it is computed over must never change, or every client finds its room broken.

use schema::fold::RoomFold;
use schema::wire::to_msgpack;
use schema::{Event, EventBody};

use super::sample::*;
use super::{event, files};

fn folded() -> RoomFold {
    let events: Vec<Event> = event::bodies().into_iter().zip(1..).map(|((_, body), seq)| event_at(seq, body)).collect();
    RoomFold::of(room(), &events)
}

fn event_at(seq: u64, body: EventBody) -> Event {
    super::sample::event(seq, seq / 2, body)
}

#[test]
fn a_room_folds_to_the_same_hash_as_ever() {
    let fold = folded();
    files::check_json("fold", "hash", &fold.hash());
    let canonical: String = files::to_hex(&to_msgpack(&fold));
    files::check_json("fold", "canonical", &canonical.replace('\n', ""));
}
