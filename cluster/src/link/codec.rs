//! *Pure.* Frames to bytes and back: four bytes of length (big endian), then the frame in MessagePack.

use bytes::{Buf, BytesMut};
use schema::wire::{from_msgpack, to_msgpack};

use super::frame::Frame;

/// Of a whole frame, its length not counted.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// What a frame may carry, so that it fits with what stands around it.
pub const BODY_BYTES_MAX: usize = FRAME_BYTES_MAX - 256;
const LENGTH_BYTES: usize = 4;
/// What stays allocated when nothing is left over.
const KEPT_BYTES: usize = 64 << 10;

/// The other side broke the protocol: the connection is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes is longer than {FRAME_BYTES_MAX}")]
    TooLong(usize),
    #[error("a frame cannot be read: {0}")]
    Malformed(String),
    #[error("{0} has no place here")]
    OutOfPlace(&'static str),
    #[error("{over} bytes more were sent than was allowed")]
    OverCredit { over: usize },
}

pub fn encode(frame: &Frame, to: &mut Vec<u8>) {
    let bytes = to_msgpack(frame);
    debug_assert!(bytes.len() <= FRAME_BYTES_MAX, "bodies are bounded where they are taken");
    to.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    to.extend_from_slice(&bytes);
}

/// Whole frames out of bytes as they come.
#[derive(Default)]
pub struct Decoder {
    bytes: BytesMut,
}

impl Decoder {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// `None`: not whole yet. Errors: the rest is of no use.
    pub fn frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(length) = self.bytes.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > FRAME_BYTES_MAX {
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
    use crate::link::Answered;

    #[test]
    fn frames_come_out_as_they_went_in_wherever_the_bytes_are_cut() {
        let frames = [
            Frame::Ping {},
            Frame::Say { table: 7, body: Bytes::from_static(b"\x00\xff") },
            Frame::Answer { id: u64::MAX, table: 8, answered: Answered::Done(Bytes::from(vec![1; 300])) },
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
    fn a_frame_that_would_be_too_long_is_refused_before_it_is_there() {
        let mut decoder = Decoder::default();
        decoder.push(&(FRAME_BYTES_MAX as u32 + 1).to_be_bytes());
        assert_eq!(decoder.frame(), Err(FrameError::TooLong(FRAME_BYTES_MAX + 1)));
    }

    #[test]
    fn the_longest_body_fits_a_frame() {
        let (body, mut bytes) = (Bytes::from(vec![0xff; BODY_BYTES_MAX]), Vec::new());
        encode(&Frame::Ask { id: u64::MAX, table: u64::MAX, within_ms: u32::MAX, body }, &mut bytes);
        assert!(bytes.len() <= LENGTH_BYTES + FRAME_BYTES_MAX);
    }

    #[test]
    fn what_is_left_over_in_a_frame_is_refused() {
        let (mut bytes, mut decoder) = (Vec::new(), Decoder::default());
        encode(&Frame::Ping {}, &mut bytes);
        bytes.push(0xc0);
        bytes[3] += 1;
        decoder.push(&bytes);
        assert!(matches!(decoder.frame(), Err(FrameError::Malformed(_))));
    }
}
