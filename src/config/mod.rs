//! What an operator may set: one TOML file, an environment variable per key, defaults that are good for one node.
//! Read once, at start; passed down as values. Does not know what the parts do with it.

mod check;
mod cluster;
mod data;
mod load;
mod nearest;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::auth::{self, SignUpPolicy};
use crate::limits::Limits;

pub use cluster::Cluster;
pub use data::{Backend, Rooms, Store};
pub use load::{Error, FILE_VARIABLE, load};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub node: Node,
    pub listen: Listen,
    pub cluster: Cluster,
    pub auth: Auth,
    pub edge: Edge,
    pub store: Store,
    pub rooms: Rooms,
    pub limits: Limits,
    pub log: Log,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Node {
    /// Where everything durable lies, and the socket the command line talks to.
    pub data_dir: PathBuf,
    /// The built web client; empty: none is served.
    pub web_dir: PathBuf,
    /// How long a stopping node gives its clients to go elsewhere: milliseconds.
    pub drain_ms: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// Clients: REST, WebSocket, the web client.
    pub http: SocketAddr,
    /// Operators: health, metrics, log level. Keep it off the internet.
    pub admin: SocketAddr,
    /// PEM files; both or neither. With them `http` speaks TLS.
    pub tls_cert: PathBuf,
    pub tls_key: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Who may make an account: "open", "invite" or "closed".
    pub signup: SignUpPolicy,
    /// The `iss` of access tokens; changing it signs everybody's access tokens out.
    pub issuer: String,
    pub refresh_days: u32,
    /// A refresh whose answer was lost may be repeated for so long by the same device. 0: never.
    pub refresh_grace_s: u32,
    pub logins_per_user_max: usize,
    /// 0: one per core, at most 8.
    pub passwords_parallel: usize,
    pub passwords_waiting_max: usize,
    pub wrong_per_account_burst: u32,
    pub wrong_per_account_interval_ms: u64,
    pub wrong_per_address_burst: u32,
    pub wrong_per_address_interval_ms: u64,
    pub signups_per_address_burst: u32,
    pub signups_per_address_interval_ms: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edge {
    /// Origins whose pages may talk to this node, exactly as browsers send them ("https://chat.example.org").
    /// The node's own is always allowed.
    pub origins: Vec<String>,
    /// Where browsers reach the nodes of this installation, each as its origin, the same list on every node: a page whose node
    /// goes moves to another of these, and their pages may talk to this node.
    pub nodes: Vec<String>,
    /// Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Threads that hold connections; 0: one per core.
    pub lots: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// "info", or per target: "info,ractor=warn".
    pub level: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON off one.
    #[default]
    Auto,
    Json,
    Pretty,
}

impl Default for Node {
    fn default() -> Self {
        Self { data_dir: "data".into(), web_dir: PathBuf::new(), drain_ms: 10_000 }
    }
}

impl Default for Listen {
    fn default() -> Self {
        let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Self { http: local(8080), admin: local(9090), tls_cert: PathBuf::new(), tls_key: PathBuf::new() }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Auto }
    }
}

impl Default for Auth {
    fn default() -> Self {
        let auth = auth::Config::default();
        Self {
            signup: auth.signup,
            issuer: auth.issuer,
            refresh_days: auth.refresh_days,
            refresh_grace_s: u32::try_from(auth.refresh_grace_ms / 1000).unwrap_or(u32::MAX),
            logins_per_user_max: auth.logins_max,
            passwords_parallel: 0,
            passwords_waiting_max: auth.passwords_waiting_max,
            wrong_per_account_burst: auth.account_burst,
            wrong_per_account_interval_ms: auth.account_interval_ms,
            wrong_per_address_burst: auth.address_burst,
            wrong_per_address_interval_ms: auth.address_interval_ms,
            signups_per_address_burst: auth.signup_burst,
            signups_per_address_interval_ms: auth.signup_interval_ms,
        }
    }
}

impl Auth {
    pub fn settings(&self) -> auth::Config {
        let default = auth::Config::default();
        auth::Config {
            signup: self.signup,
            issuer: self.issuer.clone(),
            refresh_days: self.refresh_days,
            refresh_grace_ms: u64::from(self.refresh_grace_s) * 1000,
            logins_max: self.logins_per_user_max,
            passwords_parallel: if self.passwords_parallel == 0 { default.passwords_parallel } else { self.passwords_parallel },
            passwords_waiting_max: self.passwords_waiting_max,
            account_burst: self.wrong_per_account_burst,
            account_interval_ms: self.wrong_per_account_interval_ms,
            address_burst: self.wrong_per_address_burst,
            address_interval_ms: self.wrong_per_address_interval_ms,
            signup_burst: self.signups_per_address_burst,
            signup_interval_ms: self.signups_per_address_interval_ms,
        }
    }
}

/// A configuration and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// Per key that is not a default: the file and line, or the variable.
    pub sources: BTreeMap<String, String>,
    /// What looks like a mistake and is none for sure; to be logged.
    pub warnings: Vec<String>,
}

impl Loaded {
    /// As TOML, each changed key with its source; secrets are not shown.
    pub fn print(&self) -> String {
        let mut text = String::new();
        for (section, value) in table(&self.config) {
            text.push_str(&format!("[{section}]\n"));
            for (key, value) in value.as_table().into_iter().flatten() {
                let path = format!("{section}.{key}");
                let shown = if is_secret(key) && value.as_str() != Some("") { "\"(not shown)\"".to_owned() } else { value.to_string() };
                let source = self.sources.get(&path).map(|source| format!("  # {source}")).unwrap_or_default();
                text.push_str(&format!("{key} = {shown}{source}\n"));
            }
            text.push('\n');
        }
        text
    }

    /// The same for programs.
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = serde_json::to_value(&self.config).unwrap_or_default();
        for section in json.as_object_mut().into_iter().flat_map(|sections| sections.values_mut()) {
            for (key, value) in section.as_object_mut().into_iter().flatten() {
                if is_secret(key) && value != "" {
                    *value = "(not shown)".into();
                }
            }
        }
        json
    }
}

/// By name, so that a key that is added cannot be forgotten.
fn is_secret(key: &str) -> bool {
    ["password", "secret", "token", "passphrase"].iter().any(|word| key.ends_with(word))
}

fn table(config: &Config) -> toml::Table {
    toml::Table::try_from(config).expect("every setting has a TOML form")
}
