//! Pure. History rows, annotations and mentions.

use schema::record::{Annotation, ERASURE_STAMP, HistoryRow, MentionRow};
use schema::{Event, EventBody, mention};
use store::Write;

/// People named in one message who get a record of it.
const MENTIONS_MAX: usize = 50;

pub fn rows(event: &Event, writes: &mut Vec<Write>) {
    writes.push(Write::put(&HistoryRow(event.clone()), event.seq));
    match &event.body {
        EventBody::Message(message) => {
            for user in mention::mentions(&message.text, MENTIONS_MAX) {
                writes.push(Write::put(&MentionRow { user, room: event.room, seq: event.seq }, event.seq));
            }
        }
        EventBody::React { .. } => writes.push(Write::put(&Annotation(event.clone()), event.seq)),
        EventBody::Pin { target, on } => {
            let last = Write::put(&Annotation(event.clone()), event.seq);
            let key = Annotation::pin_key_of(event.room, *target);
            writes.push(if *on { Write { key, ..last.clone() } } else { Write::delete(key, event.seq) });
            writes.push(last);
        }
        EventBody::Edit { target, .. } => {
            let last = Write::put(&Annotation(event.clone()), event.seq);
            // Each edit once more by its own seq: what a deletion has to erase besides the message.
            let key = Annotation::key_of(event.room, *target, &edit_sort(event.seq));
            writes.push(Write { key, ..last.clone() });
            writes.push(last);
        }
        EventBody::Delete { target, .. } => {
            writes.push(Write::put(&Annotation(event.clone()), event.seq));
            let edit = Annotation::key_of(event.room, *target, b"e");
            writes.push(Write::delete(edit, ERASURE_STAMP + event.seq));
            writes.push(Write::delete(Annotation::pin_key_of(event.room, *target), ERASURE_STAMP + event.seq));
        }
        _ => {}
    }
}

/// Sort key, after the target, of one edit among all edits of a message.
pub fn edit_sort(seq: u64) -> Vec<u8> {
    [b"h".as_slice(), &seq.to_be_bytes()].concat()
}
