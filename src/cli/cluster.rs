//! `hubbub cluster`: the keys of a new group, and what the running node's group is asked.

use clap::Subcommand;

use super::show;
use crate::admin::{Order, client};
use crate::cluster::{self, order};
use crate::config::Config;

#[derive(Subcommand)]
pub enum ClusterCommand {
    /// Make the keys of a group that a node on this data will begin; without it the node's first start makes them
    Init,
    /// Who is in the group, who leads, and how many slots each has
    Status,
    /// Print a token by which one node may join, once
    Token,
    /// Move all slots away from a node and let it go on without any
    Drain {
        /// As `status` has it
        #[arg(value_name = "NODE")]
        node: u64,
    },
    /// Spread the slots evenly over the nodes, so many at a time, from now on
    Rebalance {
        /// How many slots may be on their way at once; 0 holds all moves until this is called again
        #[arg(long, value_name = "N")]
        at_once: Option<u16>,
    },
    /// Forget a node that is down or drained; if it comes back it has to join anew
    Remove {
        #[arg(value_name = "NODE")]
        node: u64,
    },
}

pub async fn carry_out(command: ClusterCommand, config: &Config, json: bool) -> anyhow::Result<()> {
    let data_dir = &config.node.data_dir;
    let order = match command {
        ClusterCommand::Init => {
            cluster::init(config)?;
            let folder = cluster::folder(data_dir);
            show::print(&match json {
                true => format!("{}\n", serde_json::json!({ "folder": folder })),
                false => format!(
                    "the keys of a new group are in {}: whoever has them can make nodes\n\
                     start the first node with `hubbub serve`, then `hubbub cluster token` lets others join\n",
                    folder.display()
                ),
            });
            return Ok(());
        }
        ClusterCommand::Status => order::Order::Status {},
        ClusterCommand::Token => order::Order::Token {},
        ClusterCommand::Drain { node } => order::Order::Drain { node },
        ClusterCommand::Rebalance { at_once } => order::Order::Rebalance { at_once },
        ClusterCommand::Remove { node } => order::Order::Remove { node },
    };
    let Some(running) = client::find(data_dir).await? else {
        anyhow::bail!("no node runs on {}: the group is asked through one that runs", data_dir.display());
    };
    show::answer(&running.ask(&Order::Cluster(order)).await?, None, json);
    Ok(())
}

pub fn as_text(answer: &order::Answer) -> String {
    match answer {
        order::Answer::Status(overview) => overview.to_string(),
        order::Answer::Token { token } => format!("{token}\n"),
        order::Answer::Drains { node } => format!("node {node} gives its slots away: `hubbub cluster status` says how many are left\n"),
        order::Answer::Rebalances { moves: 0, at_once } => format!("every node has its share; {}\n", pace(*at_once)),
        order::Answer::Rebalances { moves, at_once } => {
            format!("{moves} slots are to move; {}: `hubbub cluster status` says how many are on their way\n", pace(*at_once))
        }
        order::Answer::Removed { node } => format!("node {node} is forgotten\n"),
    }
}

fn pace(at_once: u16) -> String {
    match at_once {
        0 => "moves are held until `hubbub cluster rebalance` is called again".into(),
        count => format!("from now on at most {count} move at once"),
    }
}
