//! What must hold, one file each. A check answers with the name of what was broken and the place.

use std::fmt;

use schema::record::HistoryRow;
use schema::{Event, EventBody};
use store::records::decode;
use store::sim::SimCore;

pub mod acked;
pub mod agreement;
pub mod cmid_once;
pub mod erased;
pub mod fences;
pub mod healed;
pub mod listeners;
pub mod lists;
pub mod order;
pub mod owners;
pub mod pages;
pub mod phantoms;
pub mod seqs;
pub mod trimmed;
pub mod watermark;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub invariant: &'static str,
    pub what: String,
}

pub type Check = Result<(), Broken>;

pub fn broken(invariant: &'static str, what: impl Into<String>) -> Check {
    Err(Broken { invariant, what: what.into() })
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant `{}` is broken: {}", self.invariant, self.what)
    }
}

/// What history holds in this event's place.
fn row_of(core: &SimCore, event: &Event) -> Option<Event> {
    core.get(&HistoryRow::key_of(event.room, event.seq)).map(|row| decode::<HistoryRow>(&row).expect("a history row").0)
}

/// As itself, or erased.
fn in_history(core: &SimCore, event: &Event) -> bool {
    row_of(core, event).is_some_and(|row| row.cmid == event.cmid || row.body == EventBody::Erased)
}
