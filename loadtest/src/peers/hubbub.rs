//! Our own node on the same terms: everybody has an account, is in a group of a hundred and posts through the whole product.
//! What is changed of its configuration is printed: everybody comes from one machine, and nobody may be cut off.

use std::net::TcpStream;

use anyhow::Error;
use bytes::BytesMut;
use schema::client::{ClientEvent, Hello, Post};
use schema::wire::Format;
use schema::{Cmid, RoomId, ServerEvent};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::adapter::{Adapter, Heard};
use super::server::Server;
use super::{Launch, MEMBERS, ROOMS, Side, websocket};
use crate::client::{self, Socket, Target};
use crate::load::told;
use crate::people::{Person, enrol, make_rooms, source};
use crate::process::{self, Process};

const MEMBERS_ALL: usize = ROOMS * MEMBERS;

pub fn launch(launch: &Launch<'_>) -> Result<Side, Error> {
    eprintln!("hubbub: starting a node");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cpus = (!launch.cpus.is_empty()).then(|| launch.cpus.to_vec());
    let (node, people, rooms) = runtime.block_on(async {
        let node = Process::start(launch.program, launch.folder, &process::counted_keys(), cpus).await?;
        let people = enrol(&node, "member", MEMBERS_ALL as u32, &told("making people", MEMBERS_ALL)).await?;
        let members: Vec<_> = (0..ROOMS).map(|room| (room * MEMBERS..(room + 1) * MEMBERS).collect()).collect();
        let rooms = make_rooms(node.target(), None, &people, &members, &told("making rooms", ROOMS)).await?;
        let rooms = rooms.into_iter().map(|(room, _)| room).collect();
        Ok::<_, Error>((node, people, rooms))
    })?;
    let heads = vec![0; ROOMS];
    let adapter = Box::new(Hubbub { target: node.target(), runtime, people, rooms, heads, posted: 0 });
    Ok(Side { server: Server::Ours(node), adapter })
}

struct Hubbub {
    target: Target,
    runtime: Runtime,
    people: Vec<Person>,
    rooms: Vec<RoomId>,
    /// The heads of the rooms as their first members found them.
    heads: Vec<u64>,
    posted: u32,
}

impl Adapter for Hubbub {
    fn join(&mut self, member: usize) -> Result<(TcpStream, Vec<u8>), Error> {
        let target = Target { source: Some(source(0, member as u32)), ..self.target };
        let (stream, read, head) = self.runtime.block_on(say_hello(target, &self.people[member], self.rooms[member / MEMBERS]))?;
        if member.is_multiple_of(MEMBERS) {
            self.heads[member / MEMBERS] = head;
        }
        stream.set_nonblocking(true)?;
        Ok((stream, read))
    }

    fn split<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Heard<'a>)>, Error> {
        let Some((length, heard)) = websocket::split(bytes)? else { return Ok(None) };
        let heard = match heard {
            Heard::Delivery(body) => what(body),
            other => other,
        };
        Ok(Some((length, heard)))
    }

    fn post(&mut self, out: &mut BytesMut, room: usize, text: &str, seen: u64) {
        self.posted = self.posted.wrapping_add(1);
        let (id, cmid) = (self.posted, Cmid(Uuid::now_v7()));
        // Where a node has to look for the same post begins behind what its author has seen.
        let after = self.heads[room] + seen;
        let post = Post { id, room: self.rooms[room], cmid, after, prev: None, text: text.to_owned(), reply: None };
        websocket::write(out, &schema::wire::to_json(&ClientEvent::Post(post)));
    }
}

/// By the name of the event, which comes first.
fn what(body: &[u8]) -> Heard<'_> {
    if body.starts_with(br#"{"event":"#) {
        Heard::Delivery(body)
    } else if [&br#"{"error":"#[..], br#"{"behind":"#, br#"{"gap":"#].iter().any(|name| body.starts_with(name)) {
        Heard::Refused(body)
    } else {
        Heard::Other
    }
}

/// Connects, says hello and waits for `ready`: the socket, what was read beyond, and the head of the room.
async fn say_hello(target: Target, person: &Person, room: RoomId) -> Result<(TcpStream, Vec<u8>, u64), Error> {
    let mut socket = Socket::open(target, Format::Json).await?;
    let token = Some(person.tokens.access.clone());
    socket.push(&ClientEvent::Hello(Hello { token, ticket: None, device: person.device, resume: Vec::new() }));
    let ready = loop {
        match socket.turn().await? {
            Some(client::Heard::Event(event)) => {
                if let ServerEvent::Ready(ready) = *event {
                    break ready;
                }
            }
            Some(client::Heard::Closed(code)) => return Err(client::Error::Closed(code).into()),
            None => {}
        }
    };
    let head = ready.rooms.iter().find(|at| at.room == room).map_or(0, |at| at.head);
    let (stream, read) = socket.into_raw();
    Ok((stream.into_plain()?.into_std()?, read.to_vec(), head))
}
