//! TLS of one connection, from its first byte to its last: rustls without buffers of its own, driven over any
//! non-blocking socket. `tls_stream` uses it until the handshake of the WebSocket is done, a lot from then on.
//!
//! Bytes are kept here only while a record is unfinished, or until the kernel takes them: an idle connection keeps its keys
//! and nothing else. (rustls' buffered connection keeps 4 KiB of its last read for ever.)

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic};

/// Encrypted bytes that may wait here; what is beyond stays in the connection's outbox, where it is counted.
const OUTGOING_BYTES_MAX: usize = 64 * 1024;
/// Of what came and is not whole: a record, or a handshake message over several; no honest client's is larger.
const INCOMING_BYTES_MAX: usize = 64 * 1024;
const READ_BYTES: usize = 4096;
/// What a record adds to its content, at most (RFC 5246, 6.2.3), and the content of one.
const RECORD_EXTRA_BYTES: usize = 512;
const RECORD_BYTES_MAX: usize = 16 * 1024;

pub struct Session {
    connection: UnbufferedServerConnection,
    /// Came in, and is no whole record yet.
    incoming: Vec<u8>,
    /// Decrypted, from `taken` on not taken yet.
    plain: Vec<u8>,
    taken: usize,
    /// Encrypted, from `sent` on not sent yet.
    outgoing: Vec<u8>,
    sent: usize,
    /// The peer sends no more.
    ended: bool,
}

