//! No machine's own paths and no package hosts in the project: it has to be the same everywhere.

use super::Finding;
use crate::house::Source;

/// Written in two halves, so that this file obeys its own rule.
const PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Use", "rs/"), concat!("/tm", "p/")];
const HOSTS: &[&str] = &[
    concat!("registry.npm", "js.org"),
    concat!("files.python", "hosted.org"),
    concat!("pypi", ".org"),
    concat!("static.crat", "es.io"),
    concat!("index.crat", "es.io"),
    concat!("proxy.gol", "ang.org"),
    concat!("repo.maven.", "apache.org"),
    concat!("repo1.ma", "ven.org"),
    concat!("deb.deb", "ian.org"),
];

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        if let Some(path) = PATHS.iter().find(|path| names_path(line, path)) {
            findings.push(Finding::new(source, index + 1, format!("`{path}` is a place on one machine")));
        }
        if let Some(host) = HOSTS.iter().find(|host| line.contains(*host)) {
            findings.push(Finding::new(source, index + 1, format!("`{host}` is a package host: clients know theirs")));
        }
    }
    findings
}

/// A path begins where no other path goes on: `web/home/x` names nobody's home.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.}])/*".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_caught() {
        let line = concat!("let data = \"/ho", "me/ann/data\";\n");
        assert_eq!(check(&planted("src/a.rs", line)).len(), 1);
        assert_eq!(check(&planted("src/a.rs", concat!("mod web/ho", "me/page\n"))), []);
    }

    #[test]
    fn a_lock_file_that_names_a_host_is_caught() {
        let line = concat!("\"resolved\": \"https://registry.npm", "js.org/x/-/x-1.tgz\"\n");
        assert_eq!(check(&planted("web/package-lock.json", line)).len(), 1);
    }
}
