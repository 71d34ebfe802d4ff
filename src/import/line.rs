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

/// A line as it stands in a file. What else stands in it is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub ts: String,
    pub user: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
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
        let written: Written = schema::wire::from_json(bytes).map_err(|error| bad(in_line(&error.0)))?;
        let at = milliseconds(&written.ts)
            .ok_or_else(|| bad(format!("\"{}\" is no time like 2019-06-30T12:00:00", schema::wire::excerpt(&written.ts))))?;
        if written.text.len() > schema::limits::TEXT_BYTES_MAX {
            return Err(bad(format!("the text has {} bytes, {} may be", written.text.len(), schema::limits::TEXT_BYTES_MAX)));
        }
        // A room refuses it, and would stop the import there.
        if written.text.contains('\0') {
            return Err(bad("the text has a NUL character".to_owned()));
        }
        if written.thread.as_ref().is_some_and(|thread| thread.len() > THREAD_BYTES_MAX) {
            return Err(bad(format!("the thread's name has more than {THREAD_BYTES_MAX} bytes")));
        }
        crate::auth::check_username(&written.user).map_err(|error| bad(error.to_string()))?;
        // Nothing but spaces says as much as nothing, which is what a picture leaves.
        let text = if written.text.trim().is_empty() { String::new() } else { written.text };
        Ok(Some(Self { number, at, user: written.user, text, thread: written.thread }))
    }
}

/// The reader counts lines too, and to it every line is the first.
fn in_line(why: &str) -> String {
    match why.rsplit_once(" at line ") {
        Some((what, place)) => match place.split_once(" column ") {
            Some((_, column)) => format!("{what} (column {column})"),
            None => what.to_owned(),
        },
        None => why.to_owned(),
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

/// As `milliseconds` reads it, to the millisecond: by the calendar algorithm of Hinnant ("days from civil", backwards).
pub fn date_time(ms: u64) -> String {
    let (days, of_day) = (ms / 86_400_000, ms % 86_400_000);
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1_000)
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
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
    let in_range = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
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
    fn a_day_that_the_month_does_not_have_is_no_time() {
        for (day, is_one) in [("2019-02-28", true), ("2019-02-29", false), ("2019-02-30", false), ("2020-02-29", true)] {
            assert_eq!(milliseconds(&format!("{day}T00:00:00")).is_some(), is_one, "{day}");
        }
        for (day, is_one) in
            [("2100-02-29", false), ("2400-02-29", true), ("2019-04-31", false), ("2019-12-31", true), ("2019-01-00", false)]
        {
            assert_eq!(milliseconds(&format!("{day}T00:00:00")).is_some(), is_one, "{day}");
        }
    }

    #[test]
    fn a_time_that_was_written_reads_back_to_the_millisecond() {
        assert_eq!(date_time(951_782_400_007), "2000-02-29T00:00:00.007Z");
        for ms in [0, 1, 999, 86_399_999, 951_782_400_000, 1_546_231_961_387, 1_795_251_600_000, 253_402_300_799_999] {
            assert_eq!(milliseconds(&date_time(ms)), Some(ms));
        }
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let line = Line::read(3, br#"{"ts":"2019-06-30T12:00:00","user":"Ann","text":"hi","thread":"1","more":true}"#).unwrap().unwrap();
        assert_eq!((line.user.as_str(), line.thread.as_deref()), ("Ann", Some("1")));
        let error = Line::read(4, br#"{"ts":"2019-06-30T12:00:00","user":"Ann"}"#).unwrap_err();
        assert_eq!(error.to_string(), "line 4: missing field `text` (column 41)");
        assert_eq!(Line::read(7, b"not json").unwrap_err().to_string(), "line 7: expected ident (column 2)");
        assert!(Line::read(5, br#"{"ts":"2019-06-30T12:00:00","user":"../x","text":"hi"}"#).is_err());
        assert_eq!(Line::read(6, b"  \n"), Ok(None));
        let nul = Line::read(8, br#"{"ts":"2019-06-30T12:00:00","user":"ann","text":"a\u0000b"}"#).unwrap_err();
        assert_eq!(nul.to_string(), "line 8: the text has a NUL character");
        let spaces = Line::read(9, br#"{"ts":"2019-06-30T12:00:00","user":"ann","text":" \n "}"#).unwrap().unwrap();
        assert_eq!(spaces.text, "", "a room takes an import's empty text, and refuses spaces");
    }
}
