//! What a delivery costs beside Bun's publish and subscribe, in turns in one run: `hubbub-bench peers` with few turns. It
//! needs Bun: that there is none is told, and is no success.

use anyhow::{Result, bail};

use super::{Found, Options};
use crate::process;

const UNDER_WAY: usize = 4;
const TURNS: usize = 5;
const TURN_SECONDS: f64 = 0.8;
const RATIO_MAX: f64 = 2.5;

pub fn guard(options: &Options) -> Result<Found> {
    if options.processors > 1 {
        process::pin(&[options.processors - 1])?;
    }
    let report = options.peers.briefly(UNDER_WAY, TURNS, TURN_SECONDS).run(&options.server, options.processors)?;
    let Some(row) = report.rows.first() else {
        let why = report.missing.first().map_or("nobody said where it is (--peer bun=PATH)", |(_, why)| why);
        bail!("Bun is wanted for this and could not be had: {why}");
    };
    let said = format!(
        "{:.2} times {} {} ({:.2}–{:.2}), {:.2} : {:.2} CPU µs",
        row.ratio, row.peer, row.version, row.ratio_least, row.ratio_greatest, row.ours_cpu_us, row.theirs_cpu_us
    );
    Ok(Found::below(row.ratio, RATIO_MAX, said))
}
