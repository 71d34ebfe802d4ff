//! Pure. Lines of a conversation file: one JSON object each (`ts`, `user`, `text`, `thread`), with its number in the file.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One thing that somebody said somewhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// In the file, from 1.
    pub number: u64,
    /// When it was said: milliseconds since 1970.
    pub at: u64,
    pub user: String,
    /// May be empty: what was said elsewhere may have been a picture.
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
}

/// Why a line cannot be taken, and which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {number}: {why}")]
pub struct BadLine {
    pub number: u64,
    pub why: String,
}

#[derive(Deserialize)]
struct Written {
    ts: String,
    user: String,
    text: String,
    #[serde(default)]
    thread: Option<String>,
}

/// Longest `thread` that is kept, bytes.
const THREAD_BYTES_MAX: usize = 200;

impl Line {
    /// Reads one line of the file. Empty ones are none.
    pub fn read(number: u64, bytes: &[u8]) -> Result<Option<Self>, BadLine> {
        let bad = |why: String| BadLine { number, why };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let written: Written = schema::wire::from_json(bytes).map_err(|error| bad(error.to_string()))?;
        let at = milliseconds(&written.ts)
            .ok_or_else(|| bad(format!("\"{}\" is no time like 2019-06-30T12:00:00", schema::wire::excerpt(&written.ts))))?;
        if written.text.len() > schema::limits::TEXT_BYTES_MAX {
            return Err(bad(format!("the text has {} bytes, {} may be", written.text.len(), schema::limits::TEXT_BYTES_MAX)));
        }
        if written.thread.as_ref().is_some_and(|thread| thread.len() > THREAD_BYTES_MAX) {
            return Err(bad(format!("the thread's name has more than {THREAD_BYTES_MAX} bytes")));
        }
        crate::auth::check_username(&written.user).map_err(|error| bad(error.to_string()))?;
        Ok(Some(Self { number, at, user: written.user, text: written.text, thread: written.thread }))
    }
}

/// The name of an import: of this room, and of the file's first 64 KiB (unpacked).
pub fn import_name(workspace: &str, room: &str, beginning: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [workspace.as_bytes(), b"\0", room.as_bytes(), b"\0", &beginning[..beginning.len().min(64 * 1024)]] {
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `YYYY-MM-DDTHH:MM:SS[.fraction][Z]`, read as UTC, to milliseconds since 1970 (RFC 3339; days by the civil calendar).
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut clock = clock.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let in_range = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !in_range || hour > 23 || minute > 59 || second > 60 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let padded: String = fraction.chars().chain("000".chars()).take(3).collect();
    // March-based years, so that the leap day is the last one.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some((u64::try_from(days).ok()? * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000 + padded.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_millisecond() {
        assert_eq!(milliseconds("1970-01-01T00:00:00"), Some(0));
        assert_eq!(milliseconds("2000-02-29T12:30:15.25Z"), Some(951_827_415_250));
        assert_eq!(milliseconds("2018-12-31T04:52:41.387200"), Some(1_546_231_961_387));
        for bad in ["", "2018-13-01T00:00:00", "2018-12-31", "yesterday", "2018-12-31T24:00:00", "2018-12-31T00:00:00.x"] {
            assert_eq!(milliseconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let line = Line::read(3, br#"{"ts":"2019-06-30T12:00:00","user":"Ann","text":"hi","thread":"1","more":true}"#).unwrap().unwrap();
        assert_eq!((line.user.as_str(), line.thread.as_deref()), ("Ann", Some("1")));
        let error = Line::read(4, br#"{"ts":"2019-06-30T12:00:00","user":"Ann"}"#).unwrap_err();
        assert!(error.to_string().starts_with("line 4: missing field `text`"), "{error}");
        assert!(Line::read(5, br#"{"ts":"2019-06-30T12:00:00","user":"../x","text":"hi"}"#).is_err());
        assert_eq!(Line::read(6, b"  \n"), Ok(None));
    }
}
