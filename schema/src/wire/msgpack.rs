//! MessagePack by rmp-serde, always with field names: the compact form breaks when a field is added.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::named::Named;
use super::{DEPTH_MAX, DecodeError};

pub fn to_msgpack(value: &impl Serialize) -> Bytes {
    Bytes::from(rmp_serde::to_vec_named(value).expect("schema types are representable"))
}

/// `rmp_serde::from_slice` ignores trailing bytes; we do not.
pub fn from_msgpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut rest = bytes;
    let mut reader = rmp_serde::Deserializer::new(&mut rest);
    reader.set_max_depth(DEPTH_MAX);
    let value = T::deserialize(Named(&mut reader)).map_err(DecodeError::because)?;
    if rest.is_empty() {
        return Ok(value);
    }
    Err(DecodeError(format!("{} bytes after the value", rest.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientEvent, client::Ping};

    #[test]
    fn a_value_survives_the_round_trip_and_trailing_bytes_do_not() {
        let ping = ClientEvent::Ping(Ping { id: 7 });
        let mut bytes = to_msgpack(&ping).to_vec();
        assert_eq!(from_msgpack::<ClientEvent>(&bytes).unwrap(), ping);
        bytes.push(0xc0);
        assert_eq!(from_msgpack::<ClientEvent>(&bytes).unwrap_err().0, "1 bytes after the value");
    }

    #[test]
    fn ten_thousand_arrays_are_refused() {
        let mut deep = vec![0x81, 0xa4];
        deep.extend_from_slice(b"post");
        deep.extend(std::iter::repeat_n(0x91, 10_000));
        assert!(from_msgpack::<ClientEvent>(&deep).is_err());
    }
}
