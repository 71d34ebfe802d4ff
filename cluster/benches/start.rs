//! What a group of one costs a node at its start: the first time, and when its files are there. Prints milliseconds; asserts none.

use std::sync::Arc;
use std::time::Instant;

use cluster::Member;
use cluster::link::{Asked, Receive, Said, Whence};
use cluster::member::Config;

struct Deaf;

impl Receive for Deaf {
    fn arrived(&self, _from: Whence) {}
    fn said(&self, _said: Said) {}
    fn asked(&self, _asked: Asked) {}
    fn gone(&self, _from: Whence) {}
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for name in ["first start", "second start", "third start"] {
        let config = Config {
            folder: folder.path().join("cluster"),
            listen: None,
            advertise: String::new(),
            zone: String::new(),
            weight: 100,
            slots: 256,
            above: 0,
            join: None,
            seeds: Vec::new(),
            certificates_last: cluster::member::CERTIFICATES_LAST,
        };
        runtime.block_on(async {
            let began = Instant::now();
            let member = Member::start(config, Arc::new(Deaf)).await.expect("it starts");
            let took = began.elapsed();
            println!("{name}: {:.1} ms to {} slots", took.as_secs_f64() * 1e3, member.ring().slots());
            member.stop().await;
        });
    }
}
