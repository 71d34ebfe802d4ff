//! Pure. One connection's way through one room: which event has to come next, which are there, and what was broken. The
//! node may leave out only what it said it would leave out (`gap`, `behind`).

/// What a delivery was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// New to this device, and in its place.
    New,
    /// Told to be there already; nothing wrong with it.
    Again,
    Doubled,
    /// It was due earlier on this connection.
    Reordered,
    /// Those before it, from this one on, were not sent.
    Skipped {
        from: u64,
    },
}

/// What the connection has to deliver next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    /// Whatever comes first: the node said that it leaves something out.
    #[default]
    Anything,
    Exactly(u64),
    /// This or an earlier one: the head was only told.
    UpTo(u64),
}

#[derive(Clone, Debug, Default)]
pub struct Way {
    /// Where it began.
    base: u64,
    /// All up to here is there.
    have: u64,
    /// The highest seq that this device was told of.
    head: u64,
    next: Next,
    /// Events that came while something before them was still missing.
    ahead: Option<(u64, u64)>,
    /// Not sent when they were due on this connection, in rising ranges.
    holes: Vec<(u64, u64)>,
    /// A page is under way, or is to be asked for again at this time.
    pub filling: bool,
    pub fill_at_us: Option<u64>,
}

impl Way {
    pub fn base(&self) -> u64 {
        self.base
    }
    pub fn have(&self) -> u64 {
        self.have
    }
    pub fn is_whole(&self) -> bool {
        self.have >= self.head
    }
    /// Whether it has to ask for a page now.
    pub fn is_to_fill(&self, now_us: u64) -> bool {
        !self.is_whole() && !self.filling && self.next_is_past_the_hole() && self.fill_at_us.is_none_or(|at| at <= now_us)
    }

    /// What is missing will not come by itself.
    fn next_is_past_the_hole(&self) -> bool {
        match self.next {
            Next::Anything => true,
            Next::Exactly(due) => due > self.have + 1,
            Next::UpTo(_) => false,
        }
    }

    /// The room is new to this device: it wants what comes after `head`.
    pub fn begin(&mut self, head: u64) {
        (self.base, self.have, self.head, self.next) = (head, head, head, Next::UpTo(head + 1));
    }

    /// `ready`, after this device said what it has: all after that comes by itself, or a gap is said.
    pub fn resumed(&mut self, head: u64) {
        self.head = self.head.max(head);
        self.next = Next::Exactly(self.have + 1);
    }

    /// The connection is gone. What was skipped on it was never sent.
    pub fn lost(&mut self) -> Vec<(u64, u64)> {
        (self.next, self.ahead, self.filling, self.fill_at_us) = (Next::Anything, None, false, None);
        std::mem::take(&mut self.holes)
    }

    pub fn delivered(&mut self, seq: u64) -> Came {
        let due = match self.next {
            Next::Anything => seq,
            Next::Exactly(due) => due,
            Next::UpTo(due) => due.min(seq),
        };
        if seq < due {
            let fits = self.holes.iter().position(|(from, to)| (*from..=*to).contains(&seq));
            if let Some(place) = fits {
                let (from, to) = self.holes.remove(place);
                let parts = [(from, seq - 1), (seq + 1, to)].into_iter().filter(|(from, to)| from <= to);
                self.holes.splice(place..place, parts);
            }
            let new = self.take(seq);
            return if fits.is_some() || new { Came::Reordered } else { Came::Doubled };
        }
        self.next = Next::Exactly(seq + 1);
        let new = self.take(seq);
        if seq > due {
            self.holes.push((due, seq - 1));
            return Came::Skipped { from: due };
        }
        if new { Came::New } else { Came::Again }
    }

    /// `from` to `to` will not come by themselves. `false`: something else was due.
    pub fn gap(&mut self, from: u64, to: u64) -> bool {
        let fits = !matches!(self.next, Next::Exactly(due) if due != from);
        self.head = self.head.max(to);
        self.next = Next::Exactly(to + 1);
        fits
    }

    pub fn behind(&mut self, head: u64) {
        self.head = self.head.max(head);
        self.next = Next::Anything;
    }

