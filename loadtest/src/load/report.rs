//! What a benchmark found, as a table for people and JSON for machines.

use std::fmt;

use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct Report {
    /// What was counted on: processors, kernel, what the node's configuration was changed to.
    pub machine: String,
    pub changed: Vec<String>,
    pub figures: Vec<Figure>,
}

#[derive(Debug, Serialize)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    /// How it came about: counts and circumstances.
    pub detail: String,
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str, detail: String) -> Self {
        Self { name: name.into(), value, unit, detail }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        writeln!(f, "the node ran with: {}", self.changed.join(", "))?;
        for Figure { name, value, unit, detail } in &self.figures {
            let value = if *value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.2}") };
            writeln!(f, "{name:44} {value:>12} {unit:16} {detail}")?;
        }
        Ok(())
    }
}
