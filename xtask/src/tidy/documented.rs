//! What an operator can set or watch is in OPERATIONS: every configuration key, every bound, every metric. Names only; whether the
//! words beside them are true is a reader's work.

use super::{Finding, tests_begin};
use crate::house::Source;

const PAGE: &str = "docs/OPERATIONS.md";
const KEYS: &[&str] = &["src/config/mod.rs", "src/config/data.rs", "src/limits.rs"];
/// Fields in those files that are no keys: sections, and what loading found out.
const NOT_KEYS: &[&str] = &["node", "listen", "auth", "edge", "store", "rooms", "limits", "log", "config", "sources", "warnings"];
const METERED: &[&str] = &["src/", "actors/src/", "store/src/", "cluster/src/"];

pub fn check(sources: &[Source]) -> Vec<Finding> {
    let Some(page) = sources.iter().find(|source| source.path == PAGE) else { return Vec::new() };
    let mut findings = Vec::new();
    for source in sources {
        for (line, name) in keys(source).chain(metrics(source)) {
            if !super::has_word(&page.text, &name) {
                findings.push(Finding::new(source, line, format!("`{name}` is not in {PAGE}")));
            }
        }
    }
    findings
}

fn keys(source: &Source) -> impl Iterator<Item = (usize, String)> {
    let is_config = KEYS.contains(&source.path.as_str());
    source.text.lines().enumerate().filter(move |_| is_config).filter_map(|(index, line)| {
        let (name, _) = line.strip_prefix("    pub ")?.split_once(": ")?;
        let is_key = name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !NOT_KEYS.contains(&name);
        is_key.then(|| (index + 1, name.to_owned()))
    })
}

/// A metric's name stands whole in its source, so that it can be found.
fn metrics(source: &Source) -> impl Iterator<Item = (usize, String)> {
    let tests = tests_begin(source);
    let is_metered = source.extension() == "rs" && METERED.iter().any(|folder| source.path.starts_with(folder));
    let lines = source.text.lines().enumerate().take_while(move |(index, _)| is_metered && index + 1 < tests);
    lines.flat_map(|(index, line)| {
        let names = line.match_indices("\"hubbub_").map(|(at, _)| line[at + 1..].split('"').next().unwrap_or_default());
        names.filter(|name| name.ends_with("_total") || name.matches('_').count() > 2).map(move |name| (index + 1, name.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    #[test]
    fn a_key_and_a_metric_that_nobody_wrote_down_are_caught() {
        let page = planted(PAGE, "| `drain_ms` | `hubbub_edge_closes_total` |\n");
        let config = planted("src/config/mod.rs", "pub struct Node {\n    pub drain_ms: u32,\n    pub spare_ms: u32,\n}\n");
        let metered = planted("src/edge/metrics.rs", "count(\"hubbub_edge_closes_total\");\ncount(\"hubbub_edge_rooms_open\");\n");
        let says: Vec<_> = check(&[page, config, metered]).into_iter().map(|finding| finding.to_string()).collect();
        assert_eq!(
            says,
            [
                "src/config/mod.rs:3: `spare_ms` is not in docs/OPERATIONS.md",
                "src/edge/metrics.rs:2: `hubbub_edge_rooms_open` is not in docs/OPERATIONS.md"
            ]
        );
    }
}
