//! What a delivery costs four nodes that are one group, beside one node with the same work on a store process of its own: rooms of 100 as in
//! `load/fan_out.rs`, whose members are on all nodes in turn, in turns in one run. All of them have the first processor. What a node uses when
//! nothing happens is in it; what it is, is told as well.

use std::time::{Duration, Instant};

use super::{Host, held};
use crate::group::Group;
use crate::load::fan_out::{Crowd, Round, UNDER_WAY};
use crate::load::{Error, Figure};

const NODES: usize = 4;
const TURNS: u64 = 3;

/// A group and its crowd.
struct Side {
    group: Group,
    crowd: Crowd,
    rounds: Vec<Cost>,
}

/// For a delivery, in microseconds.
#[derive(Clone, Copy)]
struct Cost {
    nodes: f64,
    store: f64,
}

pub async fn measure(host: &Host<'_>) -> Result<Vec<Figure>, Error> {
    let mut one = Side::start(host, "one", 1).await?;
    let mut many = Side::start(host, "many", NODES).await?;
    let mut figures = Vec::new();
    for under_way in UNDER_WAY {
        for side in [&mut one, &mut many] {
            side.rounds.clear();
            side.crowd.round(under_way, 1).await?;
        }
        for _ in 0..TURNS {
            for side in [&mut one, &mut many] {
                side.turn(under_way, (host.options.seconds / TURNS).max(1)).await?;
            }
        }
        let pairs = one.rounds.iter().zip(&many.rounds);
        let mut ratios: Vec<f64> = pairs.map(|(one, many)| many.nodes / one.nodes).collect();
        ratios.sort_by(f64::total_cmp);
        let middle = |of: fn(&Cost) -> f64, side: &Side| {
            let mut values: Vec<f64> = side.rounds.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let nodes = |cost: &Cost| cost.nodes;
        let store = |cost: &Cost| cost.store;
        let detail = format!(
            "{:.2} µs a delivery over {NODES} nodes, {:.2} at one ({:.2}–{:.2} × in {TURNS} pairs of turns); the store process {:.2} and {:.2} µs more",
            middle(nodes, &many),
            middle(nodes, &one),
            ratios[0],
            ratios[ratios.len() - 1],
            middle(store, &many),
            middle(store, &one),
        );
        let name = format!("CPU of {NODES} nodes over one, {under_way} under way");
        figures.push(Figure::new(name, ratios[ratios.len() / 2], "×", detail));
    }
    for (side, name) in [(&one, "one node"), (&many, "four nodes")] {
        figures.push(Figure::new(format!("{name}, nobody posting"), side.idle().await?, "% of a CPU", String::new()));
    }
    Ok(figures)
}

impl Side {
    async fn start(host: &Host<'_>, name: &str, nodes: usize) -> Result<Self, Error> {
        let group = host.start(name, &vec![100; nodes], 0, vec![0]).await?;
        let crowd = {
            let nodes = held(&group).await?;
            let doors: Vec<_> = nodes.iter().map(|node| node.target()).collect();
            Crowd::gather(&nodes[0], &doors).await?
        };
        Ok(Self { group, crowd, rounds: Vec::new() })
    }

    async fn cpu_us(&self) -> Result<(u64, u64), Error> {
        let mut sum = 0;
        for node in held(&self.group).await? {
            sum += node.cpu_us()?;
        }
        Ok((sum, self.group.store_cpu_us().await?))
    }

    async fn turn(&mut self, under_way: usize, seconds: u64) -> Result<(), Error> {
        let before = self.cpu_us().await?;
        let Round { deliveries, .. } = self.crowd.round(under_way, seconds).await?;
        let after = self.cpu_us().await?;
        let each = |before: u64, after: u64| (after - before) as f64 / deliveries.max(1) as f64;
        self.rounds.push(Cost { nodes: each(before.0, after.0), store: each(before.1, after.1) });
        Ok(())
    }

    /// Percent of a processor.
    async fn idle(&self) -> Result<f64, Error> {
        let (before, begun) = (self.cpu_us().await?, Instant::now());
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok((self.cpu_us().await?.0 - before.0) as f64 / begun.elapsed().as_micros() as f64 * 100.0)
    }
}
