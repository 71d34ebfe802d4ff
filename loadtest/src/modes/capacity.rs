//! `hubbub-bench capacity`: the load is raised step by step until a threshold of the scenario is missed, or this program is
//! what gives in. The number is the last step that was kept.

use anyhow::{Context, Result, ensure};

use super::run::{Change, carry_out, load};
use super::{node, output};
use crate::report::{RunReport, figures, judge};
use crate::scenario::{Phase, Scenario, Span};

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// A scenario with thresholds: a file, or one by name
    #[arg(default_value = "capacity")]
    scenario: String,
    /// Between two steps
    #[arg(long, default_value_t = 1.5, value_name = "FACTOR")]
    grow: f64,
    /// At most so many
    #[arg(long, default_value_t = 16)]
    steps: u32,
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    node: node::Options,
    #[command(flatten)]
    output: output::Options,
}

pub async fn capacity(options: &Options) -> Result<u8> {
    ensure!(options.grow > 1.0, "--grow has to be above 1");
    ensure!(options.steps > 0, "--steps has to be above 0");
    let scenario = options.change.apply(load(&options.scenario)?)?;
    ensure!(!scenario.threshold.is_empty(), "{} has no threshold: there is nothing that could break", scenario.name);
    let scenario = stepped(scenario, options.grow, options.steps).context("the scenario has no phase")?;
    let loads: Vec<_> = scenario.phase.iter().map(|phase| phase.load).collect();
    let bounds = scenario.threshold.clone();
    let figure = move |report: &RunReport| {
        let (kept, why) = judge::steps(&report.phases, &bounds);
        figures::capacity(report, &loads, kept, &why)
    };
    // A threshold that is missed is what was looked for.
    let code = carry_out(&scenario, "capacity", &options.node, &options.output, |how| how.until_missed = true, figure).await?;
    Ok(if code == judge::RED { code } else { judge::GREEN })
}

/// The last phase again and again, each time with more load; what comes before it stays.
fn stepped(mut scenario: Scenario, grow: f64, steps: u32) -> Option<Scenario> {
    let last = scenario.phase.pop()?;
    scenario.fault.clear();
    for step in 0..steps {
        let load = last.load * grow.powi(step as i32);
        let lasts = Span::of_us(last.lasts.us());
        scenario.phase.push(Phase { name: format!("{} {}", last.name, step + 1), lasts, load, load_to: None, measured: true });
    }
    Some(scenario)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::built_in;

    #[test]
    fn each_step_has_its_load_and_the_plan_is_a_good_one() {
        let scenario = stepped(built_in("capacity").unwrap(), 2.0, 4).unwrap();
        assert_eq!(scenario.phase.iter().map(|phase| phase.load).collect::<Vec<_>>(), [1.0, 2.0, 4.0, 8.0]);
        assert_eq!(Scenario::read(&scenario.to_toml()).unwrap(), scenario);
    }
}
