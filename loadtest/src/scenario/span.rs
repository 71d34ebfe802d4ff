//! Pure. A length of time as people write it: `250ms`, `15s`, `2m`, `1m30s`, `1h`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

const UNITS: &[(&str, u64)] = &[("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1)];

impl Span {
    pub const fn of_us(us: u64) -> Self {
        Self(us)
    }
    pub fn us(self) -> u64 {
        self.0
    }
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }
    pub fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a length of time: write it like 250ms, 15s, 2m or 1m30s");
        let (mut rest, mut us) = (text.trim(), 0u64);
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
            let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
            let (_, unit_us) = UNITS.iter().find(|(unit, _)| *unit == &rest[digits..unit_end]).ok_or_else(wrong)?;
            us = count.checked_mul(*unit_us).and_then(|more| us.checked_add(more)).ok_or_else(wrong)?;
            rest = &rest[unit_end..];
        }
        Ok(Self(us))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0;
        for (unit, unit_us) in UNITS {
            let (count, rest) = (left / unit_us, left % unit_us);
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
            left = rest;
        }
        if self.0 == 0 { f.write_str("0s") } else { Ok(()) }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9]+(h|m|s|ms|us))+$",
            "description": "A length of time: 250ms, 15s, 2m, 1m30s, 1h."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for (text, us) in [("250ms", 250_000), ("15s", 15_000_000), ("1m30s", 90_000_000), ("1h", 3_600_000_000), ("0s", 0)] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.us(), span.to_string().as_str()), (us, text));
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_an_example() {
        for text in ["", "15", "s", "1x", "-1s", "99999999999999999999s", "99999999999h"] {
            assert!(text.parse::<Span>().unwrap_err().contains("1m30s"), "{text}");
        }
    }
}
