//! Pure. What one worker knows of the rooms' contents: who saw what at which seq, which messages of whom are there, and what
//! was acknowledged. Every event is read once and compared by its hash from then on, so that a delivery costs a look-up.
//!
//! Keeps a bounded window of each room: an event that comes when it has been forgotten is counted as uncompared.

use std::collections::{HashMap, HashSet, VecDeque};

use schema::wire::Format;
use schema::{Cmid, Event, EventBody, RoomId};

use super::offences::Offences;
use super::text::Mark;
use crate::report::Offending;

/// A node that skips so many seqs is not believed.
const AHEAD_MAX: u64 = 5_000_000;

/// An event as it was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub cmid: Cmid,
    pub ordinal: u64,
    pub mark: Option<Mark>,
    is_message: bool,
    /// Of its bytes, by format; 0: not seen in that format.
    hashes: [u64; 2],
}

#[derive(Debug)]
struct Book {
    room: RoomId,
    /// The seq before the first entry.
    base: u64,
    entries: VecDeque<Option<Known>>,
    /// Up to which seq all is there and numbers were compared.
    checked: u64,
    /// By sender: the highest number, and those below it that have not come.
    said: HashMap<u32, u32>,
    missing: HashSet<(u32, u32)>,
    refused: HashSet<(u32, u32)>,
    /// Acknowledged at a seq, and not seen there yet.
    acked: HashMap<(u32, u32), u64>,
    last_message: u64,
}

#[derive(Debug)]
pub struct Ledger {
    books: Vec<Book>,
    entries_max: usize,
    pub offences: Offences,
    pub uncompared: u64,
}

/// What a look at (room, seq) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Known(Known),
    /// Read it and `learn` it.
    New,
    Forgotten,
}

fn index(format: Format) -> usize {
    usize::from(format != Format::Json)
}

impl Ledger {
    /// Of rooms by number, each with the head that it had before the run. All rooms together keep so many entries.
    pub fn new(rooms: &[(RoomId, u64)], entries_max: usize) -> Self {
        let books = rooms.iter().map(|(room, head)| Book {
            room: *room,
            base: *head,
            entries: VecDeque::new(),
            checked: *head,
            said: HashMap::new(),
            missing: HashSet::new(),
            refused: HashSet::new(),
            acked: HashMap::new(),
            last_message: 0,
        });
        let entries_max = (entries_max / rooms.len().max(1)).max(64);
        Self { books: books.collect(), entries_max, offences: Offences::default(), uncompared: 0 }
    }

    pub fn id(&self, room: u32) -> RoomId {
        self.books[room as usize].room
    }
    /// The latest message that anybody saw.
    pub fn last_message(&self, room: u32) -> Option<u64> {
        Some(self.books[room as usize].last_message).filter(|seq| *seq > 0)
    }
    pub fn ordinal(&self, room: u32, seq: u64) -> Option<u64> {
        self.books[room as usize].known(seq).map(|known| known.ordinal)
    }

    /// Whether these bytes say what others were told.
    pub fn look(&mut self, room: u32, seq: u64, hash: u64, format: Format) -> Look {
        let book = &mut self.books[room as usize];
        if seq <= book.base {
            self.uncompared += 1;
            return Look::Forgotten;
        }
        match book.known(seq) {
            Some(known) if known.hashes[index(format)] == hash => Look::Known(known),
            _ => Look::New,
        }
    }

    /// An event that was read whole: from a frame (with its hash) or from a page.
    pub fn learn(&mut self, room: u32, event: &Event, bytes: Option<(u64, Format)>) -> Look {
        let book = &mut self.books[room as usize];
        let seq = event.seq;
        if seq <= book.base {
            self.uncompared += 1;
            return Look::Forgotten;
        }
        if seq - book.base > AHEAD_MAX {
            let what = format!("seq {seq} came while the room was at {}", book.checked);
            self.offences.add(Offending::Wrong, book.room, Some(seq), what);
            return Look::Forgotten;
        }
        let mut known = Known::of(event);
        if let Some((hash, format)) = bytes {
            known.hashes[index(format)] = hash;
        }
        let place = (seq - book.base - 1) as usize;
        if book.entries.len() <= place {
            book.entries.resize(place + 1, None);
        }
        match &mut book.entries[place] {
            Some(before) if before.is_the_same(&known, bytes.map(|(_, format)| format)) => {
                before.hashes.iter_mut().zip(known.hashes).filter(|(own, _)| **own == 0).for_each(|(own, hash)| *own = hash);
                known = *before;
            }
            Some(before) => {
                let what = format!("at seq {seq} stands {} for one and {} for another", before.name(), known.name());
                self.offences.add(Offending::Wrong, book.room, Some(seq), what);
            }
            empty => {
                *empty = Some(known);
                if known.mark.is_some_and(|mark| text_of(event).is_some_and(|text| mark.text(text.len()) != text)) {
                    let what = format!("{} stands at seq {seq} with another text than was posted", known.name());
                    self.offences.add(Offending::Wrong, book.room, Some(seq), what);
                }
                if known.is_message {
                    book.last_message = book.last_message.max(seq);
                }
                self.advance(room);
            }
        }
        Look::Known(known)
    }

    /// Compares the numbers of what has become contiguous, and forgets the oldest.
    fn advance(&mut self, room: u32) {
        let book = &mut self.books[room as usize];
        while let Some(known) = book.known(book.checked + 1) {
            book.checked += 1;
            if let Some(mark) = known.mark {
                book.count(room, mark, book.checked, &mut self.offences);
            }
        }
        // What was not compared yet is kept longer.
        while book.entries.len() > self.entries_max && (book.base < book.checked || book.entries.len() > 16 * self.entries_max) {
            book.entries.pop_front();
            book.base += 1;
            book.checked = book.checked.max(book.base);
        }
    }

