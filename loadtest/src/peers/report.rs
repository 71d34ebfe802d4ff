//! What came of it, as a table for people and JSON for machines: medians of the ratios of neighbouring turns, with the
//! least and the greatest of them.

use std::fmt;

use serde::Serialize;

/// One turn of one side.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    pub deliveries: u64,
    pub seconds: f64,
    pub server_cpu_us: u64,
    /// Of the program that drives both.
    pub own_cpu_us: u64,
}

impl Sample {
    fn cpu_us(&self) -> f64 {
        self.server_cpu_us as f64 / self.deliveries.max(1) as f64
    }
    fn own_us(&self) -> f64 {
        self.own_cpu_us as f64 / self.deliveries.max(1) as f64
    }
    fn per_second(&self) -> f64 {
        self.deliveries as f64 / self.seconds
    }
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pair {
    pub ours: Sample,
    pub theirs: Sample,
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.ours.cpu_us() / self.theirs.cpu_us().max(f64::MIN_POSITIVE)
    }
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub peer: String,
    pub version: String,
    /// What it promises of a message that was delivered.
    pub keeps: &'static str,
    pub under_way: usize,
    /// Our CPU per delivery over theirs: the median of the pairs, the least, the greatest.
    pub ratio: f64,
    pub ratio_least: f64,
    pub ratio_greatest: f64,
    pub ours_cpu_us: f64,
    pub theirs_cpu_us: f64,
    pub pairs: Vec<Pair>,
}

impl Row {
    pub fn new(peer: &str, version: &str, keeps: &'static str, under_way: usize, pairs: Vec<Pair>) -> Self {
        let ratios = sorted(&pairs, Pair::ratio);
        Self {
            peer: peer.to_owned(),
            version: version.to_owned(),
            keeps,
            under_way,
            ratio: middle(&ratios),
            ratio_least: ratios.first().copied().unwrap_or(0.0),
            ratio_greatest: ratios.last().copied().unwrap_or(0.0),
            ours_cpu_us: middle(&sorted(&pairs, |pair| pair.ours.cpu_us())),
            theirs_cpu_us: middle(&sorted(&pairs, |pair| pair.theirs.cpu_us())),
            pairs,
        }
    }

    fn median(&self, what: impl Fn(&Pair) -> f64) -> f64 {
        middle(&sorted(&self.pairs, what))
    }
}

fn sorted(pairs: &[Pair], what: impl Fn(&Pair) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = pairs.iter().map(what).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The median; of an even number of values the mean of the two in the middle.
fn middle(sorted: &[f64]) -> f64 {
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => 0.0,
        (length, half) if length % 2 == 0 => (sorted[half - 1] + sorted[half]) / 2.0,
        (_, half) => sorted[half],
    }
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: String,
    /// What our node's configuration was changed to.
    pub changed: Vec<String>,
    pub rows: Vec<Row>,
    /// Who could not be measured, and why.
    pub missing: Vec<(String, String)>,
}

impl Report {
    pub fn new(processors: usize) -> Self {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let placed =
            if processors > 1 { "servers on the first, this program on the last" } else { "shared by all, which blurs everything" };
        let machine = format!("{processors} processors ({placed}), Linux {}", kernel.trim());
        let changed = crate::process::counted_keys().iter().map(|(section, key, value)| format!("{section}.{key}={value}")).collect();
        Self { machine, changed, rows: Vec::new(), missing: Vec::new() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        writeln!(
            f,
            "{} rooms of {} members, posts of {} bytes; our node ran with: {}",
            super::ROOMS,
            super::MEMBERS,
            super::text::TEXT_BYTES,
            self.changed.join(", ")
        )?;
        writeln!(f, "it keeps: everything, in files, synced before the ack and before anybody has it; resume and history from any place")?;
        let name = "against";
        writeln!(
            f,
            "\n{name:22} {:>9} {:>9} {:>9} {:>7} {:>13} {:>15} {:>15}  what it keeps",
            "under way", "ours µs", "theirs µs", "ratio", "least–most", "generator µs", "deliveries/s"
        )?;
        for row in &self.rows {
            let (own_ours, own_theirs) = (row.median(|pair| pair.ours.own_us()), row.median(|pair| pair.theirs.own_us()));
            let (pace, their_pace) = (row.median(|pair| pair.ours.per_second()), row.median(|pair| pair.theirs.per_second()));
            writeln!(
                f,
                "{:22} {:>9} {:>9.2} {:>9.2} {:>7} {:>13} {:>15} {:>15}  {}",
                format!("{} {}", row.peer, row.version),
                row.under_way,
                row.ours_cpu_us,
                row.theirs_cpu_us,
                format!("{:.2}×", row.ratio),
                format!("{:.2}–{:.2}", row.ratio_least, row.ratio_greatest),
                format!("{own_ours:.2} | {own_theirs:.2}"),
                format!("{:.0} k | {:.0} k", pace / 1000.0, their_pace / 1000.0),
                row.keeps
            )?;
        }
        for (name, reason) in &self.missing {
            writeln!(f, "{name:22} not measured: {reason}")?;
        }
        write!(f, "{}", self.generator())
    }
}

impl Report {
    /// Whether what was measured may be the measuring program.
    fn generator(&self) -> String {
        let bound = |row: &&Row| {
            row.median(|pair| pair.ours.own_us() / pair.ours.cpu_us()) > 1.0
                || row.median(|pair| pair.theirs.own_us() / pair.theirs.cpu_us()) > 1.0
        };
        let bound: Vec<_> = self.rows.iter().filter(bound).map(|row| format!("{} at {}", row.peer, row.under_way)).collect();
        if bound.is_empty() {
            return "\nThe generator used less CPU than either server in every row: it was not the bottleneck.\n".to_owned();
        }
        format!(
            "\nThe generator used more CPU than a server did here, so that the server had to wait for it (its CPU per delivery\nis measured all the same, at less than full load): {}.\n",
            bound.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(ours: u64, theirs: u64) -> Pair {
        let sample = |cpu| Sample { deliveries: 100, seconds: 1.0, server_cpu_us: cpu, own_cpu_us: 50 };
        Pair { ours: sample(ours), theirs: sample(theirs) }
    }

    #[test]
    fn the_ratio_is_the_median_of_neighbouring_turns() {
        let row = Row::new("bun", "1", "nothing", 4, vec![pair(100, 100), pair(900, 300), pair(120, 100)]);
        assert_eq!((row.ratio, row.ratio_least, row.ratio_greatest), (1.2, 1.0, 3.0));
        assert_eq!(Row::new("bun", "1", "nothing", 4, vec![pair(100, 100), pair(300, 100)]).ratio, 2.0);
    }

    #[test]
    fn a_peer_that_could_not_be_measured_is_told() {
        let mut report = Report::new(2);
        report.missing.push(("bun".into(), "npm is missing".into()));
        assert!(report.to_string().contains("bun                    not measured: npm is missing"));
    }
}