impl Session {
    pub fn new(config: Arc<ServerConfig>) -> io::Result<Self> {
        let connection = UnbufferedServerConnection::new(config).map_err(invalid)?;
        Ok(Self { connection, incoming: Vec::new(), plain: Vec::new(), taken: 0, outgoing: Vec::new(), sent: 0, ended: false })
    }

    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// As `Read::read` on a non-blocking socket; 0: the peer sends no more.
    pub fn read(&mut self, mut socket: impl Read + Write, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.plain.is_empty() {
                return Ok(self.take(into));
            }
            if self.ended || self.fill(&mut socket)? == 0 {
                return Ok(0);
            }
        }
    }

    /// Reads from the socket once, and answers what the peer's handshake asks for. 0: the peer sends no more.
    pub fn fill(&mut self, mut socket: impl Read + Write) -> io::Result<usize> {
        let kept = self.incoming.len();
        if kept > INCOMING_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a TLS message of the peer is too large"));
        }
        self.incoming.resize(kept + READ_BYTES, 0);
        let read = socket.read(&mut self.incoming[kept..]);
        self.incoming.truncate(kept + *read.as_ref().unwrap_or(&0));
        let processed = if matches!(read, Ok(1..)) { self.process() } else { Ok(()) };
        if self.incoming.is_empty() {
            self.incoming = Vec::new();
        }
        // An alert goes out before its reason is told here.
        self.flush(&mut socket)?;
        processed.map_err(invalid)?;
        read
    }

    pub fn write(&mut self, mut socket: impl Write, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if !self.flush(&mut socket)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        // Small ones share a record.
        let joined;
        let content = match slices {
            [one] => &one[..one.len().min(OUTGOING_BYTES_MAX)],
            many => {
                let bytes = many.iter().flat_map(|slice| slice.iter().copied());
                joined = bytes.take(OUTGOING_BYTES_MAX).collect::<Vec<u8>>();
                &joined[..]
            }
        };
        self.encrypt(content)?;
        self.flush(&mut socket)?;
        Ok(content.len())
    }

    /// Has everything left?
    pub fn flush(&mut self, mut socket: impl Write) -> io::Result<bool> {
        while self.sent < self.outgoing.len() {
            match socket.write(&self.outgoing[self.sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        (self.outgoing, self.sent) = (Vec::new(), 0);
        Ok(true)
    }

    pub fn has_left(&self) -> bool {
        self.outgoing.is_empty()
    }

    pub fn say_goodbye(&mut self, socket: impl Write) -> io::Result<bool> {
        self.when_writable(RECORD_EXTRA_BYTES, |mut traffic, room| traffic.queue_close_notify(room))?;
        self.flush(socket)
    }

    fn take(&mut self, into: &mut [u8]) -> usize {
        let rest = &self.plain[self.taken..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        if self.taken == self.plain.len() {
            (self.plain, self.taken) = (Vec::new(), 0);
        }
        count
    }

    /// Takes all whole records out of what came.
    fn process(&mut self) -> Result<(), rustls::Error> {
        loop {
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(&mut self.incoming);
            let step = match state {
                Ok(ConnectionState::WriteTraffic(_)) => Ok(false),
                Ok(state) => Ok(step(state, &mut self.plain, &mut self.outgoing, &mut self.ended)?),
                Err(error) => Err(error),
            };
            self.incoming.drain(..discard);
            match step {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    self.encode_alert();
                    return Err(error);
                }
            }
        }
    }

    /// What rustls has to say about a breach, once: asked again it would look at the breach again.
    fn encode_alert(&mut self) {
        let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut self.incoming);
        if let Ok(ConnectionState::EncodeTlsData(mut data)) = state {
            encode(&mut self.outgoing, |room| data.encode(room));
        }
    }

    fn encrypt(&mut self, content: &[u8]) -> io::Result<()> {
        let records = content.len().div_ceil(RECORD_BYTES_MAX);
        self.when_writable(content.len() + records * RECORD_EXTRA_BYTES, |mut traffic, room| traffic.encrypt(content, room))
    }

    /// Lets `write` put up to `room_bytes` behind what is to be sent.
    fn when_writable(
        &mut self,
        room_bytes: usize,
        write: impl FnOnce(WriteTraffic<'_, ServerConnectionData>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> io::Result<()> {
        loop {
            // With what came, however little: rustls remembers how far it looked into that.
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(&mut self.incoming);
            let state = match state.map_err(invalid)? {
                ConnectionState::WriteTraffic(traffic) => {
                    let begin = self.outgoing.len();
                    self.outgoing.resize(begin + room_bytes, 0);
                    let written = write(traffic, &mut self.outgoing[begin..]);
                    self.outgoing.truncate(begin + *written.as_ref().unwrap_or(&0));
                    self.incoming.drain(..discard);
                    return written.map(drop).map_err(io::Error::other);
                }
                state => state,
            };
            let goes_on = step(state, &mut self.plain, &mut self.outgoing, &mut self.ended).map_err(invalid)?;
            self.incoming.drain(..discard);
            if !goes_on {
                return Err(io::ErrorKind::NotConnected.into());
            }
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Does what rustls asks for; false: it asks for more bytes, or for nothing any more.
fn step(
    state: ConnectionState<'_, '_, ServerConnectionData>,
    plain: &mut Vec<u8>,
    outgoing: &mut Vec<u8>,
    ended: &mut bool,
) -> Result<bool, rustls::Error> {
    match state {
        ConnectionState::ReadTraffic(mut traffic) => {
            while let Some(record) = traffic.next_record() {
                // Its `discard` is always 0: rustls decrypts into memory of its own.
                plain.extend_from_slice(record?.payload);
            }
        }
        ConnectionState::EncodeTlsData(mut data) => encode(outgoing, |room| data.encode(room)),
        ConnectionState::TransmitTlsData(data) => data.done(),
        ConnectionState::PeerClosed => *ended = true,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Puts a handshake record behind what is to be sent.
fn encode(outgoing: &mut Vec<u8>, mut encode: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>) {
    let begin = outgoing.len();
    if let Err(EncodeError::InsufficientSize(short)) = encode(&mut []) {
        outgoing.resize(begin + short.required_size, 0);
        let written = encode(&mut outgoing[begin..]).unwrap_or(0);
        outgoing.truncate(begin + written);
    }
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
