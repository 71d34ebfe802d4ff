//! `apply(events, stale) == fresh`: a page with its marks, however much of it is carried, folds to what all events fold to;
//! and a page that is stale does too, once it is given the events since.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use actors::PageQuery;
use actors::project::Projector;
use actors::read::Reader;
use cluster::{NodeId, Ring, Table};
use proptest::prelude::*;
use schema::event::{Member, Message};
use schema::fold::{MessageFold, RoomFold};
use schema::{Cmid, Event, EventBody, Role, RoomId, RoomKind, RoomSettings, UserId};
use store::SimStore;
use uuid::Uuid;

const ROOM: RoomId = RoomId::from_bytes([9; 16]);

/// What happens, with targets as shares of the head: only messages that still stand are said something about.
fn happenings() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    prop::collection::vec((0..10u8, any::<u8>(), 0..3u8), 1..80)
}

fn events(happenings: &[(u8, u8, u8)]) -> Vec<Event> {
    let user = |n: u8| UserId::from_bytes([n + 1; 16]);
    let members = (0..3).map(|n| Member { user: user(n), role: Role::Owner }).collect();
    let created = EventBody::Created { kind: RoomKind::Group, settings: RoomSettings::default(), members };
    let mut events: Vec<Event> = Vec::new();
    let mut standing: Vec<u64> = Vec::new();
    for (kind, share, who) in std::iter::once(&(0, 0, 0)).chain(happenings) {
        let seq = events.len() as u64 + 1;
        let target = standing.get(usize::from(*share) % standing.len().max(1)).copied();
        let text = format!("{seq}");
        let body = match (kind, target) {
            _ if seq == 1 => created.clone(),
            (0..4, _) | (_, None) => EventBody::Message(Message { text, reply: None, origin: None }),
            (4..6, Some(target)) => EventBody::Edit { target, text },
            (6, Some(target)) => EventBody::Delete { target, reason: None },
            (7, Some(target)) => EventBody::Pin { target, on: share % 2 == 0 },
            (_, Some(target)) => EventBody::React { target, emoji: ["+", "-"][usize::from(*share) % 2].into(), on: share % 3 > 0 },
        };
        match body {
            EventBody::Message(_) => standing.push(seq),
            EventBody::Delete { target, .. } => standing.retain(|known| *known != target),
            _ => {}
        }
        let ordinal = events.last().map_or(0, |e| e.ordinal) + u64::from(body.is_message());
        let cmid = Cmid(Uuid::from_u128(u128::from(seq) | 7 << 76));
        events.push(Event { room: ROOM, seq, ordinal, at: seq, user: user(*who), cmid, body });
    }
    events
}

/// The store answers at once.
fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the simulated store answers at once"),
    }
}

/// A reader over these events, of which the first `carried` are in the projections.
fn reader(events: &[Event], carried: usize) -> Reader {
    let store = SimStore::default();
    let ring = Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), 1, 1)));
    let reader = Reader::new(Arc::new(store.clone()), ring);
    let tail = reader.slot_tail(reader.slot(ROOM)).clone();
    tail.open(1, Vec::new());
    let push = |events: &[Event]| events.iter().for_each(|e| tail.push(e.seq, vec![Arc::new(e.clone())]));
    push(&events[..carried]);
    let (journal, bell) = (Arc::new(store), Arc::default());
    let projector = Projector { reader: reader.clone(), journal, bell, slots: 1, projected: Box::new(|_, _| ()) };
    now(projector.carry()).unwrap();
    push(&events[carried..]);
    reader
}

/// The messages `from..=to` of a fold. Of a deleted one nothing is left but that.
fn messages(fold: RoomFold, from: u64, to: u64) -> Vec<(u64, MessageFold)> {
    let gone = || MessageFold { deleted: true, ..MessageFold::default() };
    let inside = fold.messages.into_iter().filter(|(seq, _)| (from..=to).contains(seq));
    inside.map(|(seq, message)| (seq, if message.deleted { gone() } else { message })).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_page_and_its_marks_fold_to_what_all_events_fold_to(
        happenings in happenings(), carried in 0..100usize, known in 0..100usize, before in 1..100u64, limit in 1..30u16,
    ) {
        let events = events(&happenings);
        // The client read the page when the room was this long; the rest it was shown.
        let known = 1 + known % events.len();
        let reader = reader(&events[..known], carried % (known + 1));
        let query = PageQuery { room: ROOM, before: Some(2 + before % known as u64), limit: Some(limit), ..PageQuery::default() };
        let page = now(reader.page(UserId::from_bytes([1; 16]), query)).unwrap();
        let stale = RoomFold::of(ROOM, page.events.iter().chain(&page.marks));
        let at_head = RoomFold::of(ROOM, &events[..known]);
        prop_assert_eq!(messages(stale.clone(), page.from, page.to), messages(at_head, page.from, page.to));
        let mut later = stale;
        events[known..].iter().for_each(|event| later.apply(event));
        prop_assert_eq!(messages(later, page.from, page.to), messages(RoomFold::of(ROOM, &events), page.from, page.to));
    }
}
