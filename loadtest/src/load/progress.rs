//! A bar for what takes a while; it is gone when it is dropped.

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

pub fn progress(what: &str, count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:28} {bar:30} {pos}/{len} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(count as u64).with_style(style).with_finish(ProgressFinish::AndClear);
    bar.with_message(what.to_owned())
}

/// Shows how many are done, for who is told that.
pub fn told(what: &str, count: usize) -> impl Fn(u32) {
    let bar = progress(what, count);
    move |done| bar.set_position(done.into())
}
