//! Pure. What is posted: 128 bytes that say which post of which room they are, so that the one who receives them can tell
//! whether it is the next, whatever the server wraps around them.

use std::fmt::Write;

pub const TEXT_BYTES: usize = 128;
const MARK: &[u8] = b"post #";
const REST: &str = "The quick brown fox jumps over the lazy dog, and the dog, who has seen this all before, sleeps on..";

const _: () = assert!(REST.len() == TEXT_BYTES - 29);

/// Writes the text of a post.
pub fn write(text: &mut String, room: usize, number: u64) {
    text.clear();
    let written = write!(text, "post #{number:010} to room {room:02}: {REST}");
    debug_assert!(written.is_ok() && text.len() == TEXT_BYTES, "{text}");
}

/// Finds the text where it was the last time, counted from a frame's end: what a server adds has mostly the same length.
#[derive(Debug, Default)]
pub struct Finder {
    from_end: usize,
}

impl Finder {
    /// The room and the number of the post in a frame; `None`: there is no whole text in it.
    pub fn find(&mut self, frame: &[u8]) -> Option<(usize, u64)> {
        let guess = frame.len().checked_sub(self.from_end).and_then(|at| frame.get(at..)).filter(|text| text.starts_with(MARK));
        let text = match guess {
            Some(text) => text,
            None => {
                let at = frame.windows(MARK.len()).position(|window| window == MARK)?;
                self.from_end = frame.len() - at;
                &frame[at..]
            }
        };
        let text = text.get(..TEXT_BYTES)?;
        let whole = &text[29..] == REST.as_bytes() && &text[16..25] == b" to room ";
        Some((digits(&text[25..27])? as usize, digits(&text[6..16])?)).filter(|_| whole)
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0u64, |n, digit| digit.is_ascii_digit().then(|| n * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_whatever_is_around_it() {
        let (mut text, mut finder) = (String::new(), Finder::default());
        for (before, after) in [("", ""), ("{\"text\":\"", "\"}"), ("{\"post\":1,\"text\":\"", "\"}"), ("", "</body><id>77</id>")] {
            write(&mut text, 7, 1_234_567);
            assert_eq!(text.len(), TEXT_BYTES);
            assert_eq!(finder.find(format!("{before}{text}{after}").as_bytes()), Some((7, 1_234_567)));
        }
    }

    #[test]
    fn half_a_text_and_an_altered_one_are_none() {
        let (mut text, mut finder) = (String::new(), Finder::default());
        write(&mut text, 7, 12);
        assert_eq!(finder.find(&text.as_bytes()[..100]), None);
        assert_eq!(finder.find(text.replace("fox", "cat").as_bytes()), None);
        assert_eq!(finder.find(b"nothing of the kind"), None);
    }
}
