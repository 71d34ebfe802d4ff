//! The same over TLS: rustls inside of the lot, and a certificate that is renewed under way.

use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use actors::outlet::Down;
use hubbub::edge::tls::Session;
use hubbub::edge::{Certificates, Voice};
use hubbub::limits::Limits;
use rustls::ClientConnection;
use schema::ServerEvent;

use crate::certificate::write_certificate;
use crate::client::PATIENCE;
use crate::secure::{client, connect};
use crate::world::{World, message, room, user};

#[test]
fn over_tls_a_slow_reader_loses_nothing_and_a_renewed_certificate_is_used_for_new_connections() {
    let folder = tempfile::tempdir().unwrap();
    let first = write_certificate(folder.path());
    let certificates = Certificates::load(folder.path().join("chain.pem"), folder.path().join("key.pem")).unwrap();
    let certificates = Arc::new(certificates);
    let world = World::start(Limits::default(), Voice::Hubbub, Some(certificates.clone()));
    let mut client = connect(&world, &first);
    client.say(r#"{"hello":{"device":"01010101-0101-0101-0101-010101010101"}}"#);
    let hubbub::edge::Up::Hello { connection, .. } = world.up() else { panic!("a hello was expected") };
    world.down(Down::Join { connection, user: user(1), room: room(1) });
    world.greet(connection, user(1));
    assert!(matches!(client.event(), ServerEvent::Ready(_)));

    let text = "x".repeat(16 * 1024);
    (1..=1000).for_each(|seq| world.batch(room(1), vec![message(room(1), seq, &text)]));
    let mut last = 0;
    while last < 1000 {
        match client.event() {
            ServerEvent::Event(event) => {
                assert_eq!(event.seq, last + 1);
                last = event.seq;
            }
            ServerEvent::Behind(behind) => {
                assert!(behind.head > last);
                break;
            }
            other => panic!("{other:?}"),
        }
    }

    let second = write_certificate(folder.path());
    assert!(certificates.reload(true).unwrap());
    connect(&world, &second);
    client.say(r#"{"ping":{"id":1}}"#);
    assert!(matches!(client.event(), ServerEvent::Pong(_)), "an open connection keeps its certificate");

    std::fs::write(folder.path().join("key.pem"), "half a file").unwrap();
    let error = certificates.reload(true).unwrap_err().to_string();
    assert!(error.starts_with("the private key in "), "{error}");
    connect(&world, &second);
}

#[test]
fn a_handshake_message_without_end_is_refused_within_its_bound() {
    let folder = tempfile::tempdir().unwrap();
    write_certificate(folder.path());
    let certificates = Certificates::load(folder.path().join("chain.pem"), folder.path().join("key.pem")).unwrap();
    // Time alone would not end it.
    let limits = Limits { head_ms: 1_000_000, ..Limits::default() };
    let world = World::start(limits, Voice::Hubbub, Some(Arc::new(certificates)));
    let mut socket = TcpStream::connect(world.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // A ClientHello of 16 MB, in handshake records of 16 KiB.
    let mut record = vec![0; 5 + 16 * 1024];
    record[..9].copy_from_slice(&[22, 3, 3, 0x40, 0, 1, 0xff, 0xff, 0xff]);
    while socket.write_all(&record).is_ok() {
        record[5..9].fill(0);
    }
    // Closed, or reset because of what was not read any more.
    if let Err(error) = socket.read_to_end(&mut Vec::new()) {
        assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    }
}

/// A client's bytes on their way to a session, and what it answers.
#[derive(Default)]
struct Wire {
    up: VecDeque<u8>,
    down: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.up.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.up.read(into) }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.down.write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything that is there is read, and answered in kind. Errors: the session is over.
fn serve(session: &mut Session, wire: &mut Wire) -> std::io::Result<()> {
    let mut buffer = [0; 100];
    loop {
        let passing = |error: &std::io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected);
        let read = match session.read(&mut *wire, &mut buffer) {
            Ok(read) => read,
            Err(error) if passing(&error) => 0,
            Err(error) => return Err(error),
        };
        match session.write(&mut *wire, &[IoSlice::new(b"<"), IoSlice::new(&buffer[..read]), IoSlice::new(b">")]) {
            Err(error) if !passing(&error) => return Err(error),
            _ if read == 0 => return Ok(()),
            _ => {}
        }
    }
}

/// What the client has to say now, in records of at most `payload_max`, as one may cut handshake messages.
fn say(client: &mut ClientConnection, payload_max: usize) -> Vec<u8> {
    let (mut bytes, mut cut) = (Vec::new(), Vec::new());
    while client.wants_write() {
        client.write_tls(&mut bytes).unwrap();
    }
    let mut rest = &bytes[..];
    while let [kind, major, minor, high, low, ..] = *rest {
        let (payload, behind) = rest[5..].split_at(usize::from(u16::from_be_bytes([high, low])));
        // Only what is not encrypted may be cut.
        let pieces = if kind == 22 { payload_max } else { payload.len().max(1) };
        for piece in payload.chunks(pieces) {
            cut.extend([kind, major, minor]);
            cut.extend((piece.len() as u16).to_be_bytes());
            cut.extend(piece);
        }
        rest = behind;
    }
    cut
}

#[test]
fn a_session_takes_records_however_they_are_cut_and_a_wrong_byte_ends_it_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = write_certificate(folder.path());
    let certificates = Certificates::load(folder.path().join("chain.pem"), folder.path().join("key.pem")).unwrap();
    let (mut ended, mut whole) = (0, 0);
    for round in 0..300_u64 {
        let mut rng = xxhash_rust::xxh3::xxh3_64(&round.to_le_bytes());
        let mut random = |below: usize| {
            rng = xxhash_rust::xxh3::xxh3_64(&rng.to_le_bytes());
            rng as usize % below
        };
        let mut client = client(&trusted);
        let (mut session, mut wire) = (Session::new(certificates.config()).unwrap(), Wire::default());
        // In every other round one byte of all is wrong.
        let mut wrong_at = if round % 2 == 0 { usize::MAX } else { random(1_200) };
        let outcome = (0..12).try_for_each(|turn| {
            if turn == 5 {
                client.refresh_traffic_keys().ok();
            }
            if turn > 3 {
                client.writer().write_all(&vec![b'x'; random(3_000)]).unwrap();
            }
            let mut bytes = say(&mut client, 1 + random(200));
            match bytes.get_mut(wrong_at) {
                Some(byte) => *byte ^= 1 << random(8),
                None => wrong_at = wrong_at.saturating_sub(bytes.len()),
            }
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at(1 + random(rest.len()));
                wire.up.extend(piece);
                serve(&mut session, &mut wire)?;
                rest = behind;
            }
            let answer = std::mem::take(&mut wire.down);
            let mut answer = &answer[..];
            while !answer.is_empty() {
                client.read_tls(&mut answer).unwrap();
                // The client may be the one who sees what is wrong.
                client.process_new_packets().map_err(std::io::Error::other)?;
                client.reader().read_to_end(&mut Vec::new()).ok();
            }
            Ok::<_, std::io::Error>(())
        });
        match outcome {
            Ok(()) => whole += usize::from(!client.is_handshaking()),
            Err(error) => {
                assert!(round % 2 == 1, "{error}");
                ended += 1;
            }
        }
    }
    assert!(whole >= 150 && ended >= 100, "{whole} went well, {ended} ended");
}
