//! What the loop has to know of a server's language: how a member gets in, where a frame ends, how one posts. Everything
//! else (counting, pacing, checking) is the same for all and not in here.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Error, ensure};
use bytes::BytesMut;

/// What one frame was.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// Has a post's text somewhere in it.
    Delivery(&'a [u8]),
    /// Wants this answer.
    Ping(Vec<u8>),
    /// Something was not done as asked.
    Refused(&'a [u8]),
    Other,
}

pub trait Adapter {
    /// The connection of one member, signed on and in its room, and what was read beyond that. Blocks.
    fn join(&mut self, member: usize) -> Result<(TcpStream, Vec<u8>), Error>;

    /// The length of the first frame, and what it is; `None` until it is whole.
    fn split<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Heard<'a>)>, Error>;

    /// Appends a post to what the first member of a room sends, who has so many of the room's posts.
    fn post(&mut self, out: &mut BytesMut, room: usize, text: &str, seen: u64);
}

/// Patience with a server while a member joins.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A conversation before the loop takes over: blocking, a line or a frame at a time.
pub struct Talk {
    pub stream: TcpStream,
    pub buffer: Vec<u8>,
}

impl Talk {
    pub fn open(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).context("cannot connect")?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    pub fn say(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Reads until `find` finds the end of something in what came, and gives that.
    pub fn until(&mut self, what: &str, find: impl Fn(&[u8]) -> Option<usize>) -> Result<Vec<u8>, Error> {
        loop {
            if let Some(end) = find(&self.buffer) {
                return Ok(self.buffer.drain(..end).collect());
            }
            let mut more = [0; 16 * 1024];
            let read = match self.stream.read(&mut more) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.with_context(|| format!("{what} did not come; so far {:?}", self.heard())),
            };
            let count = read?;
            ensure!(count > 0, "the connection ended before {what}; so far {:?}", self.heard());
            self.buffer.extend_from_slice(&more[..count]);
        }
    }

    /// Reads until these bytes, and gives everything up to their end.
    pub fn until_bytes(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let what = String::from_utf8_lossy(bytes).into_owned();
        self.until(&what, |buffer| find(buffer, bytes).map(|at| at + bytes.len()))
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.buffer).chars().take(500).collect()
    }

    pub fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.buffer)
    }
}

/// Where `needle` begins.
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}
