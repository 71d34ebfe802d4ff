//! What the hot path pays for the ring: from a room's id to its owner under the current table. Prints nanoseconds a look-up; asserts none.

use std::hint::black_box;
use std::time::Instant;

use cluster::{Kind, NodeId, Ring, Table};

const LOOK_UPS: u32 = 4_000_000;

fn main() {
    let ring = Ring::new(NodeId(1), Table::alone(NodeId(1), 7, 256));
    let mut id = [7; 16];
    let began = Instant::now();
    for n in 0..LOOK_UPS {
        id[..4].copy_from_slice(&n.to_le_bytes());
        black_box(ring.placement(ring.slot(Kind::Room, black_box(&id))));
    }
    println!("{:.1} ns a look-up", began.elapsed().as_nanos() as f64 / f64::from(LOOK_UPS));
}
