//! The loop that is the same for all: a thousand sockets in one poll, one buffer to read into, no task and no thread. The
//! first member of a room posts, everybody counts. It never reconnects: a lost connection is a failed run.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Error, ensure};
use bytes::{Buf, BytesMut};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::adapter::{Adapter, Heard};
use super::report::Sample;
use super::room::Room;
use super::server::{self, Server};
use super::text::{self, Finder};
use super::{MEMBERS, ROOMS};
use crate::load::progress;

const READ_BYTES: usize = 256 * 1024;
/// So long nothing may come while something is due.
const SILENCE_MAX: Duration = Duration::from_secs(30);

struct Member {
    stream: TcpStream,
    /// The number of the last post it has.
    last: u64,
    /// The beginning of a frame.
    tail: Vec<u8>,
    out: BytesMut,
}

pub struct Crowd {
    poll: Poll,
    events: Events,
    /// Who has something to be read.
    ready: Vec<usize>,
    members: Vec<Member>,
    rooms: Vec<Room>,
    buffer: Vec<u8>,
    finder: Finder,
    text: String,
    deliveries: u64,
}

impl Crowd {
    /// Everybody comes in, one after the other.
    pub fn join(adapter: &mut dyn Adapter) -> Result<Self, Error> {
        let poll = Poll::new()?;
        let bar = progress("joining", ROOMS * MEMBERS);
        let mut members = Vec::with_capacity(ROOMS * MEMBERS);
        for number in 0..ROOMS * MEMBERS {
            let (stream, tail) = adapter.join(number).with_context(|| format!("member {number} cannot join"))?;
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            members.push(Member { stream, last: 0, tail, out: BytesMut::new() });
            bar.inc(1);
        }
        bar.finish_and_clear();
        let rooms = (0..ROOMS).map(|_| Room::default()).collect();
        let (events, buffer) = (Events::with_capacity(1024), vec![0; READ_BYTES]);
        Ok(Self { poll, events, ready: Vec::new(), members, rooms, buffer, finder: Finder::default(), text: String::new(), deliveries: 0 })
    }

    /// Keeps so many posts under way in every room for so long, and waits until the last is with everybody.
    pub fn turn(&mut self, adapter: &mut dyn Adapter, server: &Server, under_way: usize, seconds: f64) -> Result<Sample, Error> {
        let (before, cpu, own) = (self.deliveries, server.cpu_us()?, server::own_cpu_us()?);
        let (begun, mut heard_at) = (Instant::now(), Instant::now());
        let mut posting = true;
        loop {
            posting = posting && begun.elapsed().as_secs_f64() < seconds;
            if posting {
                self.post(adapter, under_way);
            } else if self.rooms.iter().all(|room| room.under_way() == 0) {
                break;
            }
            self.send()?;
            let so_far = self.deliveries;
            self.hear(adapter)?;
            if self.deliveries > so_far {
                heard_at = Instant::now();
            }
            let missing = || (self.deliveries, self.rooms.iter().map(|room| room.posted).sum::<u64>() * MEMBERS as u64);
            ensure!(heard_at.elapsed() < SILENCE_MAX, "silence: of all deliveries so far (came, due) {:?}", missing());
        }
        let seconds = begun.elapsed().as_secs_f64();
        let (server_cpu_us, own_cpu_us) = (server.cpu_us()? - cpu, server::own_cpu_us()? - own);
        Ok(Sample { deliveries: self.deliveries - before, seconds, server_cpu_us, own_cpu_us })
    }

    fn post(&mut self, adapter: &mut dyn Adapter, under_way: usize) {
        for (number, room) in self.rooms.iter_mut().enumerate() {
            while room.under_way() < under_way {
                room.posted += 1;
                text::write(&mut self.text, number, room.posted);
                let author = &mut self.members[number * MEMBERS];
                adapter.post(&mut author.out, number, &self.text, author.last);
            }
        }
    }

    /// All that waits, in one write a socket; what the kernel does not take waits for the next time.
    fn send(&mut self) -> Result<(), Error> {
        for member in self.members.iter_mut().step_by(MEMBERS).filter(|member| !member.out.is_empty()) {
            send(member)?;
        }
        Ok(())
    }

    fn hear(&mut self, adapter: &dyn Adapter) -> Result<(), Error> {
        match self.poll.poll(&mut self.events, Some(Duration::from_millis(100))) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let mut ready = std::mem::take(&mut self.ready);
        ready.extend(self.events.iter().map(|event| event.token().0));
        for number in ready.drain(..) {
            while self.read(adapter, number).with_context(|| format!("member {number}"))? {}
        }
        self.ready = ready;
        Ok(())
    }

    /// Reads once and takes the frames in it; whether there may be more.
    fn read(&mut self, adapter: &dyn Adapter, number: usize) -> Result<bool, Error> {
        let member = &mut self.members[number];
        let begun = member.tail.len();
        self.buffer[..begun].copy_from_slice(&member.tail);
        let count = match member.stream.read(&mut self.buffer[begun..]) {
            Ok(0) => anyhow::bail!("the server ended the connection"),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let (filled, room) = (begun + count, &mut self.rooms[number / MEMBERS]);
        let mut rest = &self.buffer[..filled];
        while let Some((length, heard)) = adapter.split(rest)? {
            match heard {
                Heard::Delivery(frame) => {
                    let (to, post) = self
                        .finder
                        .find(frame)
                        .with_context(|| format!("a delivery without a post's text: {}", String::from_utf8_lossy(frame)))?;
                    ensure!(to == number / MEMBERS, "a post to room {to} came to room {}", number / MEMBERS);
                    ensure!(post == member.last + 1, "post {post} came after {}", member.last);
                    ensure!(room.delivered(post), "post {post} was never sent, or came twice");
                    member.last = post;
                    self.deliveries += 1;
                }
                Heard::Ping(answer) => {
                    member.out.extend_from_slice(&answer);
                    send(member)?;
                }
                Heard::Refused(why) => anyhow::bail!("refused: {}", String::from_utf8_lossy(why)),
                Heard::Other => {}
            }
            rest = &rest[length..];
        }
        ensure!(rest.len() < READ_BYTES / 2, "a frame of more than {} bytes", READ_BYTES / 2);
        member.tail.clear();
        member.tail.extend_from_slice(rest);
        // A read that did not fill the buffer took all there was.
        Ok(filled == READ_BYTES)
    }
}

fn send(member: &mut Member) -> Result<(), Error> {
    while !member.out.is_empty() {
        match member.stream.write(&member.out) {
            Ok(count) => member.out.advance(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("a post cannot be sent"),
        }
    }
    Ok(())
}
