//! What an idle user costs: a figure of `hubbub-bench figures --only idle`, with fewer people. Of the two it is what the node
//! has allocated: its private memory moves by as much as 2 MiB by itself, which is 400 bytes for each of so few.

use anyhow::{Context, Result};

use super::{Found, Options, runtime};
use crate::load;

const USERS: usize = 5_000;
const BYTES_MAX: f64 = 500.0;

pub fn guard(options: &Options) -> Result<Found> {
    let (server, processors) = (options.server.clone(), options.processors);
    let options =
        load::Options { server, echo: None, seconds: 1, connections: USERS, only: vec!["idle".to_owned()], kills: 0, rooms: 0, processors };
    let report = runtime()?.block_on(load::bench(&options))?;
    let figure = report.figures.iter().find(|figure| figure.name.ends_with("allocated")).context("nothing was measured")?;
    Ok(Found::below(figure.value, BYTES_MAX, format!("{:.0} bytes each; {}", figure.value, figure.detail)))
}
