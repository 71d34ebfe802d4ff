//! NATS: a room is a subject that its members subscribe to, a post is published to it. Core keeps nothing. JetStream keeps
//! what we keep: a stream in files, synced before the publisher's ack and before anybody has the message, and a consumer for
//! each member that could resume from a sequence; members do not ack, as ours do not.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use anyhow::{Error, bail, ensure};
use bytes::BytesMut;
use serde_json::json;

use super::adapter::{Adapter, Heard, Talk, find};
use super::server::Server;
use super::{Launch, MEMBERS, ROOMS, Side};
use crate::process::free_address;

/// Nobody is asked whether they are still there, and nobody is cut off for being slow: both cost, and neither is measured.
const CONFIGURATION: &str = include_str!("../../peers/nats.conf");
const JETSTREAM: &str = include_str!("../../peers/jetstream.conf");

pub fn launch(launch: &Launch<'_>) -> Result<Side, Error> {
    let (server, address) = start(launch, CONFIGURATION)?;
    Ok(Side { server, adapter: Box::new(Nats { address, keeps: false }) })
}

pub fn launch_jetstream(launch: &Launch<'_>) -> Result<Side, Error> {
    let (server, address) = start(launch, &format!("{CONFIGURATION}{JETSTREAM}"))?;
    make_streams(address)?;
    Ok(Side { server, adapter: Box::new(Nats { address, keeps: true }) })
}

fn start(launch: &Launch<'_>, configuration: &str) -> Result<(Server, SocketAddr), Error> {
    let address = free_address()?;
    let file = launch.folder.join("nats.conf");
    std::fs::write(&file, configuration.replace("ADDRESS", &address.to_string()).replace("FOLDER", &launch.folder.display().to_string()))?;
    let mut command = Command::new(launch.program);
    command.arg("--config").arg(file);
    let version = super::said(Command::new(launch.program).arg("--version"))?;
    Ok((Server::start(command, launch.folder, launch.cpus, address, version)?, address))
}

/// A stream for each room: each has its own sequence, as our rooms have.
fn make_streams(address: SocketAddr) -> Result<(), Error> {
    let mut talk = connect(address)?;
    talk.say(b"SUB answers 1\r\n")?;
    for room in 0..ROOMS {
        let stream = json!({
            "name": format!("room{room}"), "subjects": [format!("room.{room}")], "storage": "file", "retention": "limits", "num_replicas": 1,
        });
        ask(&mut talk, &format!("$JS.API.STREAM.CREATE.room{room}"), &stream)?;
    }
    Ok(())
}

/// One request of JetStream's interface, answered on the subject `answers`.
fn ask(talk: &mut Talk, subject: &str, request: &serde_json::Value) -> Result<(), Error> {
    let body = request.to_string();
    talk.say(format!("PUB {subject} answers {}\r\n{body}\r\n", body.len()).as_bytes())?;
    let whole = |buffer: &[u8]| {
        matches!(split(buffer), Ok(Some(_)) | Err(_))
            .then(|| split(buffer).map_or(buffer.len(), |frame| frame.map_or(0, |(length, _)| length)))
    };
    loop {
        let frame = talk.until("JetStream's answer", whole)?;
        match split(&frame)? {
            Some((_, Heard::Delivery(answer))) => {
                ensure!(find(answer, b"\"error\"").is_none(), "{subject} was refused: {}", String::from_utf8_lossy(answer));
                return Ok(());
            }
            Some((_, Heard::Ping(pong))) => talk.say(&pong)?,
            Some((_, Heard::Other)) => {}
            other => bail!("an answer was due, and {other:?} came"),
        }
    }
}

fn connect(address: SocketAddr) -> Result<Talk, Error> {
    let mut talk = Talk::open(address)?;
    talk.until_bytes(b"\r\n")?;
    talk.say(b"CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":false,\"protocol\":1,\"echo\":true}\r\n")?;
    flush(&mut talk)?;
    Ok(talk)
}

