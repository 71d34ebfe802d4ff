//! `hubbub store serve`: the data of a directory for many nodes, by a process of its own. No rooms, no people, no clients;
//! an admin port if one is asked for, and the socket of the command line, which takes backups.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use schema::ErrorCode;
use store::remote::{Door, Secret, Server, ServerConfig, is_loopback};
use tokio::signal::unix::{SignalKind, signal};

use crate::admin::desk::{Backup, backed_up, set_log_level};
use crate::admin::{self, Answer, Carry, Order, Refused};
use crate::config::Config;
use crate::data;
use crate::health::Health;
use crate::wiring::bind;

#[derive(Clone, Debug)]
pub struct Options {
    pub data_dir: PathBuf,
    pub listen: SocketAddr,
    pub admin: Option<SocketAddr>,
    /// `None`: in the data directory, made at the first start.
    pub secret_file: Option<PathBuf>,
    /// Certificate and key, PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// Until SIGTERM or Ctrl-C.
pub async fn serve(config: &Config, options: Options) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let door = match &options.tls {
        Some((chain, key)) => Door::new(chain, key)?,
        None if is_loopback(&options.listen.to_string()) => Door::default(),
        None => bail!("{} can be reached from other machines: give --tls-cert and --tls-key, or listen on 127.0.0.1", options.listen),
    };
    let health = Health::default();
    // Before the store makes its metrics.
    let metrics = admin::metrics::install()?;
    tokio::spawn(admin::metrics::upkeep(metrics.clone()));
    let mut admin_address = None;
    if let Some(address) = options.admin {
        let listener = bind(address, "--admin").await?;
        admin_address = Some(listener.local_addr()?);
        let port = admin::port::router(admin::port::Port { health: health.clone(), metrics });
        tokio::spawn(async move { axum::serve(listener, port).await });
    }
    let listener = bind(options.listen, "--listen").await?;
    let store = data::open_embedded(config, &options.data_dir).await?;
    let secret = match &options.secret_file {
        Some(file) => Secret::read(file)?,
        None => own_secret(&options.data_dir.join("secret"))?,
    };
    let check = data::check_of(&store);
    health.ready_while("store", check);
    let socket = admin::socket::bind(&options.data_dir).context("the socket for the command line cannot be made")?;
    let orders = tokio::spawn(admin::socket::serve(socket, Desk { backup: data::backup_of(&store) }));
    let server = Server::start(listener, store.clone(), ServerConfig { door, ..ServerConfig::new(secret) })?;
    health.serving();
    tracing::info!(address = %server.address(), admin = admin_address.map(tracing::field::display), data = %options.data_dir.display(), "serving the store");
    tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
    tracing::info!("stopping");
    health.draining();
    server.stop().await;
    orders.abort();
    // What was taken is written out when the last one lets it go, and that blocks.
    tokio::task::spawn_blocking(move || drop(store)).await?;
    Ok(())
}

/// Made once, for its owner alone; nodes are given the file.
fn own_secret(file: &Path) -> anyhow::Result<Secret> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    match made {
        Ok(mut made) => {
            let bytes: [u8; 32] = rand::random();
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let written = writeln!(made, "{text}").and_then(|()| made.sync_all());
            written.with_context(|| format!("the secret {} cannot be written", file.display()))?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("the secret {} cannot be made", file.display())),
    }
    Ok(Secret::read(file)?)
}

/// What a store process can be told; everything else is about rooms and people, of which it knows nothing.
#[derive(Clone)]
struct Desk {
    backup: Backup,
}

impl Carry for Desk {
    async fn carry_out(&self, order: Order) -> Result<Answer, Refused> {
        match order {
            Order::Backup { to } => backed_up(&self.backup, to).await,
            Order::SetLogLevel { level } => set_log_level(&level),
            _ => Err(Refused::new(ErrorCode::BadRequest, "a store process has no people and no rooms: ask a node that uses it")),
        }
    }
}
