//! Pure. A comparison as lines for a terminal.

use std::fmt;

use super::{Change, Comparison, METHOD, Row};

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.caveats.iter().try_for_each(|caveat| writeln!(f, "beware: {caveat}"))?;
        let side = |name: &str, runs: usize| if runs == 1 { name.to_owned() } else { format!("{name}, {runs} runs") };
        let (first, second) = (side("first", self.runs.0), side("second", self.runs.1));
        writeln!(f, "{:32} {first:>16} {second:>16} {:>10} {:>22}", "", "change", "95 % of changes")?;
        for row in &self.rows {
            let Row { name, unit, first, second, .. } = row;
            let name = format!("{name} {unit}");
            let (change, interval) = (format!("{:+.1} %", row.change_percent()), interval(row));
            writeln!(f, "{name:32} {first:>16.2} {second:>16.2} {change:>10} {interval:>22}  {}", row.change.text())?;
        }
        let count = |change: Change| self.rows.iter().filter(|row| row.change == change).count();
        let counts =
            [Change::Better, Change::Worse, Change::None, Change::Unknown].map(|change| format!("{} {}", count(change), change.text()));
        writeln!(f, "\n{}\n\n{METHOD}", counts.join(" · "))
    }
}

pub fn interval(row: &Row) -> String {
    row.interval.map_or_else(|| "–".to_owned(), |it| format!("{:+.1} to {:+.1} %", it.low, it.high))
}
