//! Where everything is wired: from a configuration to a running node, and from a signal to a stopped one. Reads like a
//! list; what a part does is in the part.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ::cluster::{Member, NodeId, Ring, Table};
use actors::peer::Peers;
use actors::{Among, Node};
use anyhow::{Context, bail};
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use store::embedded::Lock;
use store::{Calls, Records};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use crate::admin::{self, Desk};
use crate::auth::Auth;
use crate::cluster::{self, Alone, place};
use crate::config::{Backend, Config};
use crate::data::{self, Opened};
use crate::edge::{Certificates, Door, Lots, Origins, Secure};
use crate::health::Health;
use crate::http::{self, Http, Peer};
use crate::memory::{Measures, Memory};
use crate::{logs, up};

/// Slots of a data set; the number is stored nowhere else and stays.
pub const SLOTS: u16 = 256;

/// Everything of a node that people and programs can reach.
pub struct Running {
    pub node: Node,
    pub auth: Auth,
    pub health: Health,
    /// As bound: a port 0 in the configuration is a real one here.
    pub http: SocketAddr,
    pub admin: SocketAddr,
    member: Arc<Member>,
    door: Arc<Door>,
    lots: Arc<Lots>,
    drain_ms: u32,
    _lock: Option<Lock>,
}

/// What carries orders out on data that no node runs on: all of a node but its doors.
pub async fn desk(config: &Config) -> anyhow::Result<Desk> {
    let Opened { journal, records, installation, backup, .. } = data::open(config).await?;
    let auth = Auth::open(records.clone(), config.auth.settings()).await?;
    let actors = config.rooms.settings(installation, SLOTS, config.limits.heartbeat_ms);
    let (us, grant) = (NodeId(1), data::granted(&*journal, SLOTS).await? + 1);
    let ring = Arc::new(Ring::new(us, Table::alone(us, grant, SLOTS)));
    let among = Among { ring, peers: Arc::default() };
    let node = Node::start_among(among, actors, journal, records.clone(), Vec::new()).await?;
    Ok(Desk { auth, records, node, backup, group: None, slots: SLOTS })
}

/// Starts a node and answers when it serves.
pub async fn start(config: &Config) -> anyhow::Result<Running> {
    let health = Health::default();
    let metrics = admin::metrics::install()?;
    tokio::spawn(admin::metrics::upkeep(metrics.clone()));
    let admin_listener = bind(config.listen.admin, "listen.admin").await?;
    let admin_address = admin_listener.local_addr()?;
    let port = admin::port::router(admin::port::Port { health: health.clone(), metrics });
    tokio::spawn(async move { axum::serve(admin_listener, port).await });

    let certificates = certificates(config)?;
    let origins = origins(config)?;
    let socket = hold(config.listen.http, "listen.http")?;
    let http_address = socket.local_addr()?;

    let Opened { journal, records, installation, backup, check, lock } = data::open(config).await?;
    health.ready_while("store", check);
    let (alone, peers) = (alone(config), Arc::<Peers>::default());
    let member = Arc::new(cluster::start(config, alone, data::granted(&*journal, SLOTS).await?, peers.clone()).await?);
    cluster::watch(&member, &health);
    let group = Some((member.clone(), alone));
    let records = calls(config, records);
    let memory = Memory::new(&config.limits);
    let watched = memory.clone();
    health.ready_while("memory", move || watched.check());
    let auth = Auth::open(records.clone(), config.auth.settings()).await?;
    let prepared = Lots::prepare(&config.limits, lots(config))?;
    let outlets = prepared.outlets();
    let actors = config.rooms.settings(installation, SLOTS, config.limits.heartbeat_ms);
    let actors = actors::Config { nodes: config.edge.nodes.clone(), ..actors };
    let (among, placed) = (place::among(&member, peers, alone), member.ring().table());
    let node = Node::start_among(among, actors, journal, records.clone(), outlets.clone()).await?;
    place::follow(member.clone(), node.clone(), placed);
    let lots = Arc::new(prepared.start(up::upward(node.clone(), auth.clone(), outlets, Handle::current()))?);
    let closing = node.clone();
    auth.on_revoked(move |user, login| closing.close_login(user, login));
    let refusing = auth.clone();
    node.on_revoked(move |login| refusing.revoked_elsewhere(login));
    tokio::spawn(auth.clone().upkeep());

    let desk = Desk { auth: auth.clone(), records, node: node.clone(), backup, group, slots: SLOTS };
    let commands = admin::socket::bind(&config.node.data_dir).context("the socket for the command line cannot be made")?;
    tokio::spawn(admin::socket::serve(commands, desk));

    let door = Door::new(lots.clone(), router(config, &auth, &node, &lots), origins, config.edge.trusted_proxies.clone(), certificates);
    look(&memory, &node, &door, &lots);
    tokio::spawn(look_around(memory, node.clone(), Arc::downgrade(&door), Arc::downgrade(&lots)));
    let (serving, listener) = (door.clone(), listen(socket, config.listen.http, "listen.http")?);
    tokio::spawn(async move { serving.serve(listener).await });
    health.serving();
    Ok(Running {
        node,
        auth,
        health,
        http: http_address,
        admin: admin_address,
        member,
        door,
        lots,
        drain_ms: config.node.drain_ms,
        _lock: lock,
    })
}

