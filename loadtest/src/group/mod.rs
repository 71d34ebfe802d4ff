//! Nodes of one group on one store process, as processes of this machine: started, watched, and broken on purpose. On
//! loopback, or each in a network namespace of its own, where what they say to each other can be lost.

mod fault;
pub mod net;
mod status;
mod store;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

pub use net::Net;
pub use status::Status;
pub use store::Store;

use crate::process::{self, Key, Place, Process};
use crate::run::Watched;

/// A group that is not whole again within this time never will be.
const SETTLE_MAX: Duration = Duration::from_secs(90);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// How a group is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    pub nodes: usize,
    /// How many may join later.
    pub spare: usize,
    /// In namespaces of their own.
    pub net: bool,
    /// Their clocks can be put forward and back, by libfaketime.
    pub clocks: bool,
    /// Of each node's configuration.
    pub keys: Vec<(String, String, String)>,
    /// Of the slots, a node's share beside the others', in the order of starting; 100 where nothing is said, and none with 0.
    pub weights: Vec<u16>,
    /// Processors that nodes and store process keep to; none: those of who starts them.
    pub cpus: Option<Vec<usize>>,
}

/// A node, and what the group knows it by.
#[derive(Clone)]
struct Member {
    watched: Watched,
    /// Its place in the network, and in the order of starting.
    host: usize,
    /// `host:port` for the others.
    address: String,
}

pub struct Group {
    binary: PathBuf,
    folder: PathBuf,
    plan: Plan,
    members: Mutex<Vec<Member>>,
    store: tokio::sync::Mutex<Store>,
    // The last to go: what runs in it goes before.
    net: Option<Net>,
}

impl Group {
    /// When all of them serve: the first founds the group, and lets the others in. With `plan.net` this thread, and those that
    /// it makes, are in that network from now on.
    pub async fn start(binary: &Path, folder: &Path, plan: Plan) -> Result<Self> {
        let net = if plan.net { Some(Net::make(1 + plan.nodes + plan.spare)?) } else { None };
        if let Some(net) = &net {
            net.enter()?;
        }
        let at = |port| SocketAddr::from((Net::address(STORE), port));
        let (address, admin, within) = match &net {
            Some(net) => (at(7700), at(9190), net.at(STORE)),
            None => (process::free_address()?, process::free_address()?, Vec::new()),
        };
        let place = Place { http: address, admin, cpus: plan.cpus.clone(), within, environment: Vec::new() };
        let store = Store::start(binary, &folder.join("store"), place).await?;
        let (binary, folder, store) = (binary.to_owned(), folder.to_owned(), tokio::sync::Mutex::new(store));
        let group = Self { binary, folder, plan, members: Mutex::default(), store, net };
        for _ in 0..group.plan.nodes {
            group.grow().await?;
        }
        group.settle().await?;
        Ok(group)
    }

    pub fn has_net(&self) -> bool {
        self.net.is_some()
    }

    fn members(&self) -> Vec<Member> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn nodes(&self) -> Vec<Watched> {
        self.members().into_iter().map(|member| member.watched).collect()
    }

    /// For clients.
    pub async fn addresses(&self) -> Result<Vec<SocketAddr>> {
        let mut addresses = Vec::new();
        for node in self.nodes() {
            addresses.push(node.process().await?.target().node);
        }
        Ok(addresses)
    }

    /// One more node; returns when it serves.
    pub async fn grow(&self) -> Result<()> {
        let members = self.members();
        let host = members.iter().map(|member| member.host).max().unwrap_or(STORE) + 1;
        let (place, address) = self.place(host)?;
        let mut keys: Vec<Key<'_>> = self.plan.keys.iter().map(|(section, key, value)| (&**section, &**key, value.clone())).collect();
        keys.extend(self.store.lock().await.keys());
        keys.push(("cluster", "listen", format!("\"{address}\"")));
        if let Some(weight) = self.plan.weights.get(host - 1) {
            keys.push(("cluster", "weight", weight.to_string()));
        }
        if let Some(first) = members.first() {
            keys.push(("cluster", "token", format!("\"{}\"", self.token(first).await?)));
        }
        let started = Process::start_at(&self.binary, &self.folder.join(host.to_string()), &keys, place).await?;
        let member = Member { watched: Watched::started(started).await, host, address: address.to_string() };
        self.members.lock().unwrap_or_else(PoisonError::into_inner).push(member);
        Ok(())
    }

