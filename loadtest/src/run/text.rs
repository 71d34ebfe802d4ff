//! Pure. The mark at the beginning of every message that a run posts: `[room/sender/number/intended/lag]`. By it every
//! receiver knows what it got without asking anybody.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// A text must have room for any mark.
pub const MARK_BYTES_MAX: usize = 64;

const FILLER: &str = "the quick brown fox jumps over the lazy dog and lies down in the sun again, ";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// Room and virtual user by their numbers in the plan.
    pub room: u32,
    pub sender: u32,
    /// The sender's messages in this room, from 1, without gaps.
    pub number: u32,
    /// Microseconds of the run's clock, and how much later it was really sent.
    pub intended_us: u64,
    pub lag_us: u64,
}

impl Mark {
    /// The whole text, at least as long as the mark.
    pub fn text(&self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes.max(MARK_BYTES_MAX));
        let Self { room, sender, number, intended_us, lag_us } = self;
        write!(text, "[{room}/{sender}/{number}/{intended_us}/{lag_us}]").ok();
        while text.len() < bytes {
            let more = (bytes - text.len()).min(FILLER.len());
            text.push_str(&FILLER[..more]);
        }
        text
    }

    /// Of a text that a run posted.
    pub fn of(text: &str) -> Option<Self> {
        let (inner, _) = text.strip_prefix('[')?.split_once(']')?;
        let mut parts = inner.split('/');
        let mut next = || parts.next()?.parse::<u64>().ok();
        let (room, sender, number) = (next()?, next()?, next()?);
        let (intended_us, lag_us) = (next()?, next()?);
        let small = |n: u64| u32::try_from(n).ok();
        Some(Self { room: small(room)?, sender: small(sender)?, number: small(number)?, intended_us, lag_us })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_and_the_text_has_its_length() {
        let mark = Mark { room: 3, sender: 99, number: 7, intended_us: 123_456_789, lag_us: 42 };
        for bytes in [64, 128, 1000] {
            let text = mark.text(bytes);
            assert_eq!((text.len(), Mark::of(&text)), (bytes, Some(mark)));
        }
        assert_eq!((Mark::of("hello"), Mark::of("[1/2]"), Mark::of("[1/2/x/4/5] hi")), (None, None, None));
    }

    #[test]
    fn the_longest_mark_fits() {
        let most = Mark { room: 9_999_999, sender: 999_999, number: u32::MAX, intended_us: 10u64.pow(13) - 1, lag_us: 10u64.pow(10) };
        assert!(most.text(0).len() <= MARK_BYTES_MAX);
    }
}
