//! A node as a server starts it: over TCP and TLS, from a folder and a token.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cluster::link::{Asked, Meet, Receive, Said, SimNet, Whence};
use cluster::member::{Config, Error, Token, init};
use cluster::{Member, NodeId, Status};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

use crate::world::folder;

/// Tells the test what is said on the chat lane.
struct Ear(mpsc::UnboundedSender<(NodeId, Bytes)>);

impl Receive for Ear {
    fn arrived(&self, _from: Whence) {}
    fn said(&self, said: Said) {
        let _ = self.0.send((said.from.node, said.body.clone()));
    }
    fn asked(&self, _asked: Asked) {}
    fn gone(&self, _from: Whence) {}
}

#[derive(Default)]
struct Ups(watch::Sender<Vec<NodeId>>);

impl Meet for Ups {
    fn up(&self, node: NodeId, _session: u64) {
        self.0.send_modify(|ups| ups.push(node));
    }
}

pub struct Node {
    pub member: Member,
    heard: mpsc::UnboundedReceiver<(NodeId, Bytes)>,
}

pub fn config(folder: &Path, join: Option<Token>) -> Config {
    Config {
        folder: folder.join("cluster"),
        listen: Some("127.0.0.1:0".parse().unwrap()),
        advertise: String::new(),
        zone: "here".into(),
        weight: 100,
        slots: 64,
        above: 0,
        join,
        seeds: Vec::new(),
        certificates_last: cluster::member::CERTIFICATES_LAST,
    }
}

async fn start_with(config: Config) -> Result<Node, Error> {
    let (ear, heard) = mpsc::unbounded_channel();
    Ok(Node { member: Member::start(config, Arc::new(Ear(ear))).await?, heard })
}

async fn start(folder: &TempDir, join: Option<Token>) -> Node {
    start_with(config(folder.path(), join)).await.expect("it starts")
}

