//! Pure. Both ends of following one room: who is shown it by us, who shows it to us, and what to do with what they say. It knows
//! heads and no events, and speaks to nobody.
//!
//! Invariant: a follower shows a room's events without a gap, or begins anew. What it has is a head; whatever does not continue
//! that is asked for from there, so nothing depends on a word not being lost.

use cluster::NodeId;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Far {
    /// Nodes that are shown what is shown here; the room is ours.
    pub followers: Vec<NodeId>,
    /// Who shows it to us; the room is theirs.
    following: Option<NodeId>,
    /// They were asked to by this number, and have not begun. An answer to an older one says nothing: whoever gave it may have
    /// forgotten us since.
    asked: Option<u64>,
    /// It became ours, and what happened before that was not shown yet.
    is_behind: bool,
    /// The owner says that there is no such room.
    is_missing: bool,
}

/// What to do with what a node shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown {
    /// They are not to: say `unfollow`.
    Unwanted,
    /// Ask them from this head on.
    Ask(u64),
    Show,
}

/// What to do with the room as its owner has it.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    Unwanted,
    /// There is something newer here.
    Keep,
    /// It is what was shown here, or nothing was.
    Take,
    /// What lies between is too much to be shown: whoever has the room comes again, and catches up by themselves.
    Lose,
}

impl Far {
    pub fn is_followed_from(&self, owner: NodeId) -> bool {
        self.following == Some(owner)
    }
    pub fn following(&self) -> Option<NodeId> {
        self.following
    }
    /// The room is ours, and all that happened in it was shown.
    pub fn is_current(&self) -> bool {
        self.following.is_none() && !self.is_behind
    }

    /// Somebody comes to the room while nothing of it is here. By which number to ask; `ask` if it is not asked for. `None`: the owner
    /// said that there is no such room.
    pub fn follow(&mut self, owner: NodeId, ask: u64) -> Option<u64> {
        if std::mem::take(&mut self.is_missing) {
            return None;
        }
        self.following = Some(owner);
        Some(*self.asked.get_or_insert(ask))
    }

    /// The room begins anew with this owner; `None`: it is ours. Whom to ask.
    pub fn begin(&mut self, owner: Option<NodeId>, ask: u64) -> Option<NodeId> {
        self.asked = owner.map(|_| ask);
        let before = std::mem::replace(&mut self.following, owner);
        self.is_behind = owner.is_none() && (before.is_some() || self.is_behind);
        if owner.is_some() {
            self.followers.clear();
        }
        owner
    }

    /// Whom to ask again, and by which number: they may have given it up, or could not read it.
    pub fn ask_again(&self) -> Option<(NodeId, u64)> {
        self.following.zip(self.asked)
    }

    /// `ours`: the head that was shown here. `first`: of what they show. `ask`: by which number to ask, if that is to be done.
    pub fn shown(&mut self, by: NodeId, ours: Option<u64>, first: Option<u64>, ask: u64) -> Shown {
        if !self.is_followed_from(by) {
            return Shown::Unwanted;
        }
        match (ours, first) {
            (Some(ours), Some(first)) if first > ours + 1 => {
                self.asked = Some(ask);
                Shown::Ask(ours)
            }
            _ => Shown::Show,
        }
    }

    /// `theirs`: the head of the room as they have it. `ask`: what they answer; 0 of one who does not say.
    pub fn begun(&mut self, by: NodeId, ours: Option<u64>, theirs: u64, ask: u64) -> Begun {
        if !self.is_followed_from(by) {
            return Begun::Unwanted;
        }
        self.asked = self.asked.filter(|asked| ask != 0 && ask != *asked);
        match ours {
            Some(ours) if ours > theirs => Begun::Keep,
            Some(ours) if ours < theirs => Begun::Lose,
            _ => Begun::Take,
        }
    }

    /// False: they are not asked.
    pub fn no_room(&mut self, by: NodeId) -> bool {
        let is_theirs = self.is_followed_from(by);
        if is_theirs {
            (self.is_missing, self.asked) = (true, None);
        }
        is_theirs
    }

    /// Everything that happened before the room became ours is shown.
    pub fn caught_up(&mut self) {
        self.is_behind = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId(1);
    const B: NodeId = NodeId(2);

    fn following(owner: NodeId) -> Far {
        let mut far = Far::default();
        far.begin(Some(owner), 1);
        far
    }

    #[test]
    fn whoever_was_asked_is_asked_again_until_they_begin() {
        let mut far = following(A);
        assert_eq!(far.ask_again(), Some((A, 1)));
        assert_eq!(far.shown(A, Some(4), Some(5), 2), Shown::Show);
        assert_eq!(far.ask_again(), Some((A, 1)), "what is on the way says nothing of what was asked");
        assert_eq!(far.begun(B, Some(5), 5, 1), Begun::Unwanted);
        assert_eq!(far.ask_again(), Some((A, 1)));
        assert_eq!(far.begun(A, Some(5), 5, 1), Begun::Take);
        assert_eq!(far.ask_again(), None);
        assert_eq!(far.shown(A, Some(5), Some(7), 2), Shown::Ask(5));
        assert_eq!(far.ask_again(), Some((A, 2)), "and from a hole on");
        assert!(far.no_room(A));
        assert_eq!(far.ask_again(), None);
        far.begin(None, 3);
        assert_eq!(far.ask_again(), None, "nobody asks themselves");
    }

    #[test]
    fn an_answer_to_what_was_asked_before_leaves_what_was_asked_last() {
        let mut far = following(A);
        far.begin(Some(A), 2);
        assert_eq!(far.begun(A, Some(5), 5, 1), Begun::Take);
        assert_eq!(far.ask_again(), Some((A, 2)), "they may have forgotten us between the two");
        assert_eq!(far.follow(A, 3), Some(2), "nobody else asks by another number meanwhile");
        assert_eq!(far.begun(A, Some(5), 5, 2), Begun::Take);
        assert_eq!(far.ask_again(), None);
        far.begin(Some(A), 4);
        assert_eq!(far.begun(A, Some(5), 5, 0), Begun::Take);
        assert_eq!(far.ask_again(), None, "of a node that does not say, any answer is the last");
    }

    #[test]
    fn a_follower_shows_what_continues_what_it_has_and_loses_what_it_cannot_continue() {
        let mut far = following(A);
        assert_eq!(far.shown(A, Some(4), Some(3), 2), Shown::Show, "what is here already is passed over");
        assert_eq!(far.shown(A, None, Some(9), 2), Shown::Show);
        assert_eq!(far.shown(B, Some(4), Some(5), 2), Shown::Unwanted);
        assert_eq!(far.begun(A, Some(9), 4, 1), Begun::Keep);
        assert_eq!(far.begun(A, Some(4), 9, 1), Begun::Lose);
        assert_eq!(far.begun(A, None, 9, 1), Begun::Take);
    }

    #[test]
    fn a_room_that_became_ours_is_behind_until_it_was_caught_up_and_one_that_stays_ours_is_not() {
        let mut far = Far { followers: vec![B], ..Far::default() };
        far.begin(None, 3);
        assert!(far.is_current());
        assert_eq!(far.followers, [B], "who is shown it goes on being shown it");
        far.begin(Some(A), 3);
        assert!(!far.is_current() && far.followers.is_empty());
        far.begin(None, 3);
        far.begin(None, 3);
        assert!(!far.is_current());
        far.caught_up();
        assert!(far.is_current());
    }
}
