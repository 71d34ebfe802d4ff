//! Pure cores decide from what they are handed: no runtime, no clock, no randomness of their own. A file is pure when it
//! is called `core.rs` or has the word Pure, with a full stop or colon, in its opening comment.

use super::{Finding, code_lines, has_word, tests_begin};
use crate::house::Source;

const REFUSED: &[&str] = &[
    "tokio",
    "ractor",
    "mio",
    "Instant::now",
    "SystemTime",
    "thread_rng",
    "rand::rng",
    "rand::random",
    "Uuid::now_v7",
    "Uuid::new_v4",
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
];

pub fn check(source: &Source) -> Vec<Finding> {
    if !is_pure(source) {
        return Vec::new();
    }
    let tests = tests_begin(source);
    code_lines(source)
        .take_while(|(number, _)| *number < tests)
        .flat_map(|(number, line)| REFUSED.iter().filter(move |word| has_word(line, word)).map(move |word| (number, word)))
        .map(|(number, word)| Finding::new(source, number, format!("a pure file must not use `{word}`: take it in as a value")))
        .collect()
}

fn is_pure(source: &Source) -> bool {
    if source.extension() != "rs" {
        return false;
    }
    let says_so = source.text.lines().take_while(|line| line.starts_with("//!")).any(|line| {
        let line = line.trim_start_matches("//!").trim();
        line.starts_with("Pure.") || line.starts_with("Pure:") || line.contains(" Pure.")
    });
    source.name() == "core.rs" || says_so
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    #[test]
    fn a_clock_in_a_core_is_caught() {
        let findings = check(&planted("actors/src/room/core.rs", "//! Decides.\nlet now = std::time::Instant::now();\n"));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
    }

    #[test]
    fn a_file_that_calls_itself_pure_is_held_to_it() {
        assert_eq!(check(&planted("a/b.rs", "//! Counts. Pure.\nuse tokio::sync::mpsc;\n")).len(), 1);
        assert_eq!(check(&planted("a/b.rs", "//! Counts.\nuse tokio::sync::mpsc;\n")), []);
    }

    #[test]
    fn the_tests_of_a_core_may_use_what_they_like() {
        assert_eq!(check(&planted("a/core.rs", "//! x\n#[cfg(test)]\nmod tests { use tokio::test; }\n")), []);
    }
}
