//! Pure. WebSocket frames (RFC 6455, 5.2) from a client's side: what a node sent, whole messages at a time, and what we
//! send, masked. Resumable at any byte. Not a conformance tool: of what a node may do wrong it names what would
//! otherwise be misread.

use bytes::{Buf, Bytes, BytesMut};

/// Larger than anything that a node sends; a length above it means that we have lost the frame boundary.
const MESSAGE_BYTES_MAX: usize = 32 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Text(Bytes),
    Binary(Bytes),
    Ping(Bytes),
    Pong,
    /// With the close code, 1005 when there was none.
    Close(u16),
}

/// Why the bytes of a node are not frames.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node broke RFC 6455: {0}")]
pub struct Breach(pub &'static str);

/// Bytes that came in, and the fragments of an unfinished message.
#[derive(Debug, Default)]
pub struct Incoming {
    pub buffer: BytesMut,
    fragments: Option<(u8, Vec<u8>)>,
}

/// The first bytes of a frame: where its body begins and how long it is.
#[derive(Debug)]
pub(crate) struct Head {
    pub fin: bool,
    pub opcode: u8,
    pub head_bytes: usize,
    pub body_bytes: usize,
}

impl Incoming {
    /// With bytes that were read before.
    pub fn after(buffer: BytesMut) -> Self {
        Self { buffer, fragments: None }
    }

    /// The next whole message, or `None` until more bytes are there.
    pub fn next_message(&mut self) -> Result<Option<Message>, Breach> {
        loop {
            let Some(head) = head_of(&self.buffer)? else { return Ok(None) };
            if self.buffer.len() < head.head_bytes + head.body_bytes {
                return Ok(None);
            }
            self.buffer.advance(head.head_bytes);
            let body = self.buffer.split_to(head.body_bytes).freeze();
            if let Some(message) = self.take(head.fin, head.opcode, body)? {
                return Ok(Some(message));
            }
        }
    }

    fn take(&mut self, fin: bool, opcode: u8, body: Bytes) -> Result<Option<Message>, Breach> {
        match (opcode, self.fragments.as_mut()) {
            (1 | 2, Some(_)) => Err(Breach("a new message inside of a fragmented one")),
            (1 | 2, None) if fin => Ok(Some(data(opcode, body))),
            (1 | 2, None) => {
                self.fragments = Some((opcode, body.to_vec()));
                Ok(None)
            }
            (0, None) => Err(Breach("a continuation of nothing")),
            (0, Some((_, so_far))) => {
                if so_far.len() + body.len() > MESSAGE_BYTES_MAX {
                    return Err(Breach("a message larger than 32 MiB"));
                }
                so_far.extend_from_slice(&body);
                Ok(if fin { self.fragments.take().map(|(opcode, whole)| data(opcode, whole.into())) } else { None })
            }
            (8, _) => Ok(Some(Message::Close(body.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]))))),
            (9, _) => Ok(Some(Message::Ping(body))),
            (10, _) => Ok(Some(Message::Pong)),
            _ => Err(Breach("an unknown opcode")),
        }
    }
}

fn data(opcode: u8, body: Bytes) -> Message {
    if opcode == 1 { Message::Text(body) } else { Message::Binary(body) }
}

/// `None` until it is whole.
pub(crate) fn head_of(bytes: &[u8]) -> Result<Option<Head>, Breach> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(Breach("reserved bits are set"));
    }
    if second & 0x80 != 0 {
        return Err(Breach("a node must not mask"));
    }
    let (length_bytes, body_bytes) = match second & 0x7f {
        126 => match rest {
            [a, b, ..] => (2, u64::from(u16::from_be_bytes([*a, *b]))),
            _ => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (8, u64::from_be_bytes(*length)),
            None => return Ok(None),
        },
        short => (0, u64::from(short)),
    };
    if body_bytes > MESSAGE_BYTES_MAX as u64 {
        return Err(Breach("a frame larger than 32 MiB"));
    }
    Ok(Some(Head { fin: first & 0x80 != 0, opcode: first & 0x0f, head_bytes: 2 + length_bytes, body_bytes: body_bytes as usize }))
}

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PONG: u8 = 10;

/// Appends one masked, final frame.
pub fn write(out: &mut BytesMut, opcode: u8, payload: &[u8], mask: [u8; 4]) {
    out.reserve(payload.len() + 14);
    out.extend_from_slice(&[0x80 | opcode]);
    match payload.len() {
        short @ 0..=125 => out.extend_from_slice(&[0x80 | short as u8]),
        middle @ 126..=0xffff => {
            out.extend_from_slice(&[0x80 | 126]);
            out.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            out.extend_from_slice(&[0x80 | 127]);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    let start = out.len();
    out.extend_from_slice(payload);
    fastwebsockets::unmask(&mut out[start..], mask);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unmasked(opcode: u8, fin: bool, body: &[u8]) -> Vec<u8> {
        let mut frame = vec![if fin { 0x80 | opcode } else { opcode }];
        match body.len() {
            short @ 0..=125 => frame.push(short as u8),
            middle => {
                frame.push(126);
                frame.extend_from_slice(&(middle as u16).to_be_bytes());
            }
        }
        frame.extend_from_slice(body);
        frame
    }

    #[test]
    fn messages_are_whole_however_the_bytes_are_cut() {
        let long = vec![b'x'; 300];
        let mut stream = unmasked(1, true, b"one");
        stream.extend(unmasked(2, false, b"tw"));
        stream.extend(unmasked(9, true, b"?"));
        stream.extend(unmasked(0, true, b"o"));
        stream.extend(unmasked(1, true, &long));
        stream.extend(unmasked(8, true, &4000u16.to_be_bytes()));
        for cut in 1..stream.len() {
            let mut incoming = Incoming::default();
            let mut got = Vec::new();
            for piece in stream.chunks(cut) {
                incoming.buffer.extend_from_slice(piece);
                while let Some(message) = incoming.next_message().unwrap() {
                    got.push(message);
                }
            }
            let expected = [
                Message::Text("one".into()),
                Message::Ping("?".into()),
                Message::Binary("two".into()),
                Message::Text(long.clone().into()),
                Message::Close(4000),
            ];
            assert_eq!(got, expected, "cut into {cut}");
        }
    }

    #[test]
    fn a_masked_frame_from_a_node_is_a_breach() {
        let mut incoming = Incoming::default();
        write(&mut incoming.buffer, TEXT, b"hi", [1, 2, 3, 4]);
        assert_eq!(incoming.next_message(), Err(Breach("a node must not mask")));
    }

    #[test]
    fn what_is_written_is_masked_and_of_the_right_length() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let mut out = BytesMut::new();
            write(&mut out, BINARY, &vec![7; length], [9, 8, 7, 6]);
            let extra = match length {
                0..=125 => 0,
                126..=65_535 => 2,
                _ => 8,
            };
            assert_eq!(out.len(), 6 + extra + length);
            assert_eq!(out.last().copied(), if length == 0 { Some(6) } else { Some(7 ^ [9, 8, 7, 6][(length - 1) % 4]) });
        }
    }
}
