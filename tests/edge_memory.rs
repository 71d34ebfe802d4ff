//! What a parked connection costs in user space: greeted, in one room, in twenty. The actors' part is not in it.

#[path = "edge/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "edge/world.rs"]
#[allow(dead_code)]
mod world;

use std::net::TcpStream;

use actors::outlet::Down;
use hubbub::limits::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use schema::wire::Format;
use schema::{ConnectionId, RoomId, UserId};
use world::World;

/// As many as make the noise of pages and transient buffers small.
const CONNECTIONS: usize = 6_000;
const IN_ONE_ROOM_BYTES_MAX: usize = 512;
const IN_TWENTY_ROOMS_BYTES_MAX: usize = 800;

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * rustix::param::page_size()
}

/// Room `n` of one of the groups of twenty that members share.
fn room(group: usize, n: u8) -> RoomId {
    let mut bytes = [n; 16];
    bytes[..8].copy_from_slice(&(group as u64).to_be_bytes());
    RoomId::from_bytes(bytes)
}

/// A greeted connection in the first room of its group; one after the other, so that handshakes add nothing that stays.
fn park(world: &World, n: usize) -> (TcpStream, ConnectionId) {
    let (mut client, connection) = world.hello(Format::Json);
    world.down(Down::Join { connection, room: room(n / 100, 0) });
    let mut user = [7; 16];
    user[8..].copy_from_slice(&(n as u64).to_le_bytes());
    world.greet(connection, UserId::from_bytes(user));
    client.event();
    (client.socket, connection)
}

#[test]
fn an_idle_connection_costs_half_a_kilobyte_in_one_room_and_under_one_in_twenty() {
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum }).unwrap();
    let limits = Limits { connections_per_address_max: 100_000, accepts_per_second_max: 100_000, ..Limits::default() };
    let world = World::with(limits);
    // Once round, so that what the first ones make for all is there.
    let mut parked: Vec<_> = (0..500).map(|n| park(&world, n)).collect();
    parked.reserve(CONNECTIONS);
    let before = resident_bytes();
    parked.extend((500..500 + CONNECTIONS).map(|n| park(&world, n)));
    let with_one = resident_bytes();
    let in_one = (with_one - before) / CONNECTIONS;
    let mut kept = Vec::new();
    for (n, (_, connection)) in parked.iter().enumerate() {
        for other in 1..20 {
            world.down(Down::Join { connection: *connection, room: room(n / 100, other) });
        }
        if n % 100 == 99 {
            // The inbox is worked off in order: who is greeted after it has seen all of it.
            kept.push(park(&world, n));
        }
    }
    let in_twenty = in_one + (resident_bytes() - with_one) / parked.len();
    println!("{in_one} bytes in one room, {in_twenty} in twenty");
    assert!(in_one <= IN_ONE_ROOM_BYTES_MAX, "{in_one} bytes in one room");
    assert!(in_twenty <= IN_TWENTY_ROOMS_BYTES_MAX, "{in_twenty} bytes in twenty rooms");
}
