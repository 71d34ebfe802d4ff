//! The pure cores by themselves: scripts of inputs against printed effects, one `check` a core, and properties over inputs
//! made by chance. No store, no runtime, no clock.

mod carry;
mod fold;
mod room;
mod rules;
mod session;
mod slot;
mod unread;

/// Compares what was printed, line by line, without the indentation of the test's text.
fn same(printed: &[String], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(printed, expected, "\n{}\n", printed.join("\n"));
}
