//! A message to another who is at another node, beside the same at one node of the same group, and beside a bare echo at one node: pairs as
//! in `load/message.rs`, at 10 and at 30 % of what each way carries itself. What it carries, it carries in batches: at 30 % there are few of them, and
//! the processor that all nodes and the store process share may be busy with single messages. Rooms and people belong to the first node alone, so that
//! who is where is known.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Host, held};
use crate::load::message::{Echo, PAIRS, SHARE, Side, echoes, ms, pairs, told};
use crate::load::raw::Counts;
use crate::load::{Error, Figure};

/// Where the sender is and where the other; the first node owns the room.
const WAYS: [(&str, [usize; 2]); 4] = [
    ("one node", [0, 0]),
    ("two nodes, the sender's owns the room", [0, 1]),
    ("two nodes, the other's owns the room", [1, 0]),
    ("two nodes, a third owns the room", [1, 2]),
];
const SHARES: [f64; 2] = [0.1, SHARE];

pub async fn measure(host: &Host<'_>) -> Result<Vec<Figure>, Error> {
    let cpus = vec![0];
    let group = host.start("group-message", &[100, 0, 0], 0, cpus.clone()).await?;
    let program = host.options.echo.clone().unwrap_or_else(|| host.options.server.with_file_name("examples").join("echo"));
    let echo = Echo::start(&program, host.folder, &cpus)?;
    let nodes = held(&group).await?;
    let lasts = Duration::from_secs(host.options.seconds);
    let mut theirs = echoes(&echo).await?;
    let (mut figures, mut alone) = (Vec::new(), Vec::new());
    for (n, (name, [from, to])) in WAYS.into_iter().enumerate() {
        let counts = Arc::new(Counts::default());
        let doors = [nodes[from].target(), nodes[to].target()];
        let mut ours = pairs(&nodes[0], &format!("way{n}x"), doors, &counts).await?;
        let carries = ours.closed(Duration::from_secs(2)).await?;
        for (place, share) in SHARES.into_iter().enumerate() {
            let (way, bare) = in_turns(&mut ours, &mut theirs, carries * share, lasts).await?;
            ours.all_arrived(&counts).await?;
            if n == 0 {
                alone.push(way.clone());
            }
            let over = |base: &Histogram<u64>| [0.5, 0.99].map(|quantile| ms(&way, quantile) / ms(base, quantile).max(0.001));
            let ([half, most], [of_half, of_most]) = (over(&bare), over(&alone[place]));
            let percent = share * 100.0;
            let detail = format!(
                "{} posts of 128 B in {PAIRS} pairs at {:.0}/s of {carries:.0}/s: {}; an echo at that rate: {}, over it p50 {half:.1} × p99 {most:.1} ×; over one node at {percent:.0} % of its own p50 {of_half:.2} × p99 {of_most:.2} ×",
                way.len(),
                carries * share,
                told(&way),
                told(&bare)
            );
            figures.push(Figure::new(format!("message at {percent:.0} %, {name}"), ms(&way, 0.99), "ms p99", detail));
        }
    }
    Ok(figures)
}

/// So that what else the machine does is in both.
async fn in_turns(ours: &mut Side, theirs: &mut Side, per_second: f64, lasts: Duration) -> Result<(Histogram<u64>, Histogram<u64>), Error> {
    let mut both = (Histogram::<u64>::new(3)?, Histogram::<u64>::new(3)?);
    for _ in 0..2 {
        both.0.add(ours.open(per_second, lasts / 2).await?)?;
        both.1.add(theirs.open(per_second, lasts / 2).await?)?;
    }
    Ok(both)
}
