//! The way to whoever can carry orders out: the node that runs on the data, else the data itself, opened here.

use std::path::PathBuf;

use anyhow::Context;

use crate::admin::{Answer, Carry, Desk, Order, client};
use crate::config::{Backend, Config};
use crate::{data, wiring};

/// What a command needs of the data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// It is begun where there is none.
    MayBegin,
    /// Where there is none somebody looks in the wrong place: an empty list or backup would hide it.
    MustBeThere,
}

pub enum Way {
    /// The data directory of a node that runs; every order asks anew.
    Running(PathBuf),
    AtRest(Box<Desk>),
}

impl Way {
    /// Errors: one sentence each.
    pub async fn open(config: &Config, needs: Data) -> anyhow::Result<Self> {
        let data_dir = &config.node.data_dir;
        let running = client::find(data_dir).await;
        let running = running.with_context(|| format!("the node on {} may not be asked by this user", data_dir.display()))?;
        match running {
            Some(_) => Ok(Self::Running(data_dir.clone())),
            // To open them here would take every slot from the nodes that are on them.
            None if config.store.backend == Backend::Remote => anyhow::bail!(
                "no node runs on {}, and the data is in the store process at {}: start a node, and ask it",
                data_dir.display(),
                config.store.address
            ),
            None if needs == Data::MustBeThere && !data::store_dir(data_dir).exists() => anyhow::bail!(
                "there is no data in {}: set node.data_dir, or go where it is; `hubbub user add` begins a new one",
                data_dir.display()
            ),
            None => {
                let starting = || format!("no node answers on {} yet; if one is starting, ask again when it is ready", data_dir.display());
                Ok(Self::AtRest(Box::new(wiring::desk(config).await.with_context(starting)?)))
            }
        }
    }

    pub async fn ask(&self, order: Order) -> anyhow::Result<Answer> {
        match self {
            Self::Running(data_dir) => {
                let running = client::find(data_dir).await?.context("the node that was asked has stopped: run the command again")?;
                Ok(running.ask(&order).await?)
            }
            Self::AtRest(desk) => Ok(desk.carry_out(order).await?),
        }
    }

    /// What was done is in the projections when this returns.
    pub async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Running(_) => Ok(()),
            Self::AtRest(desk) => Ok(desk.node.flush().await?),
        }
    }
}
