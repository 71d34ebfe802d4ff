//! Pure. The reactions of one room that many here listen to: they wait for the next turn and go out as one frame. What else
//! happens in the room takes them along at once, before itself. Says when and in which frames, and sends nothing.
//!
//! Invariant: what comes out is what went in, in the order of seq, once.

use std::sync::Arc;

use schema::limits::{EVENTS_FRAME_BYTES_MAX, EVENTS_FRAME_MAX};
use schema::server::Events;
use schema::{Event, EventBody, RoomId, ServerEvent};

use crate::slot::weight;

/// Where so many connections of this node have a room, its reactions wait.
pub const LISTENERS_MIN: u32 = 100;
/// Typing, receipts and counts have the turns; reactions take one in so many, if they are not left one before.
const TURNS_MAX: u8 = 4;

#[derive(Debug, Default)]
pub struct Held {
    events: Vec<Arc<Event>>,
    bytes: usize,
    turns: u8,
    /// Something else was said to the room since the last turn.
    is_told: bool,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub events: usize,
    pub bytes: usize,
}

impl Held {
    /// The events that follow those that wait. What is to be shown now: everything up to the last that is no reaction; all, if
    /// nothing may wait.
    pub fn pass(&mut self, fresh: &[&Arc<Event>], may_wait: bool) -> Vec<Arc<Event>> {
        let others = fresh.iter().rposition(|event| !is_reaction(event)).map_or(0, |place| place + 1);
        let (now, later) = fresh.split_at(if may_wait { others } else { fresh.len() });
        let mut shown = if now.is_empty() { Vec::new() } else { self.release() };
        shown.extend(now.iter().map(|event| Arc::clone(event)));
        self.bytes += later.iter().map(|event| weight(event)).sum::<usize>();
        self.events.extend(later.iter().map(|event| Arc::clone(event)));
        if self.is_full() {
            shown.extend(self.release());
        }
        shown
    }

    pub fn release(&mut self) -> Vec<Arc<Event>> {
        std::mem::take(self).events
    }

    pub fn told(&mut self) {
        self.is_told = true;
    }

    /// What this turn is for them.
    pub fn turn(&mut self) -> Vec<Arc<Event>> {
        self.turns += 1;
        if std::mem::take(&mut self.is_told) && self.turns < TURNS_MAX { Vec::new() } else { self.release() }
    }

    pub fn amount(&self) -> Amount {
        Amount { events: self.events.len(), bytes: self.bytes }
    }
    fn is_full(&self) -> bool {
        self.events.len() >= EVENTS_FRAME_MAX || self.bytes >= EVENTS_FRAME_BYTES_MAX
    }
}

/// Events as they are sent: reactions that follow each other are one frame, of a bounded length; others are one each.
pub fn frames(room: RoomId, events: &[&Arc<Event>]) -> Vec<ServerEvent> {
    let (mut count, mut bytes) = (1, 0);
    let runs = events.chunk_by(|event, next| {
        bytes += weight(event);
        count += 1;
        let joins = is_reaction(event) && is_reaction(next) && count <= EVENTS_FRAME_MAX && bytes + weight(next) <= EVENTS_FRAME_BYTES_MAX;
        if !joins {
            (count, bytes) = (1, 0);
        }
        joins
    });
    let owned = |event: &&Arc<Event>| Event::clone(event);
    let frame = |run: &[&Arc<Event>]| match run {
        [one] => ServerEvent::Event(owned(one)),
        many => ServerEvent::Events(Events { room, events: many.iter().map(owned).collect() }),
    };
    runs.map(frame).collect()
}

pub fn is_reaction(event: &Event) -> bool {
    matches!(event.body, EventBody::React { .. })
}

#[cfg(test)]
mod tests {
    use schema::event::Message;
    use schema::{Cmid, UserId};

    use super::*;

