//! All nodes at once: who is dialled, what is told of it, and in which order.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use cluster::NodeId;
use cluster::link::{AskError, Lane, Lanes, Listener, Meet, Mesh, SayError, SimNet, Status};
use tokio::sync::watch;

use crate::conforms::patient;
use crate::nets::{A, Above, B, Heard, listen};

const C: NodeId = NodeId(3);
const LONG: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Up(NodeId, u64),
    Away(NodeId),
}

/// What the mesh tells, in order; says `hello` at the start of each session.
#[derive(Default)]
struct Told {
    events: watch::Sender<Vec<Event>>,
    mesh: OnceLock<Arc<Mesh>>,
}

impl Meet for Told {
    fn up(&self, node: NodeId, session: u64) {
        if let Some(mesh) = self.mesh.get() {
            mesh.say(node, Bytes::from_static(b"hello")).unwrap();
        }
        self.events.send_modify(|events| events.push(Event::Up(node, session)));
    }
    fn away(&self, node: NodeId) {
        self.events.send_modify(|events| events.push(Event::Away(node)));
    }
}

fn mesh(net: &SimNet) -> (Arc<Told>, Arc<Mesh>) {
    let told = Arc::<Told>::default();
    let mesh = Arc::new(Mesh::new(Arc::new(net.join(A, "a")), A, Lane::Chat, patient(), told.clone()));
    (told, mesh)
}

fn node(net: &SimNet, node: NodeId, address: &str) -> (Listener, Heard) {
    listen(&Arc::new(net.join(node, address)), node, patient())
}

fn addresses<const N: usize>(nodes: [(NodeId, &str); N]) -> BTreeMap<NodeId, String> {
    nodes.map(|(node, address)| (node, address.to_owned())).into()
}

async fn up(mesh: &Mesh, node: NodeId) -> u64 {
    let mut status = mesh.status(node).unwrap();
    let status = *status.wait_for(|status| *status != Status::Away).await.unwrap();
    let Status::Up { session } = status else { unreachable!("it was waited for") };
    session
}

#[tokio::test]
async fn who_is_new_is_dialled_who_is_gone_is_hung_up_on_and_who_stays_notices_nothing() {
    let net = SimNet::default();
    let (mut b, mut c) = (node(&net, B, "b"), node(&net, C, "c"));
    let (_, mesh) = mesh(&net);
    mesh.follow(&addresses([(A, "a"), (B, "b")]));
    up(&mesh, B).await;
    let here = b.1.arrived().await;
    mesh.follow(&addresses([(A, "a"), (B, "b"), (C, "c")]));
    up(&mesh, C).await;
    c.1.arrived().await;
    let mut reached = mesh.up();
    reached.sort();
    assert_eq!(reached, [B, C]);
    mesh.say(C, Bytes::from_static(b"for C")).unwrap();
    assert_eq!(c.1.said().await.body, "for C");
    mesh.follow(&addresses([(A, "a"), (B, "b")]));
    c.1.gone().await;
    assert_eq!(mesh.say(C, Bytes::new()), Err(SayError::Away));
    mesh.say(B, Bytes::from_static(b"for B")).unwrap();
    let said = b.1.said().await;
    assert_eq!((said.from, &said.body[..]), (here, &b"for B"[..]));
}

