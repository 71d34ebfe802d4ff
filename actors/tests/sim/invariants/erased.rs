//! A row that was erased stays erased, whoever writes it again and however late; after a power cut too, once synced.

use schema::EventBody;
use schema::record::{HistoryRow, Key};
use store::records::decode;
use store::sim::SimCore;

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "erased";

pub fn check(witness: &Witness, core: &SimCore, key: &Key) -> Check {
    if !witness.erased.contains(key) && !witness.erased_unsynced.contains(key) {
        return Ok(());
    }
    match core.get(key).map(|row| decode::<HistoryRow>(&row).expect("a history row").0) {
        Some(event) if event.body == EventBody::Erased => Ok(()),
        Some(event) => broken(NAME, format!("{} of {} was erased and reads {:?}", event.seq, event.room, event.body)),
        None => broken(NAME, format!("an erased row is gone altogether: {key:?}")),
    }
}

/// At the end: every deleted message and every edit of one, in history, has lost its body.
pub fn all(witness: &Witness, core: &SimCore) -> Check {
    for events in witness.rooms.values() {
        let deleted: Vec<u64> =
            events.iter().filter(|e| matches!(e.body, EventBody::Delete { .. })).filter_map(|e| e.body.target()).collect();
        for event in events {
            let gone = match &event.body {
                EventBody::Message(_) => deleted.contains(&event.seq),
                EventBody::Edit { target, .. } => deleted.contains(target),
                _ => false,
            };
            if gone && super::row_of(core, event).is_some_and(|row| row.body != EventBody::Erased) {
                return broken(NAME, format!("{} of {} was deleted and can still be read", event.seq, event.room));
            }
        }
    }
    Ok(())
}
