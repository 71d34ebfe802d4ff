//! Socket.IO on Node, with its usual WebSocket engine: rooms are its own, a post is emitted to all in the room. Keeps nothing.
//! On the wire: Engine.IO 4 (`0` open, `2` ping, `3` pong, `4` message), in it Socket.IO 5 (`0` connect, `2` event).

use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use anyhow::{Context, Error, ensure};
use bytes::BytesMut;

use super::adapter::{Adapter, Heard};
use super::server::Server;
use super::{Launch, MEMBERS, Side, websocket};
use crate::process::free_address;

const SCRIPT: &str = include_str!("../../peers/socketio.js");

/// The program is a folder of npm's with `socket.io` in it; what runs it is the machine's Node.
pub fn launch(launch: &Launch<'_>) -> Result<Side, Error> {
    let address = free_address()?;
    let script = launch.folder.join("server.js");
    std::fs::write(&script, SCRIPT)?;
    let package = std::fs::read(launch.program.join("socket.io/package.json")).context("there is no package socket.io")?;
    let package: serde_json::Value = serde_json::from_slice(&package)?;
    let mut command = Command::new("node");
    command.arg(script).env("PORT", address.port().to_string()).env("NODE_PATH", launch.program);
    command.env("NODE_ENV", "production");
    let version = package["version"].as_str().unwrap_or_default().to_owned();
    let server = Server::start(command, launch.folder, launch.cpus, address, version)?;
    Ok(Side { server, adapter: Box::new(SocketIo { address, frame: Vec::new() }) })
}

struct SocketIo {
    address: SocketAddr,
    frame: Vec<u8>,
}

impl Adapter for SocketIo {
    fn join(&mut self, member: usize) -> Result<(TcpStream, Vec<u8>), Error> {
        let mut talk = websocket::open(self.address, "/socket.io/?EIO=4&transport=websocket")?;
        let open = websocket::read(&mut talk, "the opening of Engine.IO")?;
        ensure!(open.starts_with(b"0{"), "no Engine.IO: {:?}", String::from_utf8_lossy(&open));
        let mut connect = BytesMut::new();
        websocket::write(&mut connect, format!("40{{\"room\":\"{}\"}}", member / MEMBERS).as_bytes());
        talk.say(&connect)?;
        let connected = websocket::read(&mut talk, "the answer to connect")?;
        ensure!(connected.starts_with(b"40{"), "no Socket.IO: {:?}", String::from_utf8_lossy(&connected));
        Ok(talk.into_parts())
    }

    fn split<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Heard<'a>)>, Error> {
        let Some((length, heard)) = websocket::split(bytes)? else { return Ok(None) };
        let heard = match heard {
            Heard::Delivery(body) if body.starts_with(b"42") => Heard::Delivery(body),
            Heard::Delivery(b"2") => {
                let mut pong = BytesMut::new();
                websocket::write(&mut pong, b"3");
                Heard::Ping(pong.to_vec())
            }
            Heard::Delivery(other) => Heard::Refused(other),
            other => other,
        };
        Ok(Some((length, heard)))
    }

    fn post(&mut self, out: &mut BytesMut, _room: usize, text: &str, _seen: u64) {
        self.frame.clear();
        // The texts hold nothing that JSON would escape.
        for part in ["42[\"post\",\"", text, "\"]"] {
            self.frame.extend_from_slice(part.as_bytes());
        }
        websocket::write(out, &self.frame);
    }
}
