//! A raw WebSocket client: writes any bytes, reads frames; knows nothing of being polite.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use schema::ServerEvent;
use schema::wire::Format;

/// A test that waits longer has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Client<S = TcpStream> {
    pub socket: S,
    pub format: Format,
    read: Vec<u8>,
}

/// A frame that came.
#[derive(Debug, PartialEq, Eq)]
pub enum Came {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// With the sentence.
    Close(Option<u16>, String),
    /// The end of the stream.
    End,
}

/// A client's frame: `first` is its first byte.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

pub fn request(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> String {
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n");
    headers.iter().for_each(|(name, value)| request += &format!("{name}: {value}\r\n"));
    request + "\r\n"
}

pub const UPGRADE: [(&str, &str); 4] = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

impl Client {
    pub fn connect(address: SocketAddr, format: Format) -> Self {
        Self::connect_at(address, "/v1/ws", format)
    }
    pub fn connect_at(address: SocketAddr, path: &str, format: Format) -> Self {
        let mut client = Self::open(address);
        client.format = format;
        let mut headers = UPGRADE.to_vec();
        headers.push(("Sec-WebSocket-Protocol", format.subprotocol()));
        client.write(request(address, path, &headers).as_bytes());
        let head = client.read_head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client
    }

    pub fn open(address: SocketAddr) -> Self {
        Self::on(TcpStream::connect(address).unwrap())
    }
    fn on(socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Self::over(socket)
    }
}

/// A socket whose own address is `from`, in the loopback's net.
pub fn open_from(from: [u8; 4], address: SocketAddr) -> Client {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
    socket.connect(&address.into()).unwrap();
    Client::on(socket.into())
}

impl<S: Read + Write> Client<S> {
    pub fn over(socket: S) -> Self {
        Self { socket, format: Format::Json, read: Vec::new() }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }
    pub fn say(&mut self, text: &str) {
        self.write(&frame(0x81, text.as_bytes()));
    }

    /// The head of an HTTP answer.
    pub fn read_head(&mut self) -> String {
        loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.read.split_off(end + 4);
                return String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap();
            }
            assert!(self.more(), "the stream ended in the head: {}", String::from_utf8_lossy(&self.read));
        }
    }

    /// Everything until the stream ends.
    pub fn end(&mut self) -> String {
        while self.more() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.read)).into_owned()
    }

    pub fn next(&mut self) -> Came {
        loop {
            if let Some((came, length)) = parse(&self.read) {
                self.read.drain(..length);
                return came;
            }
            if !self.more() {
                assert!(self.read.is_empty(), "the stream ended inside of a frame");
                return Came::End;
            }
        }
    }

    /// The next event; anything else than an event fails.
    pub fn event(&mut self) -> ServerEvent {
        match (self.format, self.next()) {
            (Format::Json, Came::Text(bytes)) => serde_json::from_slice(&bytes).unwrap(),
            (Format::MessagePack, Came::Binary(bytes)) => schema::wire::from_msgpack(&bytes).unwrap(),
            (_, other) => panic!("an event was expected, {other:?} came"),
        }
    }

    /// The code that the connection was closed with; nothing but the end may follow.
    pub fn closed(&mut self) -> u16 {
        match self.next() {
            Came::Close(Some(code), _) => {
                assert_eq!(self.next(), Came::End);
                code
            }
            other => panic!("a close frame was expected, {other:?} came"),
        }
    }

    /// False: the stream ended.
    fn more(&mut self) -> bool {
        let mut buffer = [0; 65536];
        match self.socket.read(&mut buffer) {
            Ok(0) => false,
            Ok(read) => {
                self.read.extend_from_slice(&buffer[..read]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came: {error}"),
        }
    }
}

fn parse(bytes: &[u8]) -> Option<(Came, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    assert_eq!(second & 0x80, 0, "a server's frame is masked");
    assert_eq!(first & 0xf0, 0x80, "a server's frame is whole and has no reserved bit");
    let number = |range: std::ops::Range<usize>| Some(bytes.get(range)?.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte)));
    let (length, head) = match second {
        126 => (number(2..4)?, 4),
        127 => (number(2..10)?, 10),
        short => (usize::from(short), 2),
    };
    let payload = bytes.get(head..head + length)?.to_vec();
    let came = match first & 0x0f {
        1 => Came::Text(payload),
        2 => Came::Binary(payload),
        8 => {
            let code = payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
            Came::Close(code, String::from_utf8(payload.get(2..).unwrap_or_default().to_vec()).unwrap())
        }
        9 => Came::Ping(payload),
        10 => Came::Pong(payload),
        opcode => panic!("a server's frame has the opcode {opcode}"),
    };
    Some((came, head + length))
}
