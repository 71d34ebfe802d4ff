//! The import table: which of our crates a crate may know, and which outside words must not appear in it.
//! Manifests say what a crate can reach, `use` lines and paths what it names; both are read. Tests may name what they like.

use super::{Finding, code_lines, has_word};
use crate::house::Source;

struct Row {
    folder: &'static str,
    /// Our own crates it may depend on.
    may: &'static [&'static str],
    /// Crates that must not be named in it.
    must_not: &'static [&'static str],
    /// When not empty: the only outside crates it may depend on.
    only: &'static [&'static str],
}

const OURS: &[&str] = &["schema", "store", "cluster", "actors", "loadtest", "hubbub"];
const DRIVERS: &[&str] = &["fjall", "scylla", "redis"];

const TABLE: &[Row] = &[
    Row {
        folder: "schema/",
        may: &[],
        must_not: &["tokio", "ractor", "futures_util", "std::fs", "std::net"],
        only: &["bytes", "rmp-serde", "schemars", "serde", "serde_json", "sha2", "thiserror", "utoipa", "uuid"],
    },
    Row { folder: "store/", may: &["schema"], must_not: &["ractor", "hyper", "axum", "openraft"], only: &[] },
    Row { folder: "cluster/", may: &["schema"], must_not: &["ractor", "fjall", "scylla", "RoomKind", "EventBody"], only: &[] },
    Row {
        folder: "actors/",
        may: &["schema", "store", "cluster"],
        must_not: &["hyper", "hyper_util", "axum", "mio", "socket2", "fastwebsockets", "fjall", "scylla", "redis", "openraft", "TcpStream"],
        only: &[],
    },
    Row { folder: "loadtest/", may: &["schema"], must_not: &["ractor", "fjall"], only: &[] },
    Row { folder: "src/", may: &["schema", "store", "cluster", "actors"], must_not: &["scylla", "openraft"], only: &[] },
];

pub fn check(source: &Source) -> Vec<Finding> {
    if source.name() == "Cargo.toml" {
        return manifest(source);
    }
    if source.extension() != "rs" {
        return Vec::new();
    }
    let Some(row) = TABLE.iter().find(|row| source.path.starts_with(row.folder)) else { return Vec::new() };
    let mut findings = Vec::new();
    let tests = super::tests_begin(source);
    for (number, line) in code_lines(source).take_while(|(number, _)| *number < tests) {
        for word in row.must_not {
            if has_word(line, word) {
                findings.push(Finding::new(source, number, format!("`{}` must not know `{word}`", row.folder.trim_end_matches('/'))));
            }
        }
        if row.folder == "store/" && is_shown(source) {
            findings.extend(driver_in_signature(source, number, line));
        }
    }
    findings
}

/// What stands in a backend's own folder is its private matter, but for what its `mod.rs` lets out.
fn is_shown(source: &Source) -> bool {
    let in_backend = ["embedded/", "cql/", "remote/"].iter().any(|backend| source.path.contains(backend));
    !in_backend || source.name() == "mod.rs"
}

/// A driver's type in what the store shows would bind its users to that driver.
fn driver_in_signature(source: &Source, number: usize, line: &str) -> Option<Finding> {
    let shown = line.trim_start().strip_prefix("pub ")?;
    let driver = DRIVERS.iter().find(|driver| has_word(shown, &format!("{driver}::")))?;
    Some(Finding::new(source, number, format!("a type of `{driver}` in a public signature of the store")))
}

fn manifest(source: &Source) -> Vec<Finding> {
    let folder = source.path.trim_end_matches("Cargo.toml");
    let row = TABLE.iter().find(|row| if folder.is_empty() { row.folder == "src/" } else { row.folder == folder });
    let Some(row) = row else { return Vec::new() };
    let Ok(parsed) = source.text.parse::<toml::Table>() else {
        return vec![Finding::new(source, 1, "not valid TOML")];
    };
    let mut findings = Vec::new();
    let names = parsed.get("dependencies").and_then(toml::Value::as_table).map(|table| table.keys().cloned().collect::<Vec<_>>());
    for name in names.unwrap_or_default() {
        let crate_name = name.trim_start_matches("hubbub-");
        let line = source.text.lines().position(|line| line.contains(name.as_str())).map_or(1, |index| index + 1);
        if OURS.contains(&crate_name) && !row.may.contains(&crate_name) {
            findings.push(Finding::new(source, line, format!("may not import our crate `{crate_name}`")));
        } else if !row.only.is_empty() && !OURS.contains(&crate_name) && !row.only.contains(&name.as_str()) {
            findings.push(Finding::new(source, line, format!("may import {} alone, not `{name}`", row.only.join(", "))));
        } else if row.must_not.contains(&name.replace('-', "_").as_str()) {
            findings.push(Finding::new(source, line, format!("must not know `{name}`")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    #[test]
    fn a_crate_that_imports_upwards_is_caught() {
        let findings = check(&planted("store/Cargo.toml", "[dependencies]\nschema = \"1\"\nactors = \"1\"\n"));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 3);
        assert_eq!(check(&planted("loadtest/Cargo.toml", "[dependencies]\nhubbub = \"1\"\n")).len(), 1);
    }

    #[test]
    fn the_schema_takes_no_new_dependency_unseen() {
        assert_eq!(check(&planted("schema/Cargo.toml", "[dependencies]\ntokio = \"1\"\n")).len(), 1);
        assert_eq!(check(&planted("schema/Cargo.toml", "[dependencies]\nserde = \"1\"\n")), []);
    }

    #[test]
    fn a_forbidden_word_in_code_is_caught_and_in_a_comment_is_not() {
        assert_eq!(check(&planted("actors/src/a.rs", "use hyper::Request;\n")).len(), 1);
        assert_eq!(check(&planted("actors/src/a.rs", "// never hyper\n")), []);
        assert_eq!(check(&planted("src/a.rs", "use hyper::Request;\n")), []);
        assert_eq!(check(&planted("actors/tests/a.rs", "use hyper::Request;\n")), []);
    }

    #[test]
    fn a_driver_type_may_not_leave_the_store() {
        assert_eq!(check(&planted("store/src/a.rs", "pub fn open() -> fjall::Result<()> {\n")).len(), 1);
        assert_eq!(check(&planted("store/src/embedded/mod.rs", "pub fn open() -> fjall::Result<()> {\n")).len(), 1);
        assert_eq!(check(&planted("store/src/a.rs", "fn open() -> fjall::Result<()> {\n")), []);
    }
}
