//! Bun's own publish and subscribe over WebSocket, which carries the uWebSockets engine: rooms are topics, a post is
//! published to everybody in the topic, the one who posts among them. Keeps nothing.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use anyhow::Error;
use bytes::BytesMut;

use super::adapter::{Adapter, Heard};
use super::server::Server;
use super::{Launch, MEMBERS, Side, websocket};
use crate::process::free_address;

const SCRIPT: &str = include_str!("../../peers/bun.js");

pub fn launch(launch: &Launch<'_>) -> Result<Side, Error> {
    let address = free_address()?;
    let script = launch.folder.join("server.js");
    std::fs::write(&script, SCRIPT)?;
    let mut command = Command::new(launch.program);
    command.arg("run").arg(script).env("PORT", address.port().to_string());
    let version = super::said(Command::new(launch.program).arg("--version"))?;
    let server = Server::start(command, launch.folder, launch.cpus, address, version)?;
    Ok(Side { server, adapter: Box::new(Bun { address }) })
}

struct Bun {
    address: SocketAddr,
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

    fn post(&mut self, out: &mut BytesMut, _room: usize, text: &str, _seen: u64) {
        websocket::write(out, text.as_bytes());
    }
}