/// Runs a node until SIGTERM or Ctrl-C, then lets everybody go. A second signal ends it at once.
pub async fn serve(config: &Config) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // It may wait for its group, or for its store, as long as these are away.
    let running = tokio::select! {
        started = start(config) => started?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    let scheme = if config.listen.tls_cert.as_os_str().is_empty() { "http" } else { "https" };
    tracing::info!(address = %format!("{scheme}://{}", running.http), admin = %running.admin, "serving");
    let member = running.member.clone();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        removed = member.removed() => {
            tracing::error!("{removed}");
            running.leave().await;
            return Err(removed.into());
        }
    }
    tracing::info!("draining");
    tokio::select! {
        stopped = running.stop() => stopped,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

impl Running {
    /// Lets everybody go in their own time, then saves what is not saved yet.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.health.draining();
        self.door.drain();
        place::give_away(&self.member).await;
        self.send_away().await;
        self.node.flush().await?;
        self.member.stop().await;
        Ok(())
    }

    /// The group has removed this node: what it had is others' by now, and there is nothing to hand over and nothing to save.
    async fn leave(self) {
        self.health.draining();
        self.door.drain();
        self.send_away().await;
        self.member.stop().await;
    }

    async fn send_away(&self) {
        self.node.send_away(self.drain_ms);
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        let deadline = tokio::time::Instant::now() + Duration::from_millis(u64::from(self.drain_ms) + DRAIN_GRACE_MS);
        while self.lots.connections() > 0 && tokio::time::Instant::now() < deadline {
            looks.tick().await;
        }
    }
}

/// Why no other node can be beside this one.
fn alone(config: &Config) -> Alone {
    match config.store.backend {
        Backend::Embedded => Some(cluster::OWN_STORE),
        Backend::Remote => None,
    }
}

/// What people wait for goes through this; what nobody waits for, and the journal, has bounds of its own.
fn calls(config: &Config, records: Arc<dyn Records>) -> Arc<dyn Records> {
    Arc::new(Calls::new(records, config.store.calls_max, Duration::from_millis(config.store.call_ms.into())))
}

/// How often what is bounded is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How much of everything is in use, for the metrics; and what follows from the memory that is.
async fn look_around(memory: Memory, node: Node, door: Weak<Door>, lots: Weak<Lots>) {
    let mut looks = tokio::time::interval(LOOK);
    while let (Some(door), Some(lots)) = (door.upgrade(), lots.upgrade()) {
        look(&memory, &node, &door, &lots);
        drop((door, lots));
        looks.tick().await;
    }
}

fn look(memory: &Memory, node: &Node, door: &Door, lots: &Lots) {
    let Measures { level, close_bytes } = memory.look();
    door.take_sockets(level.takes_sockets());
    node.shed(level.classes_shed());
    lots.close_slowest(close_bytes);
    node.measure();
}

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// After the drain window, for what is still under way.
const DRAIN_GRACE_MS: u64 = 1_000;