    fn place(&self, host: usize) -> Result<(Place, SocketAddr)> {
        let mut place = Place { cpus: self.plan.cpus.clone(), ..Place::free()? };
        let mut listen = process::free_address()?;
        if let Some(net) = &self.net {
            let at = |port| SocketAddr::from((Net::address(host), port));
            (place.http, place.admin, listen) = (at(8080), at(9090), at(7000));
            place.within = net.at(host);
        }
        if self.plan.clocks {
            let folder = self.folder.join(host.to_string());
            std::fs::create_dir_all(&folder)?;
            place.environment = fault::clock_of(&folder)?;
        }
        Ok((place, listen))
    }

    async fn token(&self, member: &Member) -> Result<String> {
        let told = member.watched.process().await?.command(&["cluster", "token"]).output()?;
        ensure!(told.status.success(), "no token: {}", String::from_utf8_lossy(&told.stderr).trim());
        Ok(String::from_utf8(told.stdout)?.trim().to_owned())
    }

    /// What a node says of the group; none: it does not answer.
    async fn status(&self, member: &Member) -> Result<Option<Status>> {
        let command = member.watched.process().await?.command(&["--json", "cluster", "status"]);
        let told = tokio::process::Command::from(command).kill_on_drop(true).output();
        let Ok(told) = tokio::time::timeout(Duration::from_secs(5), told).await else { return Ok(None) };
        Ok(serde_json::from_slice::<status::Said>(&told?.stdout).ok().map(|said| said.status))
    }

    /// Waits until every node is ready and all of them know each other as active, with slots, and none on its way.
    pub async fn settle(&self) -> Result<()> {
        let (begun, members) = (Instant::now(), self.members());
        for member in &members {
            loop {
                let is_ready = member.watched.process().await?.is_ready().await;
                let status = if is_ready { self.status(member).await? } else { None };
                if status.as_ref().is_some_and(|status| status.is_settled(members.len())) {
                    break;
                }
                ensure!(
                    begun.elapsed() < SETTLE_MAX,
                    "the group is not whole again after {} s: node {} says {status:?}\n{}",
                    SETTLE_MAX.as_secs(),
                    member.host,
                    self.last_words().await
                );
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }

    /// The member that leads, as the others say; waits until somebody does.
    async fn leader(&self) -> Result<Member> {
        let begun = Instant::now();
        loop {
            for member in self.members() {
                if !member.watched.process().await?.is_running() {
                    continue;
                }
                let Some(status) = self.status(&member).await? else { continue };
                let leader = status.leader_address();
                let found = self.members().into_iter().find(|member| leader == Some(member.address.as_str()));
                if let Some(found) = found
                    && found.watched.process().await?.is_running()
                {
                    return Ok(found);
                }
            }
            ensure!(begun.elapsed() < SETTLE_MAX, "nobody leads the group:\n{}", self.last_words().await);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A metric over all nodes.
    pub async fn metric(&self, name: &str) -> Result<f64> {
        let mut sum = 0.0;
        for node in self.nodes() {
            sum += node.process().await?.metric(name).await?;
        }
        Ok(sum)
    }

    /// Of the store process alone.
    pub async fn store_metric(&self, name: &str) -> Result<f64> {
        self.store.lock().await.metric(name).await
    }
    /// User and system time of the store process.
    pub async fn store_cpu_us(&self) -> Result<u64> {
        Ok(process::cpu_us(self.store.lock().await.pid())?)
    }

    pub async fn last_words(&self) -> String {
        let mut said = format!("store process:\n{}\n", self.store.lock().await.last_words());
        for member in self.members() {
            said += &format!("node {}:\n{}\n", member.host, member.watched.last_words().await);
        }
        said
    }

    fn net(&self) -> Result<&Net> {
        self.net.as_ref().context("this group has no network of its own")
    }
}

/// The store process's place in the network.
const STORE: usize = 0;

impl Drop for Group {
    fn drop(&mut self) {
        self.members.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
