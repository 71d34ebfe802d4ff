//! Bun's own publish and subscribe over WebSocket, which carries the uWebSockets engine: rooms are topics, a post is
//! published to everybody in the topic, the one who posts among them. Keeps nothing.
//!
//! Once more with our bytes: what is posted is then the text in an event of ours, so that both send the same to everybody.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use anyhow::Error;
use bytes::BytesMut;
use schema::event::{Event, EventBody, Message};
use schema::{Cmid, RoomId, ServerEvent, UserId};
use uuid::Uuid;

use super::adapter::{Adapter, Heard};
use super::server::Server;
use super::{Launch, MEMBERS, Side, websocket};
use crate::process::free_address;

const SCRIPT: &str = include_str!("../../peers/bun.js");

pub fn launch(launch: &Launch<'_>) -> Result<Side, Error> {
    start(launch, Body::Text)
}

pub fn launch_with_our_bytes(launch: &Launch<'_>) -> Result<Side, Error> {
    start(launch, Body::Event(Uuid::now_v7()))
}

fn start(launch: &Launch<'_>, body: Body) -> Result<Side, Error> {
    let address = free_address()?;
    let script = launch.folder.join("server.js");
    std::fs::write(&script, SCRIPT)?;
    let mut command = Command::new(launch.program);
    command.arg("run").arg(script).env("PORT", address.port().to_string());
    let version = super::said(Command::new(launch.program).arg("--version"))?;
    let server = Server::start(command, launch.folder, launch.cpus, address, version)?;
    Ok(Side { server, adapter: Box::new(Bun { address, body }) })
}

struct Bun {
    address: SocketAddr,
    body: Body,
}

/// What a post is.
enum Body {
    Text,
    /// The text as our node would send it; the id is everybody's and everything's.
    Event(Uuid),
}

impl Adapter for Bun {
    fn join(&mut self, member: usize) -> Result<(TcpStream, Vec<u8>), Error> {
        let mut talk = websocket::open(self.address, &format!("/?room={}", member / MEMBERS))?;
        websocket::read(&mut talk, "the word that the topic is joined")?;
        Ok(talk.into_parts())
    }

    fn split<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Heard<'a>)>, Error> {
        websocket::split(bytes)
    }

    fn post(&mut self, out: &mut BytesMut, _room: usize, text: &str, seen: u64) {
        match self.body {
            Body::Text => websocket::write(out, text.as_bytes()),
            Body::Event(id) => {
                let at = id.get_timestamp().map_or(0, |made| made.to_unix().0 * 1000);
                let body = EventBody::Message(Message { text: text.to_owned(), reply: None, origin: None });
                let (seq, ordinal) = (seen + 2, seen + 1);
                let event = Event { room: RoomId(id), seq, ordinal, at, user: UserId(id), cmid: Cmid(id), body };
                websocket::write(out, &schema::wire::to_json(&ServerEvent::Event(event)));
            }
        }
    }
}