fn router(config: &Config, auth: &Auth, node: &Node, lots: &Arc<Lots>) -> Router {
    let counted = lots.clone();
    let admit = Box::new(move |user| counted.users().admit(user, None, counted.now_ms()));
    let settings = http::Config {
        origins: config.edge.origins.clone(),
        nodes: config.edge.nodes.clone(),
        trusted_proxies: config.edge.trusted_proxies.clone(),
        web_dir: Some(config.node.web_dir.clone()).filter(|dir| !dir.as_os_str().is_empty()),
        refresh_days: config.auth.refresh_days,
        requests_max: config.limits.http_connections_max,
        events_per_minute: config.limits.user_events_per_minute,
    };
    // The door knows the socket, the API wants the peer.
    let peer = |mut request: Request| async move {
        let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        let tls = request.extensions().get::<Secure>().is_some_and(|secure| secure.0);
        if let Some(address) = address {
            request.extensions_mut().insert(Peer { address, tls });
        }
        request
    };
    Http::new(auth.clone(), node.clone(), admit, settings).router().layer(axum::middleware::map_request(peer))
}

fn lots(config: &Config) -> u16 {
    match config.edge.lots {
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().min(64) as u16),
        count => count.min(1_024) as u16,
    }
}

fn origins(config: &Config) -> anyhow::Result<Origins> {
    Origins::new(config.edge.origins.iter().chain(&config.edge.nodes).cloned()).map_err(|entry| {
        anyhow::anyhow!("edge.origins and edge.nodes: \"{entry}\" is no origin: write it like \"https://chat.example.org\"")
    })
}

/// Looks at what a configuration names, without starting anything. Errors: one sentence for the first thing that is wrong.
pub fn check(config: &Config) -> anyhow::Result<()> {
    logs::check(&config.log.level)?;
    certificates(config)?;
    origins(config)?;
    let web_dir = &config.node.web_dir;
    if !web_dir.as_os_str().is_empty() && !web_dir.is_dir() {
        bail!("node.web_dir: there is no folder {}: build the client, or leave the key out", web_dir.display());
    }
    Ok(())
}

fn certificates(config: &Config) -> anyhow::Result<Option<Arc<Certificates>>> {
    let (chain, key) = (config.listen.tls_cert.clone(), config.listen.tls_key.clone());
    match (chain.as_os_str().is_empty(), key.as_os_str().is_empty()) {
        (true, true) => Ok(None),
        (false, false) => Ok(Some(Arc::new(Certificates::load(chain, key)?))),
        _ => bail!("listen.tls_cert and listen.tls_key belong together: set both, or none"),
    }
}

/// `key`: what names the address, for whoever has to change it.
pub async fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| not_ours(address, key, &error))
}

/// The address is ours, and nobody is heard there before `listen`: whoever comes meanwhile is turned away at once, and tries another
/// node instead of waiting for this one.
fn hold(address: SocketAddr, key: &str) -> anyhow::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let held = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    });
    held.map_err(|error| not_ours(address, key, &error))
}

fn listen(socket: TcpSocket, address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    socket.listen(BACKLOG).map_err(|error| not_ours(address, key, &error))
}

fn not_ours(address: SocketAddr, key: &str, error: &io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!("{address} is taken by another program: stop it, or set {key} to another port"),
        io::ErrorKind::PermissionDenied => anyhow::anyhow!("this user may not listen on {address}: set {key} to a port above 1023"),
        _ => anyhow::anyhow!("{key} = \"{address}\" cannot be listened on: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn who_comes_before_the_node_serves_is_turned_away_and_does_not_wait() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let socket = hold(any, "listen.http").unwrap();
        let address = socket.local_addr().unwrap();
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let _listener = listen(socket, any, "listen.http").unwrap();
        assert!(TcpStream::connect(address).is_ok());
        let taken = hold(address, "listen.http").unwrap_err().to_string();
        assert_eq!(taken, format!("{address} is taken by another program: stop it, or set listen.http to another port"));
    }
}
