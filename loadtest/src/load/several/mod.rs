//! Benchmarks of several nodes that are one group on one store process, all on this machine. What a node does alone is measured beside.

mod cpu;
mod kills;
mod message;
mod moves;
mod scenes;
mod sleepers;
mod traffic;
mod words;

use std::path::Path;

use anyhow::Context;
use tokio::sync::OwnedMutexGuard;

use super::{Error, Figure, Options};
use crate::group::{Group, Plan};
use crate::process::{Key, Process};

pub const PARTS: [&str; 8] =
    ["group-message", "group-words", "group-cpu", "group-moves", "group-roll", "group-kills", "group-storm", "sleeping-rooms"];

pub async fn run_part(part: &str, options: &Options, keys: &[Key<'_>], folder: &Path) -> Result<Vec<Figure>, Error> {
    let host = Host { options, keys, folder };
    match part {
        "group-message" => message::measure(&host).await,
        "group-words" => words::measure(&host).await,
        "group-cpu" => cpu::measure(&host).await,
        "group-moves" => moves::measure(&host).await,
        "group-roll" => scenes::roll(&host).await,
        "group-kills" => kills::measure(&host).await,
        "group-storm" => scenes::storm(&host).await,
        _ => sleepers::measure(&host).await,
    }
}

/// What groups are started of.
struct Host<'a> {
    options: &'a Options,
    keys: &'a [Key<'a>],
    folder: &'a Path,
}

impl Host<'_> {
    /// A node for each weight, and its store process; on these processors.
    async fn start(&self, name: &str, weights: &[u16], spare: usize, cpus: Vec<usize>) -> Result<Group, Error> {
        eprintln!("{name}: starting {} nodes", weights.len());
        let own = |(section, key, value): &Key<'_>| (section.to_string(), key.to_string(), value.clone());
        let plan = Plan {
            nodes: weights.len(),
            spare,
            net: false,
            clocks: false,
            keys: self.keys.iter().map(own).collect(),
            weights: weights.to_vec(),
            cpus: Some(cpus),
        };
        let folder = self.folder.join(name);
        Group::start(&self.options.server, &folder, plan).await.context("the group could not be started")
    }

    fn all_processors(&self) -> Vec<usize> {
        (0..self.options.processors).collect()
    }
}

/// For as long as nothing is done to them.
async fn held(group: &Group) -> Result<Vec<OwnedMutexGuard<Process>>, Error> {
    let mut held = Vec::new();
    for node in group.nodes() {
        held.push(node.process().await?);
    }
    Ok(held)
}

async fn with_last_words<T>(group: &Group, found: Result<T, Error>) -> Result<T, Error> {
    match found {
        Ok(found) => Ok(found),
        Err(error) => Err(error.context(group.last_words().await)),
    }
}
