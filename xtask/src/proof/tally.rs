//! How many tests a runner says it ran, read from its closing lines. A runner whose closing lines are not there failed.

/// What came of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    /// One reason a skip.
    pub skipped: Vec<String>,
}

impl Tally {
    pub fn success() -> Self {
        Self { passed: 1, ..Self::default() }
    }
    pub fn failure() -> Self {
        Self { failed: 1, ..Self::default() }
    }
    pub fn of(success: bool) -> Self {
        if success { Self::success() } else { Self::failure() }
    }
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend(other.skipped);
    }
}

/// Reads every closing line in a run's output. A run that broke without saying so counts as one failure, and one that
/// ran no test at all too.
pub fn read(lines: &[String], success: bool) -> Tally {
    let mut tally = Tally::default();
    let mut ran_by_python = 0;
    for line in lines {
        let line = plain(line);
        let line = line.trim();
        if let Some(closing) = line.strip_prefix("test result: ") {
            count_words(closing, ';', "ignored", &mut tally);
        } else if let Some(closing) = line.strip_prefix("Tests ").map(str::trim) {
            count_words(closing.split('(').next().unwrap_or(closing), '|', "skipped", &mut tally);
        } else if let Some(closing) = line.strip_prefix('\u{2139}').map(str::trim).or(line.strip_prefix("# ")) {
            count_node(closing, &mut tally);
        } else if let Some(closing) = line.strip_prefix("Ran ") {
            ran_by_python = closing.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
        } else if line == "OK" || line.starts_with("OK (") || line.starts_with("FAILED (") {
            count_python(std::mem::take(&mut ran_by_python), line, &mut tally);
        } else if is_plain_closing(line) {
            count_words(line, ',', "skipped", &mut tally);
        }
    }
    if (!success && tally.failed == 0) || tally == Tally::default() {
        tally.failed += 1;
    }
    tally
}

/// `12 passed`, `ok. 3 passed`, `1 failed`: number and word, separated as the runner does it.
fn count_words(closing: &str, separator: char, skip_word: &str, tally: &mut Tally) {
    for piece in closing.split(separator) {
        let words: Vec<_> = piece.split_whitespace().collect();
        let Some((count, word)) = words.windows(2).find_map(|pair| Some((pair[0].parse::<usize>().ok()?, pair[1]))) else { continue };
        if word == "passed" {
            tally.passed += count;
        } else if word == "failed" {
            tally.failed += count;
        } else if word == skip_word || word == "todo" {
            tally.skipped.extend((0..count).map(|_| format!("a test is {skip_word}")));
        }
    }
}

/// Node's own runner: `pass 4`, `fail 0`, `skipped 0`.
fn count_node(closing: &str, tally: &mut Tally) {
    let Some((word, count)) = closing.split_once(' ') else { return };
    let Ok(count) = count.trim().parse::<usize>() else { return };
    match word {
        "pass" => tally.passed += count,
        "fail" | "cancelled" => tally.failed += count,
        "skipped" | "todo" => tally.skipped.extend((0..count).map(|_| format!("a test is {word}"))),
        _ => {}
    }
}

/// Python's unittest: `Ran 4 tests`, then `OK` or `FAILED (failures=1, errors=1, skipped=1)`.
fn count_python(ran: usize, verdict: &str, tally: &mut Tally) {
    let count = |word: &str| {
        let pieces = verdict.split(['(', ',', ')']).map(str::trim);
        pieces.filter_map(|piece| piece.strip_prefix(word)?.strip_prefix('=')?.parse::<usize>().ok()).sum::<usize>()
    };
    let (failed, skipped) = (count("failures") + count("errors"), count("skipped"));
    tally.passed += ran.saturating_sub(failed + skipped);
    tally.failed += failed;
    tally.skipped.extend((0..skipped).map(|_| "a test is skipped".to_owned()));
}

/// `3 passed, 0 failed` alone on a line.
fn is_plain_closing(line: &str) -> bool {
    let mut pieces = line.split(", ");
    let is = |piece: Option<&str>, word: &str| {
        piece.and_then(|piece| piece.strip_suffix(word)).is_some_and(|count| count.trim().parse::<usize>().is_ok())
    };
    is(pieces.next(), "passed") && is(pieces.next(), "failed")
}

/// Without the colours of a terminal.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter != '\u{1b}' {
            plain.push(letter);
            continue;
        }
        for letter in letters.by_ref() {
            if letter.is_ascii_alphabetic() {
                break;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn counts(tally: &Tally) -> (usize, usize, usize) {
        (tally.passed, tally.failed, tally.skipped.len())
    }

    #[test]
    fn closing_lines_of_every_runner_are_counted() {
        let cargo = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out\ntest result: ok. 3 passed; 0 failed";
        assert_eq!(counts(&read(&lines(cargo), true)), (15, 0, 1));
        let vitest = "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[31m1 failed\u{1b}[39m | \u{1b}[32m34 passed\u{1b}[39m | 2 skipped (37)";
        assert_eq!(counts(&read(&lines(vitest), false)), (34, 1, 2));
        assert_eq!(counts(&read(&lines("\u{2139} pass 5\n\u{2139} fail 0\n\u{2139} skipped 0"), true)), (5, 0, 0));
        assert_eq!(counts(&read(&lines("7 passed, 0 failed"), true)), (7, 0, 0));
        assert_eq!(counts(&read(&lines("Ran 4 tests in 3.1s\n\nOK"), true)), (4, 0, 0));
        assert_eq!(counts(&read(&lines("Ran 5 tests in 3s\n\nFAILED (failures=1, errors=1, skipped=1)"), false)), (2, 2, 1));
    }

    #[test]
    fn a_run_that_broke_or_ran_nothing_is_a_failure() {
        assert_eq!(counts(&read(&lines("error: could not compile"), false)), (0, 1, 0));
        assert_eq!(counts(&read(&lines("nothing to do"), true)), (0, 1, 0));
        assert_eq!(counts(&read(&lines("test result: ok. 4 passed; 0 failed"), false)), (4, 1, 0));
    }
}