    /// An event of a page. `true`: it is new to this device.
    pub fn paged(&mut self, seq: u64) -> bool {
        let is_ahead = self.ahead.is_some_and(|(from, to)| (from..=to).contains(&seq));
        self.take(seq) && !is_ahead
    }

    /// A page ended, and the room's head was this.
    pub fn page_ended(&mut self, head: u64) {
        self.head = self.head.max(head);
        self.filling = false;
    }

    /// `true`: it was not there.
    fn take(&mut self, seq: u64) -> bool {
        self.head = self.head.max(seq);
        if seq <= self.have {
            return false;
        }
        if seq > self.have + 1 {
            let (before, from, to) = match self.ahead {
                Some((from, to)) if seq == to + 1 => (false, from, seq),
                Some((from, to)) if (from..=to).contains(&seq) => (true, from, to),
                // Only one run is kept: what lies apart comes again by a page.
                Some((from, to)) => (false, from, to),
                None => (false, seq, seq),
            };
            self.ahead = Some((from, to));
            return !before;
        }
        self.have = seq;
        if let Some((from, to)) = self.ahead
            && from <= self.have + 1
        {
            self.have = self.have.max(to);
            self.ahead = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Way {
        let mut way = Way::default();
        way.begin(4);
        way
    }

    #[test]
    fn events_in_their_places_are_new() {
        let mut way = way();
        assert_eq!([5, 6, 7].map(|seq| way.delivered(seq)), [Came::New; 3]);
        assert!(way.is_whole() && way.have() == 7);
    }

    #[test]
    fn an_event_that_comes_twice_on_a_connection_is_doubled() {
        let mut way = way();
        assert_eq!([5, 6, 6, 5].map(|seq| way.delivered(seq)), [Came::New, Came::New, Came::Doubled, Came::Doubled]);
    }

    #[test]
    fn two_events_that_changed_places_are_a_skip_and_a_reordering() {
        let mut way = way();
        way.delivered(5);
        assert_eq!([7, 6].map(|seq| way.delivered(seq)), [Came::Skipped { from: 6 }, Came::Reordered]);
        assert_eq!((way.have(), way.lost()), (7, vec![]));
    }

    #[test]
    fn what_was_skipped_and_never_sent_is_told_with_the_connection_s_end() {
        let mut way = way();
        assert_eq!([8, 6].map(|seq| way.delivered(seq)), [Came::Skipped { from: 5 }, Came::Reordered]);
        assert!(way.is_to_fill(0));
        assert_eq!([5, 6, 7].map(|seq| way.paged(seq)), [true, true, true]);
        assert_eq!(way.have(), 8);
        assert_eq!(way.lost(), [(5, 5), (7, 7)]);
    }

    #[test]
    fn a_gap_that_was_said_is_filled_and_nothing_is_wrong_with_it() {
        let mut way = way();
        way.lost();
        way.resumed(20);
        assert!(!way.is_to_fill(0), "the node sends what is missing, or says a gap");
        assert!(way.gap(5, 20) && way.is_to_fill(0));
        assert_eq!(way.delivered(21), Came::New);
        way.filling = true;
        assert!(!way.is_to_fill(0));
        assert!((5..=20).all(|seq| way.paged(seq)) && !way.paged(21));
        way.page_ended(21);
        assert_eq!((way.have(), way.is_whole(), way.is_to_fill(0)), (21, true, false));
        assert!(!way.gap(30, 40), "22 was due");
    }

    #[test]
    fn a_resume_that_begins_too_late_is_a_skip_and_one_that_begins_too_early_doubles() {
        let (mut late, mut early) = (way(), way());
        late.resumed(9);
        assert_eq!(late.delivered(6), Came::Skipped { from: 5 });
        early.resumed(9);
        assert_eq!(early.delivered(4), Came::Doubled);
    }

    #[test]
    fn after_behind_anything_may_come_first() {
        let mut way = way();
        way.behind(30);
        assert!(way.is_to_fill(0));
        assert!((5..=30).all(|seq| way.paged(seq)));
        assert_eq!([31, 33].map(|seq| way.delivered(seq)), [Came::New, Came::Skipped { from: 32 }]);
    }
}
