//! What is put off or looked away from: `todo!`, ignored and skipped tests, sleeps in tests. A test that polls for a
//! state under a deadline may pause between two looks, and says so on that line with the word `poll`.

use super::{Finding, code_lines, has_word, tests_begin};
use crate::house::Source;

/// Written in two halves, so that this file obeys its own rule.
const NEVER: &[&str] = &[concat!("to", "do!("), concat!("un", "implemented!("), concat!("db", "g!("), concat!("#[ig", "nore")];
const SLEEPS: &[&str] = &[concat!("thread::sl", "eep("), concat!("time::sl", "eep(")];
const SKIPS: &[&str] = &[
    concat!("it.sk", "ip("),
    concat!("test.sk", "ip("),
    concat!("describe.sk", "ip("),
    concat!("it.on", "ly("),
    concat!("test.on", "ly("),
    concat!("describe.on", "ly("),
    concat!("it.to", "do("),
    concat!("test.fix", "me("),
    concat!("waitFor", "Timeout("),
];

pub fn check(source: &Source) -> Vec<Finding> {
    match source.extension() {
        "rs" => rust(source),
        "ts" | "tsx" | "js" | "mjs" => script(source),
        _ => Vec::new(),
    }
}

fn rust(source: &Source) -> Vec<Finding> {
    let tests = tests_begin(source);
    let mut findings = Vec::new();
    for ((number, code), whole) in code_lines(source).zip(source.text.lines()) {
        if let Some(word) = NEVER.iter().find(|word| has_word(code, word)) {
            findings.push(Finding::new(source, number, format!("`{word}`: finish it, or leave it out")));
        }
        let sleeps = SLEEPS.iter().any(|word| code.contains(word));
        if number > tests && sleeps && !whole.contains("poll") {
            findings.push(Finding::new(source, number, "a sleep in a test: wait on observed state"));
        }
    }
    findings
}

fn script(source: &Source) -> Vec<Finding> {
    code_lines(source)
        .filter_map(|(number, line)| SKIPS.iter().find(|word| line.contains(*word)).map(|word| (number, word)))
        .map(|(number, word)| Finding::new(source, number, format!("`{word}`: every test runs, whole, and waits on what it sees")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    #[test]
    fn work_put_off_is_caught() {
        assert_eq!(check(&planted("src/a.rs", concat!("fn a() { to", "do!() }\n"))).len(), 1);
        assert_eq!(check(&planted("src/a.rs", concat!("#[ig", "nore = \"slow\"]\n"))).len(), 1);
    }

    #[test]
    fn a_sleep_in_a_test_is_caught_and_a_poll_or_a_pause_of_the_product_is_not() {
        let sleep = concat!("std::thread::sl", "eep(pause);");
        assert_eq!(check(&planted("tests/a.rs", sleep)).len(), 1);
        assert_eq!(check(&planted("src/a.rs", &format!("#[cfg(test)]\nmod tests {{ {sleep} }}\n"))).len(), 1);
        assert_eq!(check(&planted("tests/a.rs", &format!("{sleep} // poll"))), []);
        assert_eq!(check(&planted("src/a.rs", sleep)), []);
    }

    #[test]
    fn a_browser_test_that_skips_or_waits_on_the_clock_is_caught() {
        assert_eq!(check(&planted("web/e2e/a.spec.ts", concat!("test.sk", "ip('x', () => {})\n"))).len(), 1);
        assert_eq!(check(&planted("web/e2e/a.spec.ts", concat!("await page.waitFor", "Timeout(5)\n"))).len(), 1);
    }
}
