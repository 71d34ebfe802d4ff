//! What `hubbub-bench` can be asked to do, one file a mode. Each ends with an exit code that `report::judge` names.

mod capacity;
mod chaos;
mod check;
mod compare;
mod crowd;
mod figures;
mod guards;
mod jitter;
mod node;
mod output;
mod peers;
mod quick;
mod record;
mod report;
mod run;
mod soak;
mod storm;
mod worker;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::report::judge;

/// Load tests a Hubbub node and counts every delivery. Without a command: `quick`.
///
/// Ends with 0 when everything that was acknowledged arrived, once, in order, where it was due; with 1 when not, or when the
/// run could not be carried out; with 99 when a threshold of the scenario was missed; with 98 when a threshold could not be
/// judged because this program itself was too slow.
#[derive(Parser)]
#[command(name = "hubbub-bench", version, about)]
pub struct Arguments {
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Subcommand)]
enum Mode {
    /// Says in a minute and on one screen how good a node is: the one of `cargo xtask up`, unless --node or --start says another
    Quick(quick::Options),
    /// Carries out a scenario: a file, or one by name (storm, jitter, chaos, chaos-group, chaos-net, kills, capacity, soak, big-room, town, crowd)
    Run(run::Options),
    /// Raises the load until a threshold of the scenario is missed, and says how far it went
    Capacity(capacity::Options),
    /// An ordinary mixture for hours: says what grows
    Soak(soak::Options),
    /// Kills, pauses and restarts a node that it starts, or the nodes of a group, under load; every rule is judged from written histories
    Chaos(chaos::Options),
    /// 17,000 connections are lost at once and come back with token and resume
    Storm(storm::Options),
    /// 68,000 people on four nodes that it starts, idle and then heard: bytes of a user
    Crowd(crowd::Options),
    /// Every connection is cut each 15 s and away for 2 s, at two messages a second each
    Jitter(jitter::Options),
    /// Makes the page of a run again, from its JSON alone
    Report(report::Options),
    /// What changed between two reports, or two sides of several, and whether it is more than chance
    Compare(compare::Options),
    /// Turns a proxy's access log into a persona for a scenario
    Record(record::Options),
    /// Judges the history of a run by every rule: a file of JSON lines, or a folder of them
    Check(check::Options),
    /// The plain figures of one node on this machine: durable posts a second, CPU a delivery, bytes an idle connection
    Figures(figures::Options),
    /// CPU per delivery beside other servers, in turns; `cargo xtask bench --peers` gets them and calls this
    Peers(peers::Options),
    /// What a change must not take away: memory of an idle user, a delivery beside Bun, a storm, phones in a tunnel
    Guards(guards::Options),
    /// Prints the JSON schema of a file that this program reads or writes
    Schema {
        #[arg(value_enum)]
        of: output::Document,
    },
    /// Works for a run whose coordinator is on another machine: `--join` there says how to start it
    Worker(worker::Options),
}

pub fn main() -> ExitCode {
    match carry_out(Arguments::parse()) {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("hubbub-bench: {error:#}");
            judge::RED.into()
        }
    }
}

fn carry_out(arguments: Arguments) -> Result<u8> {
    match arguments.mode.unwrap_or(Mode::Quick(quick::Options::default())) {
        Mode::Quick(options) => runtime()?.block_on(quick::quick(&options)),
        Mode::Run(options) => runtime()?.block_on(run::run(&options)),
        Mode::Capacity(options) => runtime()?.block_on(capacity::capacity(&options)),
        Mode::Soak(options) => runtime()?.block_on(soak::soak(&options)),
        Mode::Chaos(options) => runtime()?.block_on(chaos::chaos(&options)),
        Mode::Storm(options) => runtime()?.block_on(storm::storm(&options)),
        Mode::Crowd(options) => runtime()?.block_on(crowd::crowd(&options)),
        Mode::Jitter(options) => runtime()?.block_on(jitter::jitter(&options)),
        Mode::Report(options) => report::report(&options),
        Mode::Compare(options) => compare::compared(&options),
        Mode::Record(options) => record::record(&options),
        Mode::Check(options) => check::check(&options),
        Mode::Figures(options) => figures::figures(options),
        Mode::Peers(options) => peers::peers(&options),
        Mode::Guards(options) => guards::guards(&options),
        Mode::Schema { of } => {
            println!("{}", output::schema(of));
            Ok(judge::GREEN)
        }
        Mode::Worker(options) => runtime()?.block_on(worker::worker(&options)),
    }
}

/// One thread: the coordinator has little to do, and a worker has its own.
fn runtime() -> Result<tokio::runtime::Runtime> {
    crate::process::raise_open_files();
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_mode_s_arguments_fit_together() {
        Arguments::command().debug_assert();
    }
}