    pub fn acked(&mut self, room: u32, sender: u32, number: u32, seq: Option<u64>) {
        let book = &mut self.books[room as usize];
        let Some(seq) = seq else {
            let what = format!("message {number} of user {sender} was acknowledged without a seq");
            return self.offences.add(Offending::Wrong, book.room, None, what);
        };
        let counted = book.said.get(&sender).is_some_and(|highest| *highest >= number) && !book.missing.contains(&(sender, number));
        match book.known(seq).map(|known| known.mark) {
            Some(Some(mark)) if (mark.sender, mark.number) == (sender, number) => {}
            Some(_) => {
                let what = format!("message {number} of user {sender} was acknowledged at seq {seq}, where another event stands");
                self.offences.add(Offending::Wrong, book.room, Some(seq), what);
                // It may not be anywhere at all.
                book.acked.insert((sender, number), seq);
            }
            // It was counted, and its entry has gone since.
            None if counted && seq <= book.base => {}
            None => {
                book.acked.insert((sender, number), seq);
            }
        }
    }

    pub fn refused(&mut self, room: u32, sender: u32, number: u32) {
        let book = &mut self.books[room as usize];
        book.refused.insert((sender, number));
        book.missing.remove(&(sender, number));
    }

    /// One event of the final log, in the order of their seqs.
    pub fn audited(&mut self, room: u32, event: &Event) {
        let book = &self.books[room as usize];
        if let Some(before) = book.known(event.seq)
            && before.cmid != event.cmid
        {
            let what = format!("{} was seen at seq {} and is gone: the history has another event there", before.name(), event.seq);
            return self.offences.add(Offending::Lost, book.room, Some(event.seq), what);
        }
        if event.seq > book.base {
            self.learn(room, event, None);
        }
    }

    /// The final log ends here: what was acknowledged or seen and is not in it is lost.
    pub fn closed(&mut self, room: u32, head: u64) {
        let book = &mut self.books[room as usize];
        let seen = book.base + book.entries.len() as u64;
        for seq in head + 1..=seen {
            if let Some(known) = book.known(seq) {
                let what = format!("{} was seen at seq {seq}, and the history ends at {head}", known.name());
                self.offences.add(Offending::Lost, book.room, Some(seq), what);
            }
        }
        let mut lost: Vec<_> = book.acked.drain().collect();
        lost.sort_unstable();
        for ((sender, number), seq) in lost {
            let what = format!("message {number} of user {sender} was acknowledged at seq {seq} and is not in the history");
            self.offences.add(Offending::Lost, book.room, Some(seq), what);
        }
    }
}

impl Book {
    fn known(&self, seq: u64) -> Option<Known> {
        let place = seq.checked_sub(self.base + 1)?;
        *self.entries.get(place as usize)?
    }

    fn count(&mut self, room: u32, mark: Mark, seq: u64, offences: &mut Offences) {
        let Mark { sender, number, .. } = mark;
        if mark.room != room {
            let what = format!("message {number} of user {sender} was meant for room number {} and stands here at seq {seq}", mark.room);
            return offences.add(Offending::Wrong, self.room, Some(seq), what);
        }
        match self.acked.remove(&(sender, number)) {
            Some(acked) if acked != seq => {
                let what = format!("message {number} of user {sender} was acknowledged at seq {acked} and stands at seq {seq}");
                offences.add(Offending::Wrong, self.room, Some(seq), what);
            }
            _ => {}
        }
        if self.refused.contains(&(sender, number)) {
            let what = format!("message {number} of user {sender} was refused for good and stands at seq {seq}");
            offences.add(Offending::Wrong, self.room, Some(seq), what);
        }
        let highest = self.said.entry(sender).or_default();
        if number > *highest {
            let between = (*highest + 1..number).map(|number| (sender, number)).filter(|it| !self.refused.contains(it));
            self.missing.extend(between);
            *highest = number;
        } else if self.missing.remove(&(sender, number)) {
            let what = format!("message {number} of user {sender} stands at seq {seq}, after that user's message {highest}");
            offences.add(Offending::Reordered, self.room, Some(seq), what);
        } else {
            let what = format!("message {number} of user {sender} is there a second time, at seq {seq}");
            offences.add(Offending::Doubled, self.room, Some(seq), what);
        }
    }
}

fn text_of(event: &Event) -> Option<&str> {
    match &event.body {
        EventBody::Message(message) => Some(&message.text),
        EventBody::Edit { text, .. } => Some(text),
        _ => None,
    }
}

impl Known {
    fn of(event: &Event) -> Self {
        let mark = text_of(event).and_then(Mark::of);
        let is_message = matches!(event.body, EventBody::Message(_));
        Self { cmid: event.cmid, ordinal: event.ordinal, mark, is_message, hashes: [0; 2] }
    }

    /// `format`: that both were seen in, if any, so that their bytes have to be equal.
    fn is_the_same(&self, other: &Self, format: Option<Format>) -> bool {
        let contents = |it: &Self| (it.cmid, it.ordinal, it.mark);
        let bytes_differ = format.is_some_and(|format| {
            let (own, others) = (self.hashes[index(format)], other.hashes[index(format)]);
            own != 0 && own != others
        });
        contents(self) == contents(other) && !bytes_differ
    }

    fn name(&self) -> String {
        match self.mark {
            Some(Mark { sender, number, .. }) => format!("message {number} of user {sender}"),
            None => format!("request {}", self.cmid),
        }
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
