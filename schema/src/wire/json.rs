//! JSON (RFC 8259) by serde_json, whose reader stops at 128 levels; we stop at `DEPTH_MAX`.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::named::Named;
use super::{DEPTH_MAX, DecodeError};

pub fn to_json(value: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(value).expect("schema types have string keys and finite numbers"))
}

pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    if depth(bytes) > DEPTH_MAX {
        return Err(DecodeError(format!("nested deeper than {DEPTH_MAX} levels")));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = T::deserialize(Named(&mut reader)).and_then(|value| reader.end().map(|()| value));
    value.map_err(DecodeError::because)
}

/// The deepest nesting, without building anything: brackets outside strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                now += 1;
                deepest = deepest.max(now);
            }
            (false, b']' | b'}') => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientEvent;

    #[test]
    fn ten_thousand_brackets_are_refused_in_a_sentence() {
        let deep = format!("{{\"post\":{}", "[".repeat(10_000));
        let error = from_json::<ClientEvent>(deep.as_bytes()).unwrap_err();
        assert_eq!(error.0, "nested deeper than 32 levels");
    }

    #[test]
    fn brackets_in_text_are_not_depth() {
        assert_eq!(depth(br#"{"a":"[[[\"[[["}"#), 1);
    }

    #[test]
    fn trailing_bytes_and_unknown_names_are_refused() {
        assert!(from_json::<ClientEvent>(br#"{"ping":{"id":1}} x"#).is_err());
        let error = from_json::<ClientEvent>(br#"{"ping":{"id":1,"idd":2}}"#).unwrap_err();
        assert!(error.0.contains("unknown field `idd`"), "{error}");
        let error = from_json::<ClientEvent>(br#"{"pong":{"id":1}}"#).unwrap_err();
        assert!(error.0.contains("unknown variant `pong`"), "{error}");
    }
}
