//! Which node a run is against: one that is running, or one that is started for the run and gone afterwards.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::client::Trust;
use crate::group::{Group, Plan};
use crate::process::{self, Process};
use crate::run::{self, Guests, Hiring, Watched, WorkerKind};

#[derive(Clone, Debug, clap::Args)]
#[group(id = "node_options")]
pub struct Options {
    /// The node's address, as in http://127.0.0.1:8080 or https://chat.example.com: where `cargo xtask up` puts it, unless you say another. Several nodes
    /// share nothing: people and rooms are dealt out among them
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = node_address, value_delimiter = ',')]
    pub node: Vec<Address>,
    /// For https://: a PEM file with the authorities that are believed; without it, the system's
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// For https://: believe whatever certificate is shown
    #[arg(long, conflicts_with = "ca")]
    pub insecure_any_certificate: bool,
    /// Start a node for this run, in a folder of its own and with bounds that do not stand in the way
    #[arg(long)]
    pub start: bool,
    /// So many of them, for --start
    #[arg(long, default_value_t = 1, value_name = "N", requires = "start")]
    pub nodes: u32,
    /// They are one group on one store process, and people go to any of them; for --start
    #[arg(long, requires = "start")]
    pub group: bool,
    /// The group's processes are in network namespaces of their own, so that the network can be broken: Linux, root, nftables
    #[arg(long, requires = "group")]
    pub net: bool,
    /// Of a node's configuration, for --start: another value of a key, as TOML writes it
    #[arg(long, value_name = "SECTION.KEY=VALUE", value_parser = set, requires = "start")]
    pub set: Vec<Set>,
    /// The server's binary, for --start
    #[arg(long, env = "HUBBUB_BIN", default_value = "hubbub", value_name = "FILE")]
    pub server: PathBuf,
    /// Processes that make the load, each with its own share of the users
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub workers: u32,
    /// As many more that come from other machines, where `hubbub-bench worker` starts them
    #[arg(long, default_value_t = 0, value_name = "N", requires = "listen")]
    pub join: u32,
    /// Where to wait for them: an address of this machine that they can reach
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub listen: Option<SocketAddr>,
}

impl Options {
    /// Errors: nodes of which one believes in something else than the next.
    fn trust(&self) -> Result<Option<Trust>> {
        let name = &self.node[0].tls;
        ensure!(self.node.iter().all(|node| node.tls == *name), "all nodes have to be named alike: with https:// and one name, or without");
        let Some(name) = name else { return Ok(None) };
        let trust = if self.insecure_any_certificate { Ok(Trust::anybody(name)) } else { Trust::of(name, self.ca.as_deref()) };
        Ok(Some(trust.map_err(anyhow::Error::msg)?))
    }

    fn hiring(&self) -> Result<Hiring> {
        let guests = self.listen.filter(|_| self.join > 0).map(|listen| Guests { listen, count: self.join });
        let hiring = Hiring { workers: self.workers, kind: WorkerKind::Process, guests };
        ensure!(hiring.all() > 0, "somebody has to make the load: --workers or --join has to be above 0");
        Ok(hiring)
    }
}

impl Default for Options {
    fn default() -> Self {
        let server = std::env::var_os("HUBBUB_BIN").map_or_else(|| "hubbub".into(), PathBuf::from);
        Self {
            node: vec![Address { socket: ([127, 0, 0, 1], 8080).into(), tls: None }],
            ca: None,
            insecure_any_certificate: false,
            start: false,
            nodes: 1,
            group: false,
            net: false,
            set: Vec::new(),
            server,
            workers: 1,
            join: 0,
            listen: None,
        }
    }
}

/// A section, a key, and its value.
pub type Set = (String, String, String);

pub(super) fn set(text: &str) -> Result<Set, String> {
    let (key, value) = text.split_once('=').ok_or("write it like limits.heartbeat_ms=600000")?;
    let (section, key) = key.split_once('.').ok_or("a key has a section: write it like limits.heartbeat_ms=600000")?;
    Ok((section.to_owned(), key.to_owned(), value.to_owned()))
}

/// Where a node is, and its name when it is spoken to by TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    socket: SocketAddr,
    tls: Option<String>,
}

