//! A page with its marks folds to the same messages as the journal does.

use std::collections::BTreeMap;

use schema::fold::{MessageFold, RoomFold};
use schema::{Event, EventBody, UserId, rest};

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "pages";

pub fn check(witness: &Witness, page: &rest::Page) -> Check {
    let journal = &witness.rooms[&page.room];
    if page.head > journal.len() as u64 {
        return broken(NAME, format!("a page of {} names head {} of {}", page.room, page.head, journal.len()));
    }
    let expected = messages(page, journal[..page.head as usize].iter().map(|event| &**event));
    let got = messages(page, page.events.iter().chain(&page.marks));
    match expected.iter().find(|(seq, message)| got.get(seq) != Some(message)) {
        Some((seq, message)) => {
            let got = got.get(seq);
            broken(NAME, format!("{seq} of {} is {message:?} and a page of {}..={} says {got:?}", page.room, page.from, page.to))
        }
        None if got.len() > expected.len() => broken(NAME, format!("a page of {} has messages that are none", page.room)),
        None => Ok(()),
    }
}

/// Of one that was read while the world went on: each event is the journal's, or was erased by what came since.
pub fn check_late(witness: &Witness, page: &rest::Page) -> Check {
    if page.head > witness.head(page.room) {
        return broken(NAME, format!("a page of {} names head {} of {}", page.room, page.head, witness.head(page.room)));
    }
    for event in page.events.iter().chain(&page.marks) {
        match witness.event(page.room, event.seq) {
            Some(journaled) if **journaled == *event => {}
            Some(journaled) if event.body == EventBody::Erased && journaled.cmid == event.cmid => {}
            other => return broken(NAME, format!("a page of {} has {event:?} where the journal has {other:?}", page.room)),
        }
    }
    let seqs = page.events.iter().map(|event| event.seq);
    if seqs.ne(page.from..=page.to) {
        return broken(NAME, format!("a page of {} from {} to {} has a hole", page.room, page.from, page.to));
    }
    Ok(())
}

/// Of the page alone. Who wrote a deleted message is nobody's business any more.
fn messages<'a>(page: &rest::Page, events: impl Iterator<Item = &'a Event>) -> BTreeMap<u64, MessageFold> {
    let fold = RoomFold::of(page.room, events);
    let inside = fold.messages.into_iter().filter(|(seq, _)| (page.from..=page.to).contains(seq));
    let nobody = UserId::default();
    inside.map(|(seq, message)| (seq, if message.deleted { MessageFold { user: nobody, ..message } } else { message })).collect()
}
