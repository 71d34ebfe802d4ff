//! Which node a run is against: one that is running, or one that is started for the run and gone afterwards.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::process::{self, Key, Process};
use crate::run::{self, Watched};

#[derive(Clone, Debug, clap::Args)]
#[group(id = "node_options")]
pub struct Options {
    /// The node's address, as in http://127.0.0.1:8080: where `cargo xtask up` puts it, unless you say another
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    pub node: SocketAddr,
    /// Start a node for this run, in a folder of its own and with bounds that do not stand in the way
    #[arg(long)]
    pub start: bool,
    /// The server's binary, for --start
    #[arg(long, env = "HUBBUB_BIN", default_value = "hubbub", value_name = "FILE")]
    pub server: PathBuf,
    /// Processes that make the load, each with its own share of the users
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub workers: u32,
}

impl Default for Options {
    fn default() -> Self {
        let server = std::env::var_os("HUBBUB_BIN").map_or_else(|| "hubbub".into(), PathBuf::from);
        Self { node: ([127, 0, 0, 1], 8080).into(), start: false, server, workers: 1 }
    }
}

/// `host:port`, also as people copy it from a browser.
fn address(text: &str) -> Result<SocketAddr, String> {
    if text.starts_with("https://") {
        return Err("this program speaks no TLS: name the port behind the proxy, or use --start".to_owned());
    }
    let host = text.trim_start_matches("http://").trim_end_matches('/');
    let found = host.to_socket_addrs().map_err(|error| format!("{error}: write it like 127.0.0.1:8080"))?;
    // A name that means both is taken by its older address: a node listens there by default.
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.first().copied().ok_or_else(|| format!("{host} has no address"))
}

/// A node that does not take a connection within this time is not there.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// The folder of a node that was started goes with this.
pub struct Node {
    pub options: run::Options,
    pub watched: Option<Watched>,
    folder: Option<tempfile::TempDir>,
}

impl Node {
    pub async fn ready(options: &Options, mode: &str) -> Result<Self> {
        if !options.start {
            let answers = tokio::time::timeout(ANSWER_MAX, tokio::net::TcpStream::connect(options.node)).await;
            ensure!(
                answers.is_ok_and(|connected| connected.is_ok()),
                "nobody answers at {}: start a node with `cargo xtask up`, name another with --node, or let this program start one with --start",
                options.node
            );
            let run = run::Options { workers: options.workers, ..run::Options::new(mode, options.node) };
            return Ok(Self { watched: run.node.clone(), options: run, folder: None });
        }
        let keys = keys();
        let folder = tempfile::tempdir()?;
        let process =
            Process::start(&options.server, folder.path(), &keys, None).await.context("give the server's binary with --server")?;
        let address = process.target().node;
        let watched = Watched::started(process).await;
        let config = keys.iter().map(|(section, key, value)| format!("{section}.{key}={value}")).collect();
        let run = run::Options { node: Some(watched.clone()), workers: options.workers, config, ..run::Options::new(mode, address) };
        Ok(Self { options: run, watched: Some(watched), folder: Some(folder) })
    }

    /// A run that broke says what the node said last.
    pub async fn blame(&self, error: anyhow::Error) -> anyhow::Error {
        match (&self.watched, &self.folder) {
            (Some(watched), Some(_)) => error.context(format!("the node's last words:\n{}", watched.last_words().await)),
            _ => error,
        }
    }
}

/// Everybody comes from one machine and talks a lot.
fn keys() -> Vec<Key<'static>> {
    let mut keys = process::unbounded_keys();
    keys.push(("log", "level", "\"warn\"".to_owned()));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_copied_from_a_browser() {
        for text in ["127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080/", "localhost:8080"] {
            assert_eq!(address(text), Ok(Options::default().node), "{text}");
        }
        assert!(address("127.0.0.1").unwrap_err().contains("write it like 127.0.0.1:8080"));
        assert!(address("https://127.0.0.1:8080").unwrap_err().contains("no TLS"));
    }
}
