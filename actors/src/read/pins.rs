//! The pinned messages of a room, wherever in it they are, each as it is now.

use std::collections::BTreeSet;

use schema::record::Annotation;
use schema::{Event, EventBody, RoomId};
use store::{Range, RecordsExt};

use super::Reader;

/// Messages, and what was said about them later: apply both, as with a page.
#[derive(Debug, Default)]
pub struct Pinned {
    pub events: Vec<Event>,
    pub marks: Vec<Event>,
    /// The message that the next page begins after; none: there is no more.
    pub next: Option<u64>,
}

impl Reader {
    /// Those with a seq above `after`, rising; what the tail says is folded in.
    pub async fn pins(&self, room: RoomId, after: u64, limit: usize) -> Result<Pinned, store::Error> {
        let tail = self.tail(room).await?;
        // What the tail says may remove rows of the page: read that many more.
        let rows_max = limit + tail.len();
        let range = Range::all(Annotation::pins(room), rows_max).from(after.saturating_add(1).to_be_bytes().to_vec());
        let rows = self.records.list::<Annotation>(range).await?;
        let is_complete = rows.len() < rows_max;
        let mut pinned: BTreeSet<u64> = rows.iter().filter_map(|(row, _)| row.0.body.target()).collect();
        let last = pinned.last().copied();
        let in_page = |target: u64| target > after && (is_complete || last.is_some_and(|last| target <= last));
        for event in &tail {
            match event.body {
                EventBody::Pin { target, on: true } if in_page(target) => drop(pinned.insert(target)),
                EventBody::Pin { target, on: false } | EventBody::Delete { target, .. } => drop(pinned.remove(&target)),
                _ => {}
            }
        }
        let mut found = Pinned::default();
        if pinned.len() > limit || !is_complete {
            found.next = pinned.iter().copied().nth(limit.saturating_sub(1)).or(last);
        }
        for target in pinned.into_iter().take(limit) {
            let events = self.events(room, target, target).await?;
            for event in events.iter().filter(|event| matches!(event.body, EventBody::Message(_))) {
                found.events.push((**event).clone());
                found.marks.extend(self.marks(room, target, target, &tail).await?);
            }
        }
        Ok(found)
    }
}
