//! Where a run's news and its report go: lines on the terminal, files for machines. Decides nothing.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result};
use indicatif::ProgressBar;

use crate::report::{RunReport, html, screen};
use crate::run::News;
use crate::scenario::Scenario;

#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "output_options")]
pub struct Options {
    /// Write the whole report to this file, as JSON (`hubbub-bench schema run`), and as a page beside it
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report to this file as a page that opens anywhere, without a network
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write what every device did and saw to this new folder, and judge it by every rule (`hubbub-bench check`)
    #[arg(long, value_name = "FOLDER")]
    pub history: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Document {
    /// A scenario file
    Scenario,
    /// A report, as --json writes it
    Run,
}

pub fn schema(of: Document) -> String {
    let schema = match of {
        Document::Scenario => schemars::schema_for!(Scenario),
        Document::Run => schemars::schema_for!(RunReport),
    };
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}

pub fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

impl Options {
    /// Prints the report and writes it where it was asked for; returns the exit code.
    pub fn finish(&self, report: &RunReport) -> Result<u8> {
        print!("{}", screen::screen(report));
        std::io::stdout().flush().ok();
        if let Some(file) = &self.json {
            write(file, &serde_json::to_vec_pretty(report)?)?;
        }
        let beside = self.json.as_ref().map(|json| json.with_extension("html"));
        if let Some(file) = self.html.as_ref().or(beside.as_ref()) {
            write(file, html::page(report).as_bytes())?;
            println!("the page is {}", file.display());
        }
        Ok(report.exit_code)
    }
}

/// Shows what is going on: one line that changes on a terminal, a line now and then off one.
pub struct Show {
    bar: Option<ProgressBar>,
    /// What was told last, off a terminal.
    told: Mutex<(&'static str, u32)>,
}

/// Off a terminal: a line every so many seconds of a run.
const SECONDS_A_LINE: u32 = 10;

impl Show {
    pub fn new() -> Self {
        Self { bar: std::io::stderr().is_terminal().then(ProgressBar::new_spinner), told: Mutex::new(("", 0)) }
    }

    pub fn tell(&self, news: News) {
        let (line, is_worth_a_line) = self.line(news);
        match &self.bar {
            Some(bar) => bar.set_message(line),
            None if is_worth_a_line => eprintln!("{line}"),
            None => {}
        }
    }

    fn line(&self, news: News) -> (String, bool) {
        match news {
            News::Preparing { what, done, all } => (format!("{what}: {done} of {all}"), done == all && self.is_new(what, all)),
            News::Wanted(what) => (what, true),
            News::Begun { lasts_s } => (format!("the run begins, {lasts_s:.0} s"), true),
            News::Fault(fault) => {
                let over = fault.until_s.map_or_else(String::new, |until| format!(", over at {until:.2} s"));
                (format!("fault at {:.2} s: {} {}{over}", fault.at_s, fault.name, fault.detail), true)
            }
            News::Converging => ("waiting until everything has arrived".to_owned(), true),
            News::Auditing => ("judging the history".to_owned(), true),
            News::Second(second) => {
                let (moment, _) = *second;
                let beat = |name: &str| moment.actions.get(name).cloned().unwrap_or_default();
                let (post, deliver) = (beat("post"), beat("deliver"));
                let line = format!(
                    "{:>5.0} s  {} connections, {} posts/s p99 {} ms, {} deliveries/s p99 {} ms, own lag p99 {} ms, own cpu {:.0} %",
                    moment.at_s,
                    moment.connections,
                    post.count,
                    screen::ms(post.p99_us),
                    deliver.count,
                    screen::ms(deliver.p99_us),
                    screen::ms(moment.lag_p99_us),
                    moment.generator_cpu_percent,
                );
                (line, (moment.at_s as u32).is_multiple_of(SECONDS_A_LINE))
            }
        }
    }

    fn is_new(&self, what: &'static str, all: u32) -> bool {
        self.told.lock().is_ok_and(|mut told| std::mem::replace(&mut *told, (what, all)) != (what, all))
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_beside_the_crate_are_those_of_the_types() {
        let files = [
            (Document::Run, "run", include_str!("../../run.schema.json")),
            (Document::Scenario, "scenario", include_str!("../../scenario.schema.json")),
        ];
        for (of, name, text) in files {
            assert_eq!(schema(of), text.trim_end(), "run `hubbub-bench schema {name} > loadtest/{name}.schema.json`");
        }
    }
}