/// Until this node knows it so.
pub async fn until(node: &Node, is: impl Fn(&cluster::State) -> bool) {
    node.member.membership().watch().wait_for(|state| is(state)).await.expect("the group runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_lets_a_node_in_and_both_reach_each_other() {
    let folders = [folder(), folder()];
    let mut first = start(&folders[0], None).await;
    let token = first.member.token().await.unwrap();
    let mut second = start(&folders[1], Some(token.to_string().parse().unwrap())).await;
    let (one, two) = (first.member.membership().node(), second.member.membership().node());
    assert!(one == NodeId(1) && two > one);
    for node in [&first, &second] {
        until(node, |state| state.is(one, Status::Active) && state.is(two, Status::Active)).await;
        assert!(node.member.membership().state().nodes[&two].spec.fingerprint != [0; 32]);
    }
    let (at_first, at_second) = (Arc::new(Ups::default()), Arc::new(Ups::default()));
    let (from_first, from_second) = (first.member.chat(at_first.clone()), second.member.chat(at_second.clone()));
    first.member.follow(from_first.clone());
    second.member.follow(from_second.clone());
    for (ups, mesh, other) in [(&at_first, &from_first, two), (&at_second, &from_second, one)] {
        ups.0.subscribe().wait_for(|ups| ups.contains(&other)).await.unwrap();
        mesh.say(other, Bytes::from_static(b"good morning")).unwrap();
    }
    assert_eq!(second.heard.recv().await.unwrap(), (one, Bytes::from_static(b"good morning")));
    assert_eq!(first.heard.recv().await.unwrap(), (two, Bytes::from_static(b"good morning")));
    assert_eq!(second.member.ring().slots(), 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_good_once_and_for_its_own_group_alone() {
    let folders = [folder(), folder(), folder()];
    let first = start(&folders[0], None).await;
    let token = first.member.token().await.unwrap();
    let log = first.member.membership().status().log;
    let guessed = Token { secret: [3; 32], ..token.clone() };
    let refused = start_with(config(folders[2].path(), Some(guessed))).await.err().unwrap();
    assert!(matches!(refused, Error::NotLetIn(_)), "{refused}");
    assert_eq!(first.member.membership().status().log, log, "what a stranger says is written nowhere");
    let _second = start(&folders[1], Some(token.clone())).await;
    let again = start_with(config(folders[2].path(), Some(token.clone()))).await.err().unwrap();
    assert!(matches!(&again, Error::NotLetIn(why) if why.contains("was used before")), "{again}");
    let other = Token { authority: [3; 32], ..first.member.token().await.unwrap() };
    let refused = start_with(config(folders[2].path(), Some(other))).await.err().unwrap();
    assert!(matches!(refused, Error::NobodyThere(_)), "its secret is shown to nobody: {refused}");
}

/// At an address of a simulated net, which can be had again at once.
pub async fn start_at(net: &SimNet, address: &'static str, folder: &TempDir, join: Option<Token>) -> Node {
    start_at_with(net, address, config(folder.path(), join)).await.expect("it starts")
}

pub async fn start_at_with(net: &SimNet, address: &'static str, config: Config) -> Result<Node, Error> {
    let (ear, heard) = mpsc::unbounded_channel();
    let config = Config { advertise: address.into(), ..config };
    let member = Member::start_on(Arc::new(net.open(address)), config, Arc::new(Ear(ear))).await?;
    Ok(Node { member, heard })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_was_stopped_as_a_whole_believes_its_own_again() {
    let (net, folders) = (SimNet::default(), [folder(), folder(), folder()]);
    let named = ["n1", "n2", "n3"].into_iter().zip(&folders);
    let mut nodes: Vec<Node> = Vec::new();
    for (name, folder) in named.clone() {
        let token = match nodes.first() {
            Some(first) => Some(first.member.token().await.unwrap()),
            None => None,
        };
        nodes.push(start_at(&net, name, folder, token).await);
    }
    let before: Vec<_> = nodes.iter().map(|node| node.member.membership().node()).collect();
    for node in &nodes {
        until(node, |state| before.iter().all(|id| state.is(*id, Status::Active))).await;
    }
    for node in nodes.drain(..) {
        node.member.stop().await;
    }
    // None of them has anything but its own files now, and no token.
    let [first, second, third] = [0, 1, 2].map(|n| start_at(&net, ["n1", "n2", "n3"][n], &folders[n], None));
    let (first, second, third) = tokio::join!(first, second, third);
    let after = [first, second, third].map(|node| node.member.membership().node());
    assert_eq!(after, before[..]);
}

#[tokio::test]
async fn a_node_that_others_cannot_reach_makes_no_token_and_its_keys_are_its_users_alone() {
    let folder = folder();
    init(&folder.path().join("cluster")).unwrap();
    assert!(matches!(init(&folder.path().join("cluster")), Err(Error::Initialised(_))));
    let node = start_with(Config { listen: None, ..config(folder.path(), None) }).await.unwrap();
    assert!(matches!(node.member.token().await, Err(Error::NotListening)));
    for name in ["authority.key", "node.key", "authority.pem", "node.pem"] {
        let mode = std::fs::metadata(folder.path().join("cluster").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    node.member.stop().await;
}

#[tokio::test]
async fn an_address_that_means_all_of_a_machine_is_none_to_be_reached_at() {
    let folder = folder();
    let refused = start_with(Config { listen: Some("0.0.0.0:0".parse().unwrap()), ..config(folder.path(), None) }).await;
    assert!(matches!(refused.err(), Some(Error::NoAddress(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_made_anew_while_nodes_run_and_whoever_dials_after_the_first_have_ended_is_believed() {
    let folders = [folder(), folder()];
    let short = |n: usize, join| Config { certificates_last: Duration::from_secs(6), ..config(folders[n].path(), join) };
    let first = start_with(short(0, None)).await.unwrap();
    let second = start_with(short(1, Some(first.member.token().await.unwrap()))).await.unwrap();
    let ids = [&first, &second].map(|node| node.member.membership().node());
    let shown = |state: &cluster::State| ids.map(|id| state.nodes.get(&id).map_or([0; 32], |node| node.spec.fingerprint));
    until(&second, |state| ids.iter().all(|id| state.is(*id, Status::Active))).await;
    // Three turns of four seconds: the first have ended then.
    for _ in 0..3 {
        let before = shown(&first.member.membership().state());
        until(&first, |state| shown(state).iter().zip(&before).all(|(now, before)| now != before)).await;
    }
    // On the chat lane nobody has dialled yet.
    let ups = Arc::new(Ups::default());
    let chat = second.member.chat(ups.clone());
    second.member.follow(chat);
    ups.0.subscribe().wait_for(|ups| ups.contains(&ids[0])).await.unwrap();
    let pem = std::fs::read_to_string(folders[1].path().join("cluster/node.pem")).unwrap();
    let key = std::fs::read_to_string(folders[1].path().join("cluster/node.key")).unwrap();
    let kept = cluster::link::Credentials::from_pem(&pem, &key, &pem).unwrap().fingerprint();
    until(&first, |state| state.trusts(ids[1], kept)).await;
}
