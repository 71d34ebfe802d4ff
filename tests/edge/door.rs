//! The door: one port for HTTP and sockets, who may open one, and TLS.

use schema::wire::Format;

use crate::client::{Client, UPGRADE, request};
use crate::world::{World, user};

fn ask(world: &World, path: &str, headers: &[(&str, &str)]) -> String {
    let mut client = Client::open(world.address);
    client.write(request(world.address, path, headers).as_bytes());
    client.read_head()
}

fn ask_for_socket(world: &World, more: &[(&str, &str)]) -> String {
    ask(world, "/v1/ws", &[&UPGRADE[..], more].concat())
}

#[test]
fn rest_and_sockets_share_the_port() {
    let world = World::new();
    assert!(ask(&world, "/hi", &[]).starts_with("HTTP/1.1 200 "));
    assert!(ask(&world, "/nothing", &[]).starts_with("HTTP/1.1 404 "));
    let head = ask(&world, "/v1/ws", &[]);
    assert!(head.starts_with("HTTP/1.1 426 ") && head.contains("sec-websocket-version: 13"), "{head}");
    world.member(user(1), &[]);
}

#[test]
fn pages_of_other_origins_open_no_socket() {
    let world = World::new();
    let own = format!("http://{}", world.address);
    for origin in [own.as_str(), "https://chat.example.com"] {
        let head = ask_for_socket(&world, &[("Origin", origin)]);
        assert!(head.starts_with("HTTP/1.1 101 "), "{origin}: {head}");
    }
    for origin in ["null", "https://evil.example.com", "https://chat.example.com.evil.net", "https://evilchat.example.com"] {
        let head = ask_for_socket(&world, &[("Origin", origin), ("Cookie", "refresh=stolen")]);
        assert!(head.starts_with("HTTP/1.1 403 ") && head.contains("application/problem+json"), "{origin}: {head}");
    }
}

#[test]
fn the_subprotocol_that_was_chosen_is_said_back() {
    let world = World::new();
    let head = ask_for_socket(&world, &[("Sec-WebSocket-Protocol", "hubbub.v9.json, hubbub.v1.msgpack, hubbub.v1.json")]);
    assert!(head.contains("sec-websocket-protocol: hubbub.v1.msgpack\r\n"), "{head}");
    assert!(ask_for_socket(&world, &[("Sec-WebSocket-Protocol", "graphql-ws")]).starts_with("HTTP/1.1 400 "));
    assert!(!ask_for_socket(&world, &[]).contains("sec-websocket-protocol"));
}

#[test]
fn requests_that_break_http_are_answered_and_do_no_harm() {
    let world = World::new();
    let first_line = |bytes: &[u8]| {
        let mut client = Client::open(world.address);
        client.write(bytes);
        client.read_head().lines().next().unwrap_or_default().to_owned()
    };
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "x".repeat(64 * 1024));
    assert_eq!(first_line(long.as_bytes()), "HTTP/1.1 431 Request Header Fields Too Large");
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-Many: 1\r\n".repeat(65));
    assert_eq!(first_line(many.as_bytes()), "HTTP/1.1 431 Request Header Fields Too Large");
    let two_lengths = b"POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
    assert_eq!(first_line(two_lengths), "HTTP/1.1 400 Bad Request");
    assert_eq!(first_line(b"GET / HTTP/1.1\r\nUser-\xffAgent: a\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    assert!(first_line(b"GET /hi HTTP/1.1\r\nHost: a\r\nUser-Agent: \xff\xfe\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

#[test]
fn bytes_right_behind_the_handshake_are_not_lost() {
    let world = World::new();
    let mut client = Client::open(world.address);
    let mut bytes = request(world.address, "/v1/ws", &UPGRADE).into_bytes();
    bytes.extend(crate::client::frame(0x81, br#"{"hello":{"device":"01010101-0101-0101-0101-010101010101"}}"#));
    client.write(&bytes);
    assert!(client.read_head().starts_with("HTTP/1.1 101 "));
    assert!(matches!(world.up(), hubbub::edge::Up::Hello { format: Format::Json, .. }));
}
