//! TLS of a parked connection: rustls driven by the lot, on the same non-blocking socket.
//!
//! The handshake is done before, by tokio-rustls. What rustls could not write yet counts as written: `flush` says
//! whether all of it has left.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;

use rustls::ServerConnection;

/// Encrypted bytes that may wait inside rustls; what is beyond stays in the connection's outbox, where it is counted.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug)]
pub struct Session(ServerConnection);

impl Session {
    pub fn new(mut connection: ServerConnection) -> Self {
        connection.set_buffer_limit(Some(BUFFER_BYTES_MAX));
        Self(connection)
    }

    /// As `Read::read` on a non-blocking socket; 0: the peer sends no more.
    pub fn read(&mut self, socket: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        let mut socket = socket;
        loop {
            match self.0.reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            if self.0.read_tls(&mut socket)? == 0 {
                return Ok(0);
            }
            let processed = self.0.process_new_packets();
            self.flush(socket)?;
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
    }

    pub fn write(&mut self, socket: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if !self.flush(socket)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let written = self.0.writer().write_vectored(slices)?;
        self.flush(socket)?;
        Ok(written)
    }

    /// Has everything left?
    pub fn flush(&mut self, socket: &TcpStream) -> io::Result<bool> {
        let mut socket = socket;
        while self.0.wants_write() {
            match self.0.write_tls(&mut socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    pub fn has_left(&self) -> bool {
        !self.0.wants_write()
    }

    pub fn say_goodbye(&mut self, socket: &TcpStream) -> io::Result<bool> {
        self.0.send_close_notify();
        self.flush(socket)
    }
}
