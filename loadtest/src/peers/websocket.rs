//! WebSocket for the adapters: a blocking handshake, and frames where they lie. Answers pings; refuses what no server that
//! is measured here sends (fragments, masks).

use std::net::SocketAddr;

use anyhow::{Error, bail, ensure};
use bytes::BytesMut;

use super::adapter::{Heard, Talk};
use crate::client::frame;

const CLOSE: u8 = 8;
const PING: u8 = 9;

/// Connects and shakes hands.
pub fn open(address: SocketAddr, path: &str) -> Result<Talk, Error> {
    let mut talk = Talk::open(address)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {}\r\n\r\n",
        fastwebsockets::handshake::generate_key(),
    );
    talk.say(request.as_bytes())?;
    let head = talk.until_bytes(b"\r\n\r\n")?;
    ensure!(head.starts_with(b"HTTP/1.1 101"), "no WebSocket: {:?}", String::from_utf8_lossy(&head));
    Ok(talk)
}

/// The first frame: its length, and its text if it is one.
pub fn split(bytes: &[u8]) -> Result<Option<(usize, Heard<'_>)>, Error> {
    let Some(head) = frame::head_of(bytes)? else { return Ok(None) };
    let length = head.head_bytes + head.body_bytes;
    let Some(body) = bytes.get(head.head_bytes..length) else { return Ok(None) };
    ensure!(head.fin, "a fragment of a message");
    let heard = match head.opcode {
        frame::TEXT | frame::BINARY => Heard::Delivery(body),
        CLOSE => bail!("the server closed the connection: {:?}", String::from_utf8_lossy(body)),
        PING => {
            let mut pong = BytesMut::new();
            frame::write(&mut pong, frame::PONG, body, rand::random());
            Heard::Ping(pong.to_vec())
        }
        _ => Heard::Other,
    };
    Ok(Some((length, heard)))
}

/// Appends a text.
pub fn write(out: &mut BytesMut, text: &[u8]) {
    frame::write(out, frame::TEXT, text, rand::random());
}

/// Reads the next text before the loop takes over.
pub fn read(talk: &mut Talk, what: &str) -> Result<Vec<u8>, Error> {
    let whole = |buffer: &[u8]| match split(buffer) {
        Ok(Some((length, _))) => Some(length),
        Ok(None) => None,
        Err(_) => Some(buffer.len()),
    };
    let frame = talk.until(what, whole)?;
    match split(&frame)? {
        Some((_, Heard::Delivery(body))) => Ok(body.to_vec()),
        other => bail!("{what} was due, and {other:?} came"),
    }
}
