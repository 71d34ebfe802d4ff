//! Where a run's report goes: the terminal, files for people and for machines. Decides nothing.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::report::{RunReport, html, screen};
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
    /// Serve this program's own figures for Prometheus at http://ADDRESS/metrics while it runs
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<SocketAddr>,
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
