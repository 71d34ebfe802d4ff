//! The rules of the house, and that generated files are in step. Each rule is one small file with a test that plants a
//! violation. They read text, not syntax: quick, and good enough for rules whose breakers do not hide. What they cannot
//! see (taste, truth of comments) is a reader's work.

mod documented;
mod imports;
mod length;
mod names;
mod opening;
mod places;
mod purity;
mod shortcuts;

use std::fmt;

use anyhow::{Result, bail};

use crate::r#gen;
use crate::house::{self, Source};

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    /// From 1.
    pub line: usize,
    pub says: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.says)
    }
}

impl Finding {
    fn new(source: &Source, line: usize, says: impl Into<String>) -> Self {
        Self { path: source.path.clone(), line, says: says.into() }
    }
}

type Rule = fn(&Source) -> Vec<Finding>;

const RULES: &[Rule] = &[imports::check, length::check, names::check, opening::check, places::check, purity::check, shortcuts::check];

/// Applies every rule to every file of the house, and those about several files to all of them.
pub fn run() -> Result<()> {
    let sources = house::sources()?;
    let mut findings: Vec<Finding> = sources.iter().flat_map(|source| RULES.iter().flat_map(|rule| rule(source))).collect();
    findings.extend(documented::check(&sources));
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} places break the rules of the house", findings.len());
    }
    r#gen::run(true)?;
    println!("tidy: {} files, {} rules, nothing found", sources.len(), RULES.len() + 1);
    Ok(())
}

/// The lines of Rust or TypeScript without their `//` comments, numbered from 1. A `//` inside a string cuts the line
/// short, which can hide a violation behind an address and never invents one.
fn code_lines(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    source.text.lines().enumerate().map(|(index, line)| (index + 1, line.split_once("//").map_or(line, |(code, _)| code)))
}

/// The line from which on a Rust file is tests; a file of tests begins with them.
fn tests_begin(source: &Source) -> usize {
    let path = &source.path;
    if path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs") {
        return 0;
    }
    source.text.lines().position(|line| line.trim_start().starts_with("#[cfg(test)]")).map_or(usize::MAX, |index| index + 1)
}

/// Whether `word` stands in `line` as a word of its own.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let starts = !word.starts_with(part_of_word) || !before.is_some_and(part_of_word);
        let ends = !word.ends_with(part_of_word) || !after.is_some_and(part_of_word);
        starts && ends
    })
}

#[cfg(test)]
fn planted(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_not_found_inside_another() {
        assert!(has_word("use tokio::time;", "tokio"));
        assert!(!has_word("use tokio_rustls::x;", "tokio"));
        assert!(has_word("a.sleep(1)", ".sleep("));
        assert!(!has_word("let factors = 1;", "actors"));
    }

    #[test]
    fn comments_are_not_code() {
        let source = planted("a.rs", "let a = 1; // tokio\n//! tokio\n");
        assert!(code_lines(&source).all(|(_, line)| !has_word(line, "tokio")));
    }
}
