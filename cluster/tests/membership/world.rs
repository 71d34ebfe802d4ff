//! Nodes, and the network between them: the real code, the link's simulated transport, real files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cluster::link::{Lane, Limits, Listener, Mesh, SimNet};
use cluster::membership::{Config, Error, Folder, GroupStatus, Identity, Membership};
use cluster::{Command, NodeId, Outcome, Spec, Status};
use parking_lot::Mutex;
use tempfile::TempDir;

/// Of the clock that runs ahead: whoever waits longer waits for ever.
const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);
pub const FOUNDER: Identity = Identity { node: NodeId(1), cluster: 7 };

pub struct World {
    net: SimNet,
    cut: Mutex<Vec<(NodeId, NodeId)>>,
    folders: BTreeMap<String, TempDir>,
    pub nodes: BTreeMap<String, Membership>,
    doors: BTreeMap<String, Listener>,
}

pub fn spec(name: &str) -> Spec {
    Spec { address: name.into(), zone: String::new(), weight: 100, fingerprint: [0; 32] }
}

/// In memory where the system has such a place: none of this is about disks, and five nodes that wait for one take long.
pub fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// On the folder, as whoever it says, or else as `newcomer`.
pub async fn start(net: &SimNet, folder: &Path, name: &str, newcomer: Identity, above: u64) -> Result<(Membership, Listener), Error> {
    let mut folder = Folder::open(folder)?;
    if folder.identity().is_none() {
        folder.remember(newcomer).await?;
    }
    let us = folder.identity().expect("it was remembered").node;
    let transport = Arc::new(net.join(us, name));
    let mesh = Arc::new(Mesh::new(transport.clone(), us, Lane::Group, Limits::default(), Arc::new(())));
    let node = Membership::start(folder, Config { spec: spec(name), above, slots: 64 }, mesh).await?;
    let door = Listener::listen(transport, us, Limits::default(), Arc::new(node.clone()));
    Ok((node, door))
}

impl World {
    pub fn empty() -> Self {
        Self { net: SimNet::default(), cut: Mutex::default(), folders: BTreeMap::new(), nodes: BTreeMap::new(), doors: BTreeMap::new() }
    }

    /// n1 founded it, the others joined, one after the other.
    pub async fn of(count: usize) -> Self {
        let mut world = Self::empty();
        world.start("n1", FOUNDER).await.expect("n1 founds");
        for n in 2..=count {
            world.join(&format!("n{n}")).await;
        }
        let votes = [0, 1, 1, 3, 3, 5, 5, 5][count];
        world.until("the voters vote", |world| world.agreed(|status| status.voters.len() == votes)).await;
        world
    }

    pub async fn join(&mut self, name: &str) -> NodeId {
        let newcomer = self.let_in(name).await;
        let node = self.start(name, newcomer).await.expect("it starts");
        node.active().await.expect("it is active");
        node.node()
    }

    /// A new node is known to the group, and does not run yet.
    pub async fn let_in(&self, name: &str) -> Identity {
        let seed = self.nodes.values().next().expect("somebody lets it in");
        match seed.propose(Command::Join { spec: spec(name) }).await.expect("the group agrees") {
            Outcome::Joined { node, cluster } => Identity { node, cluster },
            other => panic!("{name} was not let in: {other:?}"),
        }
    }

    /// The process of a node begins, on the folder it has.
    pub async fn start(&mut self, name: &str, newcomer: Identity) -> Result<Membership, Error> {
        let folder = self.folders.entry(name.into()).or_insert_with(folder).path().to_owned();
        let (node, door) = start(&self.net, &folder, name, newcomer, 0).await?;
        self.nodes.insert(name.into(), node.clone());
        self.doors.insert(name.into(), door);
        Ok(node)
    }

    /// Its process begins again; it knows who it is.
    pub async fn restart(&mut self, name: &str) -> Membership {
        self.start(name, Identity { node: NodeId(0), cluster: 0 }).await.expect("it starts")
    }

    /// Its process ends without a word.
    pub async fn kill(&mut self, name: &str) {
        self.doors.remove(name);
        self.nodes.remove(name).expect("it runs").stop().await;
    }

    pub fn wipe(&mut self, name: &str) {
        self.folders.remove(name);
    }

    pub fn cut(&self, side: &[&str]) {
        let (inside, outside): (Vec<_>, Vec<_>) = self.nodes.keys().partition(|name| side.contains(&name.as_str()));
        for (one, other) in inside.iter().flat_map(|one| outside.iter().map(move |other| (one, other))) {
            self.cut_between(one, other);
        }
    }

    pub fn cut_between(&self, one: &str, other: &str) {
        let (one, other) = (self.nodes[one].node(), self.nodes[other].node());
        for (from, to) in [(one, other), (other, one)] {
            self.net.cut(from, to);
            self.cut.lock().push((from, to));
        }
    }

    pub fn heal(&self) {
        self.cut.lock().drain(..).for_each(|(from, to)| self.net.heal(from, to));
    }

    pub async fn pass(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await; // poll: nothing is to be seen
    }

    pub fn status(&self, name: &str) -> GroupStatus {
        self.nodes[name].status()
    }

    pub fn leader(&self) -> Option<String> {
        let leads = |node: &Membership| node.status().leader == Some(node.node());
        let best = self.nodes.iter().filter(|(_, node)| leads(node)).max_by_key(|(_, node)| node.status().term);
        best.map(|(name, _)| name.clone())
    }

    /// Whether every running node sees it so, and all see the same state.
    pub fn agreed(&self, is: impl Fn(&GroupStatus) -> bool) -> bool {
        let all: Vec<_> = self.nodes.values().map(Membership::status).collect();
        all.iter().all(|status| is(status) && status.state == all[0].state && status.leader.is_some())
    }

    pub fn is(&self, status: &GroupStatus, name: &str, expected: Status) -> bool {
        status.state.nodes.values().any(|node| node.spec.address == name && node.status == expected)
    }

    pub async fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while !is(self) {
            let seen: Vec<_> = self.nodes.values().map(Membership::status).collect();
            assert!(tokio::time::Instant::now() < deadline, "not seen: {what}\n{seen:#?}");
            tokio::time::sleep(POLL).await; // poll
        }
    }

    /// What moves is handed over, as its owners would, until nothing moves any more and every slot's owner is active.
    pub async fn settle(&self) {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            assert!(tokio::time::Instant::now() < deadline, "the slots do not come to rest");
            let Some(leader) = self.leader().map(|name| self.nodes[&name].clone()) else {
                tokio::time::sleep(POLL).await; // poll
                continue;
            };
            let state = leader.state();
            let moving: Vec<_> = cluster::plan::under_way(&state).collect();
            for step in &moving {
                // Refused if it was given up meanwhile.
                let _ = leader.end_move(step.slot, step.to).await;
            }
            let rest = cluster::plan::plan(&state, 64);
            if moving.is_empty() && rest == Default::default() && self.agreed(|_| true) {
                return;
            }
            tokio::time::sleep(POLL).await; // poll
        }
    }
}
