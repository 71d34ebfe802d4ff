//! This node's part in its group, for the server: from the configuration to a running member, and what may not be; and how the
//! node follows what the group agrees on (`place.rs`).

pub mod order;
mod overview;
pub mod place;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, bail};
use cluster::Member;
use cluster::link::Receive;
use cluster::member::{CERTIFICATES_LAST, Token};

use crate::config::Config;
use crate::health::Health;
use crate::import::line::date_time;
use crate::wiring::SLOTS;

pub use overview::{NodeEntry, Overview};

/// Where the keys and the log of a node's group lie.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("cluster")
}

/// Why no other node can be beside this one; `None`: it may have company.
pub type Alone = Option<&'static str>;

pub const OWN_STORE: &str = "several nodes need one store that all of them reach, and this one has a store of its own: \
run `hubbub store serve` and set store.backend to \"remote\" on all nodes, or run this node alone";

/// Starts the group on this node: one of its own for a node that is in none and has no token. `above`: the highest grant that the store has
/// seen. `chat` hears what comes in on the chat lane. Errors: one sentence each.
pub async fn start(config: &Config, alone: Alone, above: u64, chat: Arc<dyn Receive>) -> anyhow::Result<Member> {
    let wanted = &config.cluster;
    let folder = folder(&config.node.data_dir);
    let join = match (wanted.token.is_empty(), wanted.join.is_empty()) {
        (true, true) => None,
        (true, false) if folder.exists() => None,
        (true, false) => {
            bail!("cluster.join needs a token: make one on a node of the group with `hubbub cluster token`, and set cluster.token")
        }
        (false, _) => Some(wanted.token.parse::<Token>().context("cluster.token")?),
    };
    if let (Some(_), Some(why)) = (&join, alone) {
        bail!(why);
    }
    // Before the group counts it in: a node that the others cannot reach would wait for them for ever.
    if join.is_some() && wanted.listen.is_empty() && !folder.exists() {
        bail!(
            "a node that joins others has to be reached by them: set cluster.listen to an address and port of this machine, like \"10.0.0.1:7000\""
        )
    }
    let member = Member::start(
        cluster::member::Config {
            folder,
            listen: wanted.listen().map_err(|problem| anyhow::anyhow!("cluster.listen: {problem}"))?,
            advertise: wanted.advertise.clone(),
            zone: wanted.zone.clone(),
            weight: wanted.weight,
            slots: SLOTS,
            above,
            join,
            seeds: wanted.join.clone(),
            certificates_last: CERTIFICATES_LAST,
        },
        chat,
    )
    .await?;
    if let Some(why) = alone
        && member.membership().state().nodes.len() > 1
    {
        member.stop().await;
        bail!(why);
    }
    Ok(member)
}

/// What probes are told of the group. A node that its group has removed gets no traffic; one without a quorum serves what it has.
pub fn watch(member: &Arc<Member>, health: &Health) {
    let (removed, group) = (member.clone(), member.clone());
    health.ready_while("group", move || match removed.is_removed() {
        true => Err("this node was removed from its group, and ends".into()),
        false => Ok(()),
    });
    health.note_while("group", move || match group.membership().no_quorum_since() {
        Some(since) => Err(format!(
            "no quorum since {}: this node serves what it has, and nothing moves before more than half of the voters reach each other",
            at(since)
        )),
        None => Ok(()),
    });
}

/// As people and programs read it, to the second.
pub fn at(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    date_time(seconds * 1_000).replace(".000Z", "Z")
}

/// Makes the keys of a group that a node on this data will begin.
pub fn init(config: &Config) -> anyhow::Result<()> {
    cluster::member::init(&folder(&config.node.data_dir))?;
    Ok(())
}