/// As people copy it from a browser, or without anything around it.
fn node_address(text: &str) -> Result<Address, String> {
    let Some(rest) = text.strip_prefix("https://") else { return Ok(Address { socket: address(text)?, tls: None }) };
    let host = rest.trim_end_matches('/');
    let (name, port) = match host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()) {
        Some((name, _)) => (name, ""),
        None => (host, ":443"),
    };
    Ok(Address { socket: address(&format!("{host}{port}"))?, tls: Some(name.trim_matches(['[', ']']).to_owned()) })
}

/// `host:port`.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let host = text.trim_start_matches("http://").trim_end_matches('/');
    let found = host.to_socket_addrs().map_err(|error| format!("{error}: write it like 127.0.0.1:8080"))?;
    // A name that means both is taken by its older address: a node listens there by default.
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.first().copied().ok_or_else(|| format!("{host} has no address"))
}

/// A node that does not take a connection within this time is not there.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// The folder of nodes that were started goes with this.
pub struct Node {
    pub options: run::Options,
    pub nodes: Vec<Watched>,
    folder: Option<tempfile::TempDir>,
}

impl Node {
    pub async fn ready(options: &Options, mode: &str) -> Result<Self> {
        let hiring = options.hiring()?;
        if !options.start {
            for Address { socket: address, .. } in &options.node {
                let answers = tokio::time::timeout(ANSWER_MAX, tokio::net::TcpStream::connect(address)).await;
                ensure!(
                    answers.is_ok_and(|connected| connected.is_ok()),
                    "nobody answers at {address}: start a node with `cargo xtask up`, name another with --node, or let this program start one with --start"
                );
            }
            let addresses: Vec<_> = options.node.iter().map(|address| address.socket).collect();
            let nodes: Vec<_> = addresses.iter().filter_map(|address| Watched::found(*address)).collect();
            let (first, trust) = (addresses[0], options.trust()?);
            let run = run::Options { addresses, trust, nodes: nodes.clone(), hiring, ..run::Options::new(mode, first) };
            return Ok(Self { nodes, options: run, folder: None });
        }
        let mut keys = process::quiet_keys();
        for (section, key, value) in &options.set {
            keys.retain(|(in_section, known, _)| (*in_section, *known) != (section.as_str(), key.as_str()));
            keys.push((section, key, value.clone()));
        }
        let folder = tempfile::tempdir()?;
        let server = || "give the server's binary with --server";
        let (mut nodes, mut addresses, mut group) = (Vec::new(), Vec::new(), None);
        if options.group {
            let own = |(section, key, value): &process::Key<'_>| (section.to_string(), key.to_string(), value.clone());
            let keys = keys.iter().map(own).collect();
            let plan =
                Plan { nodes: options.nodes as usize, spare: 1, net: options.net, clocks: false, keys, weights: Vec::new(), cpus: None };
            let started = Arc::new(Group::start(&options.server, folder.path(), plan).await.with_context(server)?);
            (nodes, addresses) = (started.nodes(), started.addresses().await?);
            group = Some(started);
        } else {
            for number in 0..options.nodes {
                let folder = folder.path().join(number.to_string());
                let process = Process::start(&options.server, &folder, &keys, None).await.with_context(server)?;
                addresses.push(process.target().node);
                nodes.push(Watched::started(process).await);
            }
        }
        let config = keys.iter().map(|(section, key, value)| format!("{section}.{key}={value}")).collect();
        let first = *addresses.first().context("--nodes has to be above 0")?;
        let run = run::Options { addresses, nodes: nodes.clone(), group, hiring, config, ..run::Options::new(mode, first) };
        Ok(Self { nodes, options: run, folder: Some(folder) })
    }

    /// A run that broke says what the node said last.
    pub async fn blame(&self, error: anyhow::Error) -> anyhow::Error {
        match (self.nodes.first(), &self.folder) {
            (Some(watched), Some(_)) => error.context(format!("the node's last words:\n{}", watched.last_words().await)),
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_copied_from_a_browser() {
        for text in ["127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080/", "localhost:8080"] {
            assert_eq!(address(text), Ok(Options::default().node[0].socket), "{text}");
        }
        assert!(address("127.0.0.1").unwrap_err().contains("write it like 127.0.0.1:8080"));
        let node = node_address("https://localhost:8443/").unwrap();
        assert_eq!((node.socket.port(), node.tls.as_deref()), (8443, Some("localhost")));
        assert_eq!(node_address("https://localhost").unwrap().socket.port(), 443);
        assert_eq!(node_address("http://localhost:8080").unwrap().tls, None);
    }
}
