//! One WebSocket: the handshake and its bytes. No task and no lock of its own: whoever holds it drives it, and every
//! await in it may be dropped without losing a byte.

use std::io;

use bytes::{Buf, BytesMut};
use schema::wire::Format;
use schema::{ClientEvent, ServerEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};

use super::frame::{self, Incoming, Message};
use super::{Error, Stream, Target};

const HEAD_BYTES_MAX: usize = 16 * 1024;
const READ_BYTES: usize = 16 * 1024;

/// What came in.
#[derive(Debug)]
pub enum Heard {
    Event(Box<ServerEvent>),
    /// The node closed, with this code.
    Closed(u16),
}

#[derive(Debug)]
pub struct Socket {
    stream: Stream,
    format: Format,
    incoming: Incoming,
    out: BytesMut,
}

impl Socket {
    /// Connects and shakes hands. Errors: the node is not there, or answers something else than 101.
    pub async fn open(target: Target, format: Format) -> Result<Self, Error> {
        let mut stream = target.connect().await?;
        let request = format!(
            "GET /v1/ws?level={} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
            schema::limits::LEVEL,
            target.host(),
            fastwebsockets::handshake::generate_key(),
            format.subprotocol(),
        );
        stream.write_all(request.as_bytes()).await.map_err(Error::Lost)?;
        stream.flush().await.map_err(Error::Lost)?;
        let mut incoming = Incoming::default();
        let head = read_head(&mut stream, &mut incoming.buffer).await?;
        accepted(&head, format)?;
        Ok(Self { stream, format, incoming, out: BytesMut::new() })
    }

    /// Puts an event after the bytes that wait to be sent; `turn` sends them.
    pub fn push(&mut self, event: &ClientEvent) {
        let opcode = if self.format == Format::Json { frame::TEXT } else { frame::BINARY };
        frame::write(&mut self.out, opcode, &self.format.encode(event), rand::random());
    }

    /// Bytes that wait to be sent.
    pub fn waiting_bytes(&self) -> usize {
        self.out.len()
    }

    /// Waits until bytes came or went, then gives the next event that is whole, if any.
    pub async fn turn(&mut self) -> Result<Option<Heard>, Error> {
        if let Some(heard) = self.heard()? {
            return Ok(Some(heard));
        }
        let interest =
            if self.out.is_empty() && !self.stream.is_behind() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
        let ready = self.stream.ready(interest).await.map_err(Error::Lost)?;
        if ready.is_writable() && (!self.out.is_empty() || self.stream.is_behind()) {
            match self.stream.try_write(&self.out) {
                Ok(sent) => self.out.advance(sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(Error::Lost(error)),
            }
        }
        if ready.is_readable() {
            self.incoming.buffer.reserve(READ_BYTES);
            match self.stream.try_read_buf(&mut self.incoming.buffer) {
                Ok(0) => return Err(Error::Lost(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(Error::Lost(error)),
            }
        }
        self.heard()
    }

    /// The next whole event that has come in already.
    pub fn heard(&mut self) -> Result<Option<Heard>, Error> {
        while let Some(message) = self.incoming.next_message()? {
            match message {
                Message::Text(body) | Message::Binary(body) => {
                    let event = self.format.decode(&body).map_err(|error| Error::Event(error.0))?;
                    return Ok(Some(Heard::Event(Box::new(event))));
                }
                Message::Ping(body) => frame::write(&mut self.out, frame::PONG, &body, rand::random()),
                Message::Pong => {}
                Message::Close(code) => return Ok(Some(Heard::Closed(code))),
            }
        }
        if self.incoming.buffer.is_empty() {
            self.incoming.buffer = BytesMut::new();
        }
        Ok(None)
    }

    /// Says goodbye, as far as the kernel takes it at once, and lets the connection go.
    pub fn close(mut self) {
        frame::write(&mut self.out, frame::CLOSE, &1000u16.to_be_bytes(), rand::random());
        self.stream.try_write(&self.out).ok();
    }

    /// For readers that look at raw bytes themselves: the stream, and what of it was read already.
    pub fn into_raw(self) -> (Stream, BytesMut) {
        (self.stream, self.incoming.buffer)
    }
}

async fn read_head(stream: &mut Stream, buffer: &mut BytesMut) -> Result<String, Error> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = buffer.split_to(end + 4);
            return Ok(String::from_utf8_lossy(&head).into_owned());
        }
        if buffer.len() > HEAD_BYTES_MAX {
            return Err(Error::Http("the head of the answer is larger than 16 KiB".to_owned()));
        }
        if stream.read_buf(buffer).await.map_err(Error::Lost)? == 0 {
            return Err(Error::Lost(io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

fn accepted(head: &str, format: Format) -> Result<(), Error> {
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    if status != 101 {
        return Err(Error::Status { path: "/v1/ws".to_owned(), status });
    }
    let spoken = head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"));
    if spoken.map(|(_, value)| value.trim()) != Some(format.subprotocol()) {
        return Err(Error::Http(format!("the node does not speak {}", format.subprotocol())));
    }
    Ok(())
}