/// Everything before it has been taken in once the pong is there.
fn flush(talk: &mut Talk) -> Result<(), Error> {
    talk.say(b"PING\r\n")?;
    talk.until_bytes(b"PONG\r\n").map(drop)
}

/// The first protocol message: a line, and behind the line of a `MSG` so many bytes as it says.
fn split(bytes: &[u8]) -> Result<Option<(usize, Heard<'_>)>, Error> {
    let Some(line_bytes) = find(bytes, b"\r\n") else { return Ok(None) };
    let (line, start) = (&bytes[..line_bytes], line_bytes + 2);
    if line.starts_with(b"MSG ") {
        let length = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let length = length.iter().fold(0usize, |n, digit| n * 10 + usize::from(digit.wrapping_sub(b'0')));
        let Some(body) = bytes.get(start..start + length + 2) else { return Ok(None) };
        let body = &body[..length];
        let is_ack = body.starts_with(b"{\"stream\":");
        return Ok(Some((start + length + 2, if is_ack { Heard::Other } else { Heard::Delivery(body) })));
    }
    let heard = if line == b"PING" {
        Heard::Ping(b"PONG\r\n".to_vec())
    } else if line.starts_with(b"-ERR") {
        Heard::Refused(line)
    } else {
        Heard::Other
    };
    Ok(Some((start, heard)))
}

struct Nats {
    address: SocketAddr,
    keeps: bool,
}

impl Adapter for Nats {
    fn join(&mut self, member: usize) -> Result<(TcpStream, Vec<u8>), Error> {
        let (mut talk, room) = (connect(self.address)?, member / MEMBERS);
        if self.keeps {
            talk.say(format!("SUB answers.{member} 1\r\nSUB member.{member} 2\r\n").as_bytes())?;
            let consumer = json!({
                "stream_name": format!("room{room}"),
                "config": {
                    "deliver_subject": format!("member.{member}"), "deliver_policy": "new", "ack_policy": "none", "replay_policy": "instant",
                    "mem_storage": true, "inactive_threshold": 3_600_000_000_000u64, "max_deliver": 1,
                },
            });
            let answers = consumer.to_string();
            talk.say(format!("PUB $JS.API.CONSUMER.CREATE.room{room} answers.{member} {}\r\n{answers}\r\n", answers.len()).as_bytes())?;
            let answer = talk.until_bytes(b"}\r\n")?;
            ensure!(find(&answer, b"\"error\"").is_none(), "no consumer: {}", String::from_utf8_lossy(&answer));
        } else {
            talk.say(format!("SUB room.{room} 1\r\n").as_bytes())?;
        }
        flush(&mut talk)?;
        Ok(talk.into_parts())
    }

    fn split<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Heard<'a>)>, Error> {
        split(bytes)
    }

    fn post(&mut self, out: &mut BytesMut, room: usize, text: &str, _seen: u64) {
        let answers = if self.keeps { format!("answers.{} ", room * MEMBERS) } else { String::new() };
        out.extend_from_slice(format!("PUB room.{room} {answers}{}\r\n{text}\r\n", text.len()).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_whole_with_its_last_byte_and_an_ack_is_no_delivery() {
        let bytes = b"MSG room.1 1 5\r\nhello\r\nPING\r\n";
        assert_eq!(split(&bytes[..22]).unwrap(), None);
        assert_eq!(split(bytes).unwrap(), Some((23, Heard::Delivery(b"hello"))));
        assert_eq!(split(&bytes[23..]).unwrap(), Some((6, Heard::Ping(b"PONG\r\n".to_vec()))));
        assert_eq!(split(b"MSG answers.0 1 14\r\n{\"stream\":\"a\"}\r\n").unwrap(), Some((36, Heard::Other)));
        assert_eq!(split(b"-ERR 'no'\r\n").unwrap(), Some((11, Heard::Refused(b"-ERR 'no'"))));
    }
}
