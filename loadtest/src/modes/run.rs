//! `hubbub-bench run`: a scenario of one's own, or one from the box.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::node::Node;
use super::{node, output};
use crate::process;
use crate::report::{Figure, RunReport};
use crate::run::{self, Stop};
use crate::scenario::{BUILT_IN, Scenario, Span, built_in};
use crate::view::View;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// A TOML file (`hubbub-bench schema scenario`), or the name of a scenario in the box
    pub scenario: String,
    #[command(flatten)]
    pub change: Change,
    #[command(flatten)]
    pub node: node::Options,
    #[command(flatten)]
    pub output: output::Options,
}

/// What a mode is told that has a scenario of its own.
#[derive(Clone, Debug, clap::Args)]
pub struct OwnScenario {
    #[command(flatten)]
    pub change: Change,
    #[command(flatten)]
    pub node: node::Options,
    #[command(flatten)]
    pub output: output::Options,
}

impl OwnScenario {
    /// The mode's scenario, in the box by its name, with what is to be different.
    pub fn scenario(&self, mode: &str) -> Result<Scenario> {
        self.change.apply(built_in(mode).context("the built-in scenario is broken")?)
    }

    /// As it is.
    pub async fn carry_out(&self, mode: &str, figures: impl FnOnce(&RunReport) -> Vec<Figure>) -> Result<u8> {
        carry_out(&self.scenario(mode)?, mode, &self.node, &self.output, |_| {}, figures).await
    }
}

/// What may be different from what the scenario says.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Change {
    /// Another number of users; accounts follow, and rooms if they would not fit
    #[arg(long, value_name = "N")]
    pub users: Option<u32>,
    /// Another number of rooms of the first size
    #[arg(long, value_name = "N")]
    pub rooms: Option<u32>,
    /// Another number of accounts
    #[arg(long, value_name = "N")]
    pub accounts: Option<u32>,
    /// How long the last phase lasts, as in 30s or 8h
    #[arg(long, value_name = "TIME")]
    pub lasts: Option<Span>,
    /// Another seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

impl Change {
    /// Errors: what came out is no good scenario any more.
    pub fn apply(&self, mut scenario: Scenario) -> Result<Scenario> {
        if let Some(users) = self.users {
            scenario.people.users = users;
        }
        if let Some(accounts) = self.accounts {
            scenario.people.accounts = Some(accounts);
        }
        if let (Some(count), Some(rooms)) = (self.rooms, scenario.rooms.first_mut()) {
            rooms.count = count;
        }
        let accounts = scenario.people.accounts();
        for rooms in &mut scenario.rooms {
            rooms.members = rooms.members.min(accounts);
        }
        if let (Some(lasts), Some(last)) = (self.lasts, scenario.phase.last_mut()) {
            last.lasts = lasts;
        }
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        Scenario::read(&scenario.to_toml()).map_err(|mistakes| anyhow::anyhow!("{}", mistakes[0].what))
    }
}

pub fn load(name: &str) -> Result<Scenario> {
    if let Some(scenario) = built_in(name) {
        return Ok(scenario);
    }
    let path = Path::new(name);
    if !path.exists() {
        let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        bail!("{name} is neither a file nor a scenario in the box: those are {}", names.join(", "));
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    Scenario::read(&text).map_err(|mistakes| {
        let lines: Vec<_> = mistakes.iter().map(|mistake| format!("{name}, {mistake}")).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}

pub async fn run(options: &Options) -> Result<u8> {
    let scenario = options.change.apply(load(&options.scenario)?)?;
    carry_out(&scenario, "run", &options.node, &options.output, |_| {}, |_| Vec::new()).await
}

/// One run, shown and written down. `set` may change how it is carried out, `figures` says what the mode is about.
pub async fn carry_out(
    scenario: &Scenario,
    mode: &str,
    node: &node::Options,
    output: &output::Options,
    set: impl FnOnce(&mut run::Options),
    figures: impl FnOnce(&RunReport) -> Vec<Figure>,
) -> Result<u8> {
    if let Some(folder) = &output.history {
        run::check_history_folder(folder)?;
    }
    // From here on Ctrl-C is a wish: what was started ends in order.
    let stop = Stop::default();
    process::keep_interrupts();
    let view = View::open(scenario, &stop, output.metrics).await?;
    let node = stop.or(Node::ready(node, mode)).await?;
    let mut how = node.options.clone();
    how.history.clone_from(&output.history);
    set(&mut how);
    how.stop = stop.clone();
    let tell = |news| view.tell(news);
    let report = tokio::select! {
        report = run::run(scenario, &how, &tell) => report,
        () = stop.insisted() => Err(anyhow::anyhow!("given up, without a report")),
    };
    drop(view);
    match report {
        Ok(mut report) => {
            report.figures = figures(&report);
            output.finish(&report)
        }
        Err(error) => Err(node.blame(error).await),
    }
}
