//! The figures of scenarios in the box: each is carried out as its mode does it, and a run that is not green has no figure.

use anyhow::{Context, ensure};

use super::{Error, Figure};
use crate::process::Process;
use crate::report::{self, RunReport, Verdict, figures};
use crate::run::{self, Watched};
use crate::scenario::built_in;

pub async fn storm(node: Process) -> Result<Vec<Figure>, Error> {
    carry_out("storm", node, figures::storm).await
}

pub async fn jitter(node: Process) -> Result<Vec<Figure>, Error> {
    carry_out("jitter", node, figures::jitter).await
}

async fn carry_out(name: &str, node: Process, figures: fn(&RunReport) -> Vec<report::Figure>) -> Result<Vec<Figure>, Error> {
    let scenario = built_in(name).with_context(|| format!("there is no scenario {name}"))?;
    let address = node.target().node;
    let watched = Watched::started(node).await;
    let options = run::Options { nodes: vec![watched.clone()], ..run::Options::new(name, address) };
    let carried_out = run::run(&scenario, &options, &|_| {}).await;
    let report = match carried_out {
        Ok(report) => report,
        Err(error) => return Err(error.context(format!("the node's last words:\n{}", watched.last_words().await))),
    };
    let it = &report.integrity;
    ensure!(report.verdict == Verdict::Green, "the run is red: {:?}", it.offences.first());
    let certified = if report.generator.certified { "" } else { "; NOT CERTIFIED: this program was too slow to judge times" };
    let told = figures(&report).into_iter().map(|figure| {
        let detail = format!("{}; {} of {} deliveries{certified}", figure.detail, it.delivered, it.due);
        let unit = match figure.unit.as_str() {
            "s" => "s",
            "%" => "%",
            _ => "CPU µs",
        };
        Figure::new(format!("{name}: {}", figure.name), figure.value, unit, detail)
    });
    Ok(told.collect())
}