#[tokio::test]
async fn who_is_not_followed_is_away_at_once_and_so_are_we_to_ourselves() {
    let net = SimNet::default();
    let (_, mesh) = mesh(&net);
    mesh.follow(&addresses([(A, "a")]));
    for node in [A, B] {
        assert_eq!(mesh.say(node, Bytes::new()), Err(SayError::Away));
        assert_eq!(mesh.ask(node, Bytes::new(), LONG).await, Err(AskError::Away));
        assert!(mesh.status(node).is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_session_with_a_node_is_told_to_be_over_before_the_next_one_is_up() {
    let net = SimNet::default();
    let _nodes = [node(&net, B, "b"), node(&net, B, "elsewhere")];
    let (told, mesh) = mesh(&net);
    for turn in 0..100 {
        mesh.follow(&addresses([(B, if turn % 2 == 0 { "b" } else { "elsewhere" })]));
        if turn % 7 == 0 {
            mesh.follow(&BTreeMap::new());
        }
        if turn % 3 == 0 && mesh.status(B).is_some() {
            up(&mesh, B).await;
        }
    }
    mesh.follow(&addresses([(B, "b")]));
    up(&mesh, B).await;
    mesh.follow(&BTreeMap::new());
    let mut events = told.events.subscribe();
    let is_over = |events: &Vec<Event>| matches!(events.last(), Some(Event::Away(B)));
    let events = events.wait_for(is_over).await.unwrap().clone();
    assert!(events.len() >= 40, "there were sessions");
    for two in events.chunks(2) {
        assert!(matches!(two, [Event::Up(B, _), Event::Away(B)]), "{events:?}");
    }
}

#[tokio::test]
async fn what_is_said_on_being_up_is_the_first_that_is_heard_in_every_session() {
    let net = SimNet::default();
    let (_listener, mut heard) = node(&net, B, "b");
    let (told, mesh) = mesh(&net);
    told.mesh.set(mesh.clone()).ok().unwrap();
    mesh.follow(&addresses([(B, "b")]));
    for turn in 0..3 {
        let session = up(&mesh, B).await;
        mesh.say(B, Bytes::from_static(b"later")).unwrap();
        assert_eq!(heard.arrived().await.session, session);
        assert_eq!(heard.said().await.body, "hello", "in session {turn}");
        assert_eq!(heard.said().await.body, "later");
        let mut status = mesh.status(B).unwrap();
        net.break_between(A, B);
        heard.gone().await;
        status.wait_for(|status| *status != Status::Up { session }).await.unwrap();
    }
}

#[tokio::test]
async fn who_waits_for_an_answer_learns_of_the_end_after_it_was_told() {
    let net = SimNet::default();
    let (_listener, mut heard) = node(&net, B, "b");
    let (told, mesh) = mesh(&net);
    for is_dropped in [false, true] {
        mesh.follow(&addresses([(B, "b")]));
        let session = up(&mesh, B).await;
        heard.arrived().await;
        let answer = mesh.ask(B, Bytes::from_static(b"?"), LONG);
        let asked = heard.asked().await;
        if is_dropped {
            mesh.follow(&BTreeMap::new())
        } else {
            net.break_between(A, B)
        }
        assert_eq!(answer.await, Err(AskError::Lost));
        let events = told.events.borrow().clone();
        assert_eq!(events[events.len() - 2..], [Event::Up(B, session), Event::Away(B)]);
        drop(asked);
        heard.gone().await;
    }
}

#[tokio::test]
async fn the_newest_table_that_is_known_stands_on_what_is_said_to_those_who_come_later_too() {
    let net = SimNet::default();
    let (_listener, mut heard) = node(&net, B, "b");
    let (_, mesh) = mesh(&net);
    mesh.knows_table(9);
    mesh.knows_table(8);
    mesh.follow(&addresses([(B, "b")]));
    up(&mesh, B).await;
    heard.arrived().await;
    mesh.say(B, Bytes::new()).unwrap();
    assert_eq!(heard.said().await.table, 9);
    mesh.knows_table(10);
    mesh.say(B, Bytes::new()).unwrap();
    assert_eq!(heard.said().await.table, 10);
}

#[tokio::test]
async fn one_listener_brings_each_lane_to_the_one_above_it() {
    let net = SimNet::default();
    let (group, mut group_heard) = Above::new();
    let (chat, mut chat_heard) = Above::new();
    let lanes = Lanes { group: Arc::new(group), chat: Arc::new(chat) };
    let _listener = Listener::listen(Arc::new(net.join(B, "b")), B, patient(), Arc::new(lanes));
    let transport = Arc::new(net.join(A, "a"));
    for (lane, heard) in [(Lane::Group, &mut group_heard), (Lane::Chat, &mut chat_heard)] {
        let mesh = Mesh::new(transport.clone(), A, lane, patient(), Arc::new(()));
        mesh.follow(&addresses([(B, "b")]));
        assert_eq!(heard.arrived().await.lane, lane);
        up(&mesh, B).await;
        mesh.say(B, Bytes::from_static(b"said")).unwrap();
        assert_eq!(heard.said().await.body, "said");
        let answer = mesh.ask(B, Bytes::from_static(b"asked"), LONG);
        heard.asked().await.answer(Ok(Bytes::from_static(b"answered")), 0);
        assert_eq!(answer.await.unwrap(), "answered");
        drop(mesh);
        heard.gone().await;
    }
    assert!(group_heard.ready().is_empty() && chat_heard.ready().is_empty());
}
