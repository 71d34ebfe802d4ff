//! Stands between clients and a node, passes everything on, and breaks one promise once.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::{Buf, BytesMut};
use loadtest::client::frame::{Incoming, Message};
use loadtest::run::text::Mark;
use schema::client::Post;
use schema::server::Done;
use schema::wire::Format;
use schema::{ClientEvent, Cmid, Event, EventBody, RoomId, ServerEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// A post is acknowledged and thrown away: a server that acknowledges before it persists, and then dies.
    AckWithoutKeeping,
    /// A post lands twice: a server that does not look for the cmid.
    TakeTwice,
    /// An event is sent to somebody twice.
    SendTwice,
    /// Two events are sent to somebody in the wrong order.
    Swap,
    /// Two posts of one person land in the wrong order.
    SwapLandings,
    /// An event is never sent to somebody.
    Leave,
    /// An event is sent to somebody who is no member of its room.
    Leak,
    /// The history of a room is given to whoever asks.
    OpenDoor,
}

pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    mischief: Mischief,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The message that was wronged, as a report would name it; once there is one, all else is passed on as it is.
    blamed: Option<String>,
    /// A message of some room, to be leaked to somebody who is not in it.
    leak: Option<(RoomId, bytes::Bytes)>,
    /// By the path of a page: what its first reader, who may, said about who they are.
    readers: std::collections::HashMap<String, String>,
    /// A post is held back; one is enough.
    holding: bool,
    /// The highest seq that went by, of any room.
    heads: std::collections::HashMap<RoomId, u64>,
}

/// Of one connection: what is held back.
#[derive(Default)]
struct Held {
    event: Option<(Event, bytes::Bytes)>,
    post: Option<Post>,
    /// Answers that the client must not see.
    hidden: Vec<u32>,
    /// Rooms that this connection was told of.
    rooms: Vec<RoomId>,
}

impl Proxy {
    pub async fn start(node: SocketAddr, mischief: Mischief) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { mischief, state: Mutex::default() });
        let own = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, node, Arc::clone(&own)));
            }
        });
        Self { address, shared }
    }

    pub fn blamed(&self) -> Option<String> {
        self.shared.state.lock().unwrap().blamed.clone()
    }
}

/// One connection. What is not a WebSocket is copied.
async fn pass(mut client: TcpStream, node: SocketAddr, shared: Arc<Shared>) {
    let Ok(mut upstream) = TcpStream::connect(node).await else { return };
    client.set_nodelay(true).unwrap();
    upstream.set_nodelay(true).unwrap();
    let Some(head) = head(&mut client).await else { return };
    let head = if shared.mischief == Mischief::OpenDoor { shared.let_in(head) } else { head };
    if upstream.write_all(&head).await.is_err() {
        return;
    }
    if !head.starts_with(b"GET /v1/ws") {
        tokio::io::copy_bidirectional(&mut client, &mut upstream).await.ok();
        return;
    }
    let Some(answer) = head_and_more(&mut upstream).await else { return };
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    if client.write_all(&answer[..split]).await.is_err() {
        return;
    }
    let (client_reads, client_writes) = client.into_split();
    let (node_reads, node_writes) = upstream.into_split();
    let held = Arc::new(Mutex::new(Held::default()));
    let (down, waiting) = mpsc::unbounded_channel();
    tokio::spawn(write_down(waiting, client_writes));
    tokio::spawn(from_client(client_reads, node_writes, down.clone(), Arc::clone(&held), Arc::clone(&shared)));
    from_node(node_reads, BytesMut::from(&answer[split..]), down, held, shared).await;
}

async fn head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    head_and_more(stream).await
}

/// At least a whole HTTP head.
async fn head_and_more(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(bytes)
}

