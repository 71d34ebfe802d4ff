//! Pure. One WebSocket frame (RFC 6455, 5.2): the head that a client sends, the frame that we send, close bodies (5.5.1).
//!
//! No extension is ever agreed on, so a reserved bit is always wrong. Frames of a message are put together in `parser`.

use bytes::BufMut;
use schema::CloseCode;

/// The longest head of a client's frame: 2 bytes, 8 of length, 4 of mask.
pub const HEAD_BYTES_MAX: usize = 14;
pub const CONTROL_BYTES_MAX: usize = 125;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    pub fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// What a client may not do; each has its close code, and a sentence for whoever wrote the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("{0}")]
    Protocol(&'static str),
    #[error("a text message is not UTF-8")]
    BadText,
    #[error("the message is larger than the limit")]
    TooBig,
    #[error("the message has too many fragments")]
    TooManyFragments,
}

impl Violation {
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::Protocol(_) => CloseCode::Protocol,
            Self::BadText => CloseCode::BadText,
            Self::TooBig => CloseCode::TooBig,
            Self::TooManyFragments => CloseCode::Policy,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub fin: bool,
    pub opcode: Opcode,
    pub mask: [u8; 4],
    pub payload_bytes: u64,
}

/// The head at the start of `bytes` and its length; `None`: more bytes are needed. Refuses as soon as it can be known.
pub fn read_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, Violation> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(Violation::Protocol("a reserved bit is set, but no extension was agreed on"));
    }
    let fin = first & 0x80 != 0;
    let opcode = match first & 0x0f {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        _ => return Err(Violation::Protocol("an unknown opcode")),
    };
    if opcode.is_control() && !fin {
        return Err(Violation::Protocol("a control frame is fragmented"));
    }
    let Some(&second) = bytes.get(1) else { return Ok(None) };
    if second & 0x80 == 0 {
        return Err(Violation::Protocol("a client's frame is not masked"));
    }
    let short = second & 0x7f;
    if opcode.is_control() && usize::from(short) > CONTROL_BYTES_MAX {
        return Err(Violation::Protocol("a control frame has more than 125 bytes"));
    }
    let extended = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some(length) = bytes.get(2..2 + extended) else { return Ok(None) };
    let payload_bytes = if extended == 0 { u64::from(short) } else { length.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)) };
    let least = [0, 126, 1 << 16][extended.div_ceil(4)];
    if payload_bytes >> 63 != 0 {
        return Err(Violation::Protocol("a 64-bit length has its top bit set"));
    }
    if payload_bytes < least {
        return Err(Violation::Protocol("a length takes more bytes than it needs"));
    }
    let Some(mask) = bytes.get(2 + extended..6 + extended) else { return Ok(None) };
    let mask = [mask[0], mask[1], mask[2], mask[3]];
    Ok(Some((Head { fin, opcode, mask, payload_bytes }, 6 + extended)))
}

/// Appends a whole, unmasked frame.
pub fn write_frame(out: &mut impl BufMut, opcode: Opcode, payload: &[u8]) {
    write_head(out, opcode, payload.len());
    out.put_slice(payload);
}

/// Appends the head of an unmasked frame: so many bytes follow.
pub fn write_head(out: &mut impl BufMut, opcode: Opcode, payload_bytes: usize) {
    out.put_u8(0x80 | opcode as u8);
    match payload_bytes {
        length @ 0..=125 => out.put_u8(length as u8),
        length @ 126..=0xffff => {
            out.put_u8(126);
            out.put_u16(length as u16);
        }
        length => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
}

/// How many bytes `write_frame` appends.
pub fn frame_bytes(payload_bytes: usize) -> usize {
    payload_bytes
        + match payload_bytes {
            0..=125 => 2,
            126..=0xffff => 4,
            _ => 10,
        }
}

/// Appends a close frame with a sentence; cut to what fits, on a character's edge.
pub fn write_close(out: &mut impl BufMut, code: u16, sentence: &str) {
    let mut body = Vec::with_capacity(CONTROL_BYTES_MAX);
    body.put_u16(code);
    body.put_slice(&sentence.as_bytes()[..sentence.floor_char_boundary(CONTROL_BYTES_MAX - 2)]);
    write_frame(out, Opcode::Close, &body);
}

/// The code in a close frame's body; `None`: the body is empty.
pub fn read_close(body: &[u8]) -> Result<Option<u16>, Violation> {
    let [high, low, sentence @ ..] = body else {
        return if body.is_empty() { Ok(None) } else { Err(Violation::Protocol("a close frame has half a code")) };
    };
    let code = u16::from_be_bytes([*high, *low]);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol("a close code that may not be sent"));
    }
    if std::str::from_utf8(sentence).is_err() {
        return Err(Violation::BadText);
    }
    Ok(Some(code))
}