    fn event(seq: u64, body: EventBody) -> Arc<Event> {
        Arc::new(Event { room: RoomId::default(), seq, ordinal: 1, at: seq, user: UserId::default(), cmid: Cmid::default(), body })
    }
    fn reaction(seq: u64) -> Arc<Event> {
        event(seq, EventBody::React { target: 1, emoji: "👋".into(), on: true })
    }
    fn message(seq: u64) -> Arc<Event> {
        event(seq, EventBody::Message(Message { text: "hi".into(), reply: None, origin: None }))
    }
    fn seqs(events: &[Arc<Event>]) -> Vec<u64> {
        events.iter().map(|event| event.seq).collect()
    }
    fn passed(held: &mut Held, fresh: &[Arc<Event>]) -> Vec<u64> {
        seqs(&held.pass(&fresh.iter().collect::<Vec<_>>(), true))
    }

    #[test]
    fn reactions_wait_for_the_turn_and_a_message_takes_them_along_before_itself() {
        let mut held = Held::default();
        assert_eq!(passed(&mut held, &[reaction(2), reaction(3)]), [0u64; 0]);
        assert_eq!(passed(&mut held, &[reaction(4), message(5), reaction(6)]), [2, 3, 4, 5]);
        assert_eq!(seqs(&held.turn()), [6]);
        assert_eq!((seqs(&held.turn()), held.amount()), (vec![], Amount::default()));
        assert_eq!(seqs(&held.pass(&[&reaction(7)], false)), [7], "where few listen nothing waits");
    }

    #[test]
    fn what_would_be_more_than_a_frame_goes_at_once() {
        let mut held = Held::default();
        for seq in 1..EVENTS_FRAME_MAX as u64 {
            assert_eq!(passed(&mut held, &[reaction(seq)]), [0u64; 0]);
        }
        assert_eq!(held.amount().events, EVENTS_FRAME_MAX - 1);
        assert_eq!(passed(&mut held, &[reaction(EVENTS_FRAME_MAX as u64)]).len(), EVENTS_FRAME_MAX);
        let long = |seq| event(seq, EventBody::React { target: 1, emoji: "x".repeat(EVENTS_FRAME_BYTES_MAX / 2), on: true });
        assert_eq!(passed(&mut held, &[long(1)]), [0u64; 0]);
        assert_eq!(passed(&mut held, &[long(2)]), [1, 2]);
        assert_eq!(held.amount(), Amount::default());
    }

    #[test]
    fn beside_all_else_that_is_said_a_client_gets_at_most_five_frames_a_second() {
        let (mut held, mut seq, mut shown) = (Held::default(), 0, Vec::new());
        for _second in 0..4 {
            let mut frames = 0;
            for _turn in 0..4 {
                for _ in 0..10 {
                    seq += 1;
                    assert!(passed(&mut held, &[reaction(seq)]).is_empty());
                }
                held.told();
                frames += 1;
                let now = held.turn();
                frames += usize::from(!now.is_empty());
                shown.extend(seqs(&now));
            }
            assert!(frames <= 5, "{frames} frames");
        }
        assert!(shown.into_iter().eq(1..=seq), "and every reaction comes");
    }

    #[test]
    fn reactions_in_a_row_are_one_frame_of_a_bounded_length_and_all_else_is_a_frame_of_its_own() {
        let mut events: Vec<_> = (1..=EVENTS_FRAME_MAX as u64 + 2).map(reaction).collect();
        events.extend([message(2000), message(2001), reaction(2002)]);
        let frames = frames(RoomId::default(), &events.iter().collect::<Vec<_>>());
        let lengths: Vec<usize> = frames
            .iter()
            .map(|frame| match frame {
                ServerEvent::Events(many) => many.events.len(),
                _ => 1,
            })
            .collect();
        assert_eq!(lengths, [EVENTS_FRAME_MAX, 2, 1, 1, 1]);
        assert!(matches!(frames[4], ServerEvent::Event(_)));
    }
}