async fn write_down(mut waiting: mpsc::UnboundedReceiver<Vec<u8>>, mut client: OwnedWriteHalf) {
    while let Some(bytes) = waiting.recv().await {
        if client.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn from_node(
    mut node: OwnedReadHalf,
    begun: BytesMut,
    down: mpsc::UnboundedSender<Vec<u8>>,
    held: Arc<Mutex<Held>>,
    shared: Arc<Shared>,
) {
    let mut incoming = Incoming::after(begun);
    loop {
        while let Ok(Some(message)) = incoming.next_message() {
            let frames = match message {
                Message::Text(body) => shared.down(&body, &mut held.lock().unwrap()).iter().map(|body| frame(1, body)).collect(),
                Message::Close(code) => vec![frame(8, &code.to_be_bytes())],
                _ => Vec::new(),
            };
            if frames.into_iter().any(|frame| down.send(frame).is_err()) {
                return;
            }
        }
        if !matches!(node.read_buf(&mut incoming.buffer).await, Ok(1..)) {
            return;
        }
    }
}

async fn from_client(
    mut client: OwnedReadHalf,
    mut node: OwnedWriteHalf,
    down: mpsc::UnboundedSender<Vec<u8>>,
    held: Arc<Mutex<Held>>,
    shared: Arc<Shared>,
) {
    let mut buffer = BytesMut::new();
    loop {
        while let Some((opcode, body)) = unmasked(&mut buffer) {
            let up = match opcode {
                1 => {
                    let (up, answers) = shared.up(&body, &mut held.lock().unwrap());
                    answers.iter().for_each(|answer| drop(down.send(frame(1, answer))));
                    up
                }
                _ => vec![body],
            };
            let mut out = BytesMut::new();
            up.iter().for_each(|body| loadtest::client::frame::write(&mut out, opcode, body, [1, 2, 3, 4]));
            if node.write_all(&out).await.is_err() {
                return;
            }
        }
        if !matches!(client.read_buf(&mut buffer).await, Ok(1..)) {
            return;
        }
    }
}

impl Shared {
    /// Whoever asks for a room's history asks as the first who did.
    fn let_in(&self, head: Vec<u8>) -> Vec<u8> {
        let text = String::from_utf8(head).unwrap();
        let path = text.split(['?', ' ']).nth(1).unwrap_or_default().to_owned();
        let who = text.lines().find(|line| line.to_lowercase().starts_with("authorization:")).map(str::to_owned);
        let (true, Some(who)) = (path.starts_with("/v1/rooms/") && path.ends_with("/messages"), who) else { return text.into_bytes() };
        let mut state = self.state.lock().unwrap();
        let first = state.readers.entry(path).or_insert_with(|| who.clone()).clone();
        if first != who {
            state.blamed.get_or_insert_with(|| "is no member and was given".to_owned());
        }
        text.replace(&who, &first).into_bytes()
    }

    /// What goes up instead of a client's message, and what is answered at once.
    fn up(&self, body: &[u8], held: &mut Held) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let as_it_is = (vec![body.to_vec()], Vec::new());
        let mut state = self.state.lock().unwrap();
        let Ok(ClientEvent::Post(post)) = Format::Json.decode::<ClientEvent>(body) else { return as_it_is };
        let Some(mark) = Mark::of(&post.text) else { return as_it_is };
        // Not the very first: so that there is something before and after.
        if state.blamed.is_some() || mark.number < 3 {
            return as_it_is;
        }
        let name = format!("message {} of user {}", mark.number, mark.sender);
        let json = |event: &ClientEvent| Format::Json.encode(event).to_vec();
        match self.mischief {
            Mischief::AckWithoutKeeping => {
                state.blamed = Some(name);
                let seq = state.heads.get(&post.room).copied().unwrap_or(1) + 1;
                let done = Done { id: post.id, room: Some(post.room), seq: Some(seq), ordinal: Some(seq), at: Some(1) };
                (Vec::new(), vec![Format::Json.encode(&ServerEvent::Ok(done)).to_vec()])
            }
            Mischief::TakeTwice => {
                state.blamed = Some(name);
                let again = Post { id: 4_000_000_000, cmid: other(post.cmid), prev: None, ..post.clone() };
                held.hidden.push(again.id);
                (vec![json(&ClientEvent::Post(post)), json(&ClientEvent::Post(again))], Vec::new())
            }
            // The first is held until the second has gone; both without `prev`, which would undo it.
            Mischief::SwapLandings => match held.post.take() {
                None if state.holding => as_it_is,
                None => {
                    (state.holding, held.post) = (true, Some(post));
                    (Vec::new(), Vec::new())
                }
                Some(first) if first.room == post.room => {
                    let mark = Mark::of(&first.text).unwrap();
                    state.blamed = Some(format!("message {} of user {}", mark.number, mark.sender));
                    let late = Post { prev: None, ..first };
                    (vec![json(&ClientEvent::Post(Post { prev: None, ..post })), json(&ClientEvent::Post(late))], Vec::new())
                }
                Some(first) => {
                    state.holding = false;
                    (vec![json(&ClientEvent::Post(first)), json(&ClientEvent::Post(post))], Vec::new())
                }
            },
            _ => as_it_is,
        }
    }

    /// What goes down instead of a node's message.
    fn down(&self, body: &bytes::Bytes, held: &mut Held) -> Vec<bytes::Bytes> {
        let mut state = self.state.lock().unwrap();
        let event = match Format::Json.decode::<ServerEvent>(body) {
            Ok(ServerEvent::Event(event)) => event,
            Ok(ServerEvent::Ok(done)) if held.hidden.contains(&done.id) => return Vec::new(),
            Ok(ServerEvent::Ready(ready)) => {
                held.rooms = ready.rooms.iter().map(|room| room.room).collect();
                return vec![body.clone()];
            }
            _ => return self.with_held(vec![body.clone()], held),
        };
        let head = state.heads.entry(event.room).or_default();
        *head = (*head).max(event.seq);
        let EventBody::Message(message) = &event.body else { return self.with_held(vec![body.clone()], held) };
        let mark = Mark::of(&message.text);
        let Some(mark) = mark.filter(|mark| mark.number >= 3 && state.blamed.is_none()) else {
            return self.with_held(vec![body.clone()], held);
        };
        let name = format!("message {} of user {}", mark.number, mark.sender);
        match self.mischief {
            Mischief::SendTwice => {
                state.blamed = Some(name);
                vec![body.clone(), body.clone()]
            }
            Mischief::Leave => {
                state.blamed = Some(format!("seq {} was not sent", event.seq));
                Vec::new()
            }
            Mischief::Swap => match held.event.take() {
                None => {
                    held.event = Some((event, body.clone()));
                    Vec::new()
                }
                Some((first, first_body)) if first.room == event.room && first.seq + 1 == event.seq => {
                    let EventBody::Message(message) = &first.body else { return vec![first_body, body.clone()] };
                    let mark = Mark::of(&message.text).unwrap();
                    state.blamed = Some(format!("message {} of user {}", mark.number, mark.sender));
                    vec![body.clone(), first_body]
                }
                Some((_, first_body)) => vec![first_body, body.clone()],
            },
            Mischief::Leak => {
                if let Some((room, leaked)) = &state.leak
                    && !held.rooms.contains(room)
                    && !held.rooms.is_empty()
                {
                    let leaked = leaked.clone();
                    state.blamed = Some("who is no member of the room".to_owned());
                    return vec![leaked, body.clone()];
                }
                state.leak = Some((event.room, body.clone()));
                vec![body.clone()]
            }
            _ => vec![body.clone()],
        }
    }

    /// What is held back goes out before anything that is not its successor.
    fn with_held(&self, mut bodies: Vec<bytes::Bytes>, held: &mut Held) -> Vec<bytes::Bytes> {
        if let Some((_, first)) = held.event.take() {
            bodies.insert(0, first);
        }
        bodies
    }
}

fn other(cmid: Cmid) -> Cmid {
    let mut bytes = *cmid.as_bytes();
    bytes[15] ^= 0xff;
    Cmid::from_bytes(bytes)
}

/// One unmasked frame.
fn frame(opcode: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match body.len() {
        short @ 0..=125 => frame.push(short as u8),
        middle @ 126..=0xffff => {
            frame.push(126);
            frame.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            frame.push(127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(body);
    frame
}

/// The next whole frame of a client, which never fragments.
fn unmasked(buffer: &mut BytesMut) -> Option<(u8, Vec<u8>)> {
    let (opcode, length) = (buffer.first()? & 0x0f, usize::from(buffer.get(1)? & 0x7f));
    let (head, length) = match length {
        126 => (4, usize::from(u16::from_be_bytes([*buffer.get(2)?, *buffer.get(3)?]))),
        127 => (10, u64::from_be_bytes(buffer.get(2..10)?.try_into().ok()?) as usize),
        short => (2, short),
    };
    if buffer.len() < head + 4 + length {
        return None;
    }
    let mask: [u8; 4] = buffer[head..head + 4].try_into().ok()?;
    buffer.advance(head + 4);
    let mut body = buffer.split_to(length).to_vec();
    body.iter_mut().enumerate().for_each(|(place, byte)| *byte ^= mask[place % 4]);
    Some((opcode, body))
}
