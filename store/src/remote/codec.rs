//! *Pure.* Frames to bytes and back: four bytes of length (big endian), then the frame in MessagePack.

use bytes::{Buf, BytesMut};
use schema::wire::{from_msgpack, to_msgpack};

use super::frame::Frame;
use crate::op::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

/// Of a whole frame, its length not counted: the largest row, and what stands around it.
pub const FRAME_BYTES_MAX: usize = VALUE_BYTES_MAX + KEY_BYTES_MAX + (64 << 10);
/// Before it is known who it is.
pub const GREETING_BYTES_MAX: usize = 1024;
const LENGTH_BYTES: usize = 4;
/// What stays allocated when nothing is left over.
const KEPT_BYTES: usize = 64 << 10;

/// The other side broke the protocol: the connection is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes is too long")]
    TooLong(usize),
    #[error("a frame cannot be read: {0}")]
    Malformed(String),
    #[error("{0} has no place here")]
    OutOfPlace(&'static str),
    #[error("{0}, which no node asks for")]
    Contract(&'static str),
    #[error("more is under way than may be")]
    OverWindow,
}

pub fn encode(frame: &Frame, to: &mut Vec<u8>) {
    let bytes = to_msgpack(frame);
    debug_assert!(bytes.len() <= FRAME_BYTES_MAX, "what is in a frame is bounded where it is taken");
    to.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    to.extend_from_slice(&bytes);
}

/// Whole frames out of bytes as they come.
pub struct Decoder {
    bytes: BytesMut,
    frame_bytes_max: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { bytes: BytesMut::new(), frame_bytes_max: GREETING_BYTES_MAX }
    }
}

impl Decoder {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The other side showed that it has the secret.
    pub fn trust(&mut self) {
        self.frame_bytes_max = FRAME_BYTES_MAX;
    }

    /// `None`: not whole yet. Errors: the rest is of no use.
    pub fn frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(length) = self.bytes.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > self.frame_bytes_max {
            return Err(FrameError::TooLong(length));
        }
        if self.bytes.len() < LENGTH_BYTES + length {
            return Ok(None);
        }
        self.bytes.advance(LENGTH_BYTES);
        let frame = self.bytes.split_to(length);
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT_BYTES {
            self.bytes = BytesMut::new();
        }
        from_msgpack(&frame).map(Some).map_err(|error| FrameError::Malformed(error.0))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::remote::frame::{Answered, Call, Expected, FoundRow, RowKey};

    #[test]
    fn frames_come_out_as_they_went_in_wherever_the_bytes_are_cut() {
        let key = RowKey { table: 1, partition: Bytes::from_static(b"\x00\xff"), sort: Bytes::new() };
        let frames = [
            Frame::Ping {},
            Frame::Ask { id: u64::MAX, within_ms: 7, call: Call::Get { key } },
            Frame::Answer { id: 1, answered: Answered::Row { row: None } },
        ];
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| encode(frame, &mut bytes));
        for step in 1..bytes.len() {
            let (mut decoder, mut out) = (Decoder::default(), Vec::new());
            for part in bytes.chunks(step) {
                decoder.push(part);
                while let Some(frame) = decoder.frame().unwrap() {
                    out.push(frame);
                }
            }
            assert_eq!(out, frames, "cut every {step} bytes");
        }
    }

    #[test]
    fn whoever_has_not_shown_the_secret_gets_no_room_for_a_long_frame() {
        let mut decoder = Decoder::default();
        decoder.push(&(GREETING_BYTES_MAX as u32 + 1).to_be_bytes());
        assert_eq!(decoder.frame(), Err(FrameError::TooLong(GREETING_BYTES_MAX + 1)));
        decoder.trust();
        assert_eq!(decoder.frame(), Ok(None));
        let mut decoder = Decoder::default();
        decoder.trust();
        decoder.push(&(FRAME_BYTES_MAX as u32 + 1).to_be_bytes());
        assert_eq!(decoder.frame(), Err(FrameError::TooLong(FRAME_BYTES_MAX + 1)));
    }

    #[test]
    fn the_largest_row_fits_a_frame_both_ways() {
        let row = Bytes::from(vec![0xff; VALUE_BYTES_MAX]);
        let key =
            RowKey { table: 1, partition: Bytes::from(vec![0xff; KEY_BYTES_MAX / 2]), sort: Bytes::from(vec![0xff; KEY_BYTES_MAX / 2]) };
        let sort = Bytes::from(vec![0xff; KEY_BYTES_MAX]);
        let put = Call::Put { key, value: row.clone(), expect: Expected::Version(u64::MAX) };
        let found = Answered::Rows { rows: vec![FoundRow { sort, value: row, stamp: u64::MAX }], more: true };
        for frame in [Frame::Ask { id: u64::MAX, within_ms: u32::MAX, call: put }, Frame::Answer { id: u64::MAX, answered: found }] {
            let mut bytes = Vec::new();
            encode(&frame, &mut bytes);
            assert!(bytes.len() <= LENGTH_BYTES + FRAME_BYTES_MAX);
        }
    }
}
