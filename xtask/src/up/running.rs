//! What runs: the nodes, and the store process that they share. In which order they start and end, and what the end of one
//! means for the others.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::child::Came;
use super::home::Home;
use super::node::{self, Node};
use super::store::Store;

/// How often it is looked whether all that runs still does.
const WATCH: Duration = Duration::from_millis(100);

/// What is to run.
pub struct Plan {
    pub program: PathBuf,
    pub home: Home,
    /// Of the first node; the next one has the next.
    pub port: u16,
    pub nodes: u16,
    /// Whether the data are in a process of their own.
    pub remote: bool,
}

#[derive(Default)]
pub struct Running {
    pub nodes: Vec<Node>,
    store: Option<Store>,
}

impl Running {
    /// False: it was told to stop before. `first`: see [`Node::start`].
    pub fn start(&mut self, plan: &Plan, first: bool, stop: &mpsc::Receiver<()>) -> Result<bool> {
        if plan.remote {
            let store = self.store.insert(Store::start(&plan.program, plan.home.path())?);
            if store.wait_ready(stop)? != Came::Ready {
                return Ok(false);
            }
        }
        // Those of before come up together: each waits for more than half of the others.
        let together = plan.home.joined().max(1);
        for number in 1..=together {
            self.add(plan, number, first, None)?;
        }
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for (node, number) in self.nodes.iter_mut().zip(1..) {
            match node.wait_ready(stop)? {
                Came::Ready => there.push(number),
                Came::Removed => missing.push(number),
                Came::Told => return Ok(false),
            }
        }
        for number in &missing {
            plan.home.forget(*number)?;
            println!("the node in {} was removed from its group: a new one takes its place", plan.home.node(*number).display());
        }
        missing.extend(together + 1..=plan.nodes);
        for number in missing {
            let seed = there.first().context("no node is left that could let others in: drop the data with `--fresh`")?;
            let token = node::token(&plan.program, &plan.home.node(*seed))?;
            if self.add(plan, number, first, Some(token))?.wait_ready(stop)? != Came::Ready {
                return Ok(false);
            }
        }
        if plan.remote {
            for (node, number) in self.nodes.iter_mut().zip(1..) {
                if plan.home.joined() >= number {
                    node.name_as_in_group(&plan.program, &plan.home.node(number))?;
                }
            }
        }
        Ok(true)
    }

    /// In its place among the others.
    fn add(&mut self, plan: &Plan, number: u16, first: bool, token: Option<String>) -> Result<&mut Node> {
        let port = plan.port + (number - 1);
        let nodes: Vec<String> = (0..plan.nodes).map(|node| node::address(plan.port + node)).collect();
        let is = match &self.store {
            None => node::Is::Alone,
            Some(store) => node::Is::OnStore { store, number, token, nodes: &nodes },
        };
        let (node, at) = (Node::start(&plan.program, &plan.home, port, &is, first)?, usize::from(number - 1));
        if at < self.nodes.len() {
            self.nodes[at] = node;
        } else {
            self.nodes.push(node);
        }
        Ok(&mut self.nodes[at])
    }

    /// Until it is told to stop, or nothing is left that could serve.
    pub fn watch(&mut self, stop: &mpsc::Receiver<()>) -> Result<()> {
        let started = self.nodes.len();
        while stop.recv_timeout(WATCH).is_err() {
            if let Some(store) = &mut self.store
                && let Some(status) = store.child.ended()?
            {
                bail!("the store process ended by itself ({status}); {}", store.child.last_words());
            }
            let mut at = 0;
            while at < self.nodes.len() {
                let Some(status) = self.nodes[at].child.ended()? else {
                    at += 1;
                    continue;
                };
                let gone = self.nodes.remove(at).child;
                if self.nodes.is_empty() {
                    bail!("{} ended by itself ({status}); {}", gone.name(), gone.last_words());
                }
                println!("{} ended ({status}); {} (its log: {})", gone.name(), left(self.nodes.len(), started), gone.log().display());
            }
        }
        Ok(())
    }

    /// The nodes together, since each waits for others when it hands over its rooms; then the store, which they write to until
    /// they end. One that ends badly leaves none behind.
    pub fn stop(&mut self) -> Result<()> {
        let mut outcome = Ok(());
        for node in &mut self.nodes {
            outcome = outcome.and(node.child.begin_stop());
        }
        for node in &mut self.nodes {
            outcome = outcome.and(node.child.stopped());
        }
        if let Some(store) = &mut self.store {
            outcome = outcome.and(store.child.begin_stop()).and(store.child.stopped());
        }
        println!("stopped");
        outcome
    }
}

/// What the end of one means.
fn left(alive: usize, started: usize) -> &'static str {
    if alive * 2 > started { "the others go on" } else { "too few are left to be sure of its rooms: they come back with the next start" }
}

#[cfg(test)]
mod tests {
    use super::left;

    #[test]
    fn the_others_go_on_while_they_are_more_than_half() {
        assert!(left(2, 3).contains("go on") && left(3, 5).contains("go on"));
        assert!(!left(1, 3).contains("go on") && !left(1, 2).contains("go on"));
    }
}
