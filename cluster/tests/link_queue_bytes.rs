//! `hubbub_cluster_link_queue_bytes` is of all links together. A test of its own, since the gauge is the process's.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cluster::NodeId;
use cluster::link::{Asked, Lane, Limits, Line, Listener, Peer, Receive, Said, SimNet, Status, Whence};
use metrics::{Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use parking_lot::Mutex;
use tokio::sync::watch;

const QUEUE_BYTES: &str = "hubbub_cluster_link_queue_bytes";
/// Of the paused clock: long over before it would be said of a broken gauge.
const LONG: Duration = Duration::from_secs(60);
const WINDOW: u32 = 1_000;

/// The one gauge, and everybody who wants to know of its changes.
struct Shown(watch::Sender<f64>);

impl GaugeFn for Shown {
    fn increment(&self, by: f64) {
        self.0.send_modify(|shown| *shown += by);
    }
    fn decrement(&self, by: f64) {
        self.increment(-by);
    }
    fn set(&self, to: f64) {
        self.0.send_replace(to);
    }
}

struct Numbers(Arc<Shown>);

impl Recorder for Numbers {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        if key.name() == QUEUE_BYTES { Gauge::from_arc(self.0.clone()) } else { Gauge::noop() }
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Keeps all that is said: who said it gets no credit for more.
#[derive(Default)]
struct Keeps(Mutex<Vec<Said>>);

impl Receive for Keeps {
    fn arrived(&self, _: Whence) {}
    fn said(&self, said: Said) {
        self.0.lock().push(said);
    }
    fn asked(&self, _: Asked) {}
    fn gone(&self, _: Whence) {}
}

/// A link to a node that takes in a window and no more.
async fn held_up(net: &SimNet, them: NodeId, limits: Limits) -> (Listener, Peer) {
    let address = format!("node {}", them.0);
    let listener = Listener::listen(Arc::new(net.join(them, &address)), them, limits, Arc::new(Keeps::default()));
    let us = NodeId(1);
    let peer = Peer::dial(Arc::new(net.join(us, "us")), Line { us, them, address, lane: Lane::Chat }, limits);
    peer.status().wait_for(|status| *status != Status::Away).await.unwrap();
    (listener, peer)
}

#[tokio::test(start_paused = true)]
async fn what_waits_on_all_links_is_one_sum_and_ends_with_them() {
    let (sender, mut shown) = watch::channel(0.0);
    metrics::set_global_recorder(Numbers(Arc::new(Shown(sender)))).unwrap();
    let mut is = async |expected: usize, why: &str| {
        let reached = tokio::time::timeout(LONG, shown.wait_for(|shown| *shown == expected as f64)).await.map(drop);
        assert!(reached.is_ok(), "{why}: {} bytes are shown and {expected} wait", *shown.borrow());
    };
    let limits = Limits { window_bytes: WINDOW, silence_ms: 600_000, ..Limits::default() };
    let net = SimNet::default();
    let (_first_listener, first) = held_up(&net, NodeId(2), limits).await;
    let (_second_listener, second) = held_up(&net, NodeId(3), limits).await;
    let window = Bytes::from(vec![0; WINDOW as usize]);
    (0..4).for_each(|_| first.say(window.clone()).unwrap());
    is(3 * WINDOW as usize, "one window is on its way").await;
    (0..6).for_each(|_| second.say(window.clone()).unwrap());
    is((3 + 5) * WINDOW as usize, "the second link's is added").await;
    first.say(window.clone()).unwrap();
    is((4 + 5) * WINDOW as usize, "a link that sends nothing still shows what comes").await;
    net.break_between(NodeId(1), NodeId(3));
    is(4 * WINDOW as usize, "a broken connection keeps nothing").await;
    drop(first);
    is(0, "nor does one that was hung up").await;
}
