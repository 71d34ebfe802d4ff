//! A page with its marks folds to the same messages as the journal does.

use std::collections::BTreeMap;

use schema::fold::{MessageFold, RoomFold};
use schema::{Event, UserId, rest};

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

/// Of the page alone. Who wrote a deleted message is nobody's business any more.
fn messages<'a>(page: &rest::Page, events: impl Iterator<Item = &'a Event>) -> BTreeMap<u64, MessageFold> {
    let fold = RoomFold::of(page.room, events);
    let inside = fold.messages.into_iter().filter(|(seq, _)| (page.from..=page.to).contains(seq));
    let nobody = UserId::default();
    inside.map(|(seq, message)| (seq, if message.deleted { MessageFold { user: nobody, ..message } } else { message })).collect()
}
