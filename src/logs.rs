//! Logs: to stderr, pretty on a terminal and one JSON object a line off one; the level can be changed while it runs.
//! What is logged is the business of whoever logs; secrets are in no type that can be printed.

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::config::{Log, LogFormat};

/// Unless they are named: ractor's spans at INFO double the cost of a send, and the group says its every step.
const ALWAYS: [(&str, &str); 2] = [("ractor", "warn"), cluster::membership::CHATTY];

static LEVEL: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("\"{0}\" is no log level: write one of error, warn, info, debug, trace, or several like \"info,hubbub=debug\"")]
    Level(String),
    #[error("logs are not running in this process")]
    NotStarted,
}

/// Once a process; a second start changes the level only.
pub fn start(log: &Log) -> Result<(), Error> {
    let filter = filter(&log.level)?;
    if LEVEL.get().is_some() {
        return set_level(&log.level);
    }
    let (level, handle) = reload::Layer::new(filter);
    let pretty = match log.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if pretty {
        lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    };
    // Another subscriber (a test's) stays; then the level is not ours to change.
    if tracing_subscriber::registry().with(level).with(lines).try_init().is_ok() {
        let _ = LEVEL.set(handle);
        log_panics();
    }
    Ok(())
}

/// A bug is one event in the log like any other, with where it was met; whoever waits for an answer gets `internal`.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, what, %backtrace, "a bug was met");
    }));
}

/// Whether a level can be used. Errors: `Level`.
pub fn check(level: &str) -> Result<(), Error> {
    filter(level).map(|_| ())
}

/// From the next event on. Errors: `Level`, `NotStarted`.
pub fn set_level(level: &str) -> Result<(), Error> {
    let filter = filter(level)?;
    LEVEL.get().ok_or(Error::NotStarted)?.reload(filter).map_err(|_| Error::NotStarted)
}

pub fn level() -> Option<String> {
    LEVEL.get()?.with_current(ToString::to_string).ok()
}

fn filter(level: &str) -> Result<EnvFilter, Error> {
    let refused = || Error::Level(level.to_owned());
    if level.trim().is_empty() || level.len() > 1024 {
        return Err(refused());
    }
    let unnamed = ALWAYS.iter().filter(|(target, _)| !level.contains(target)).map(|(target, least)| format!(",{target}={least}"));
    let text: String = std::iter::once(level.to_owned()).chain(unnamed).collect();
    // A word alone is taken for a target's name; the only words that stand alone are levels.
    let words_are_levels =
        level.split(',').all(|word| word.contains('=') || word.trim().parse::<tracing::Level>().is_ok() || word == "off");
    if !words_are_levels {
        return Err(refused());
    }
    EnvFilter::builder().parse(text).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_understood_and_a_slip_is_refused() {
        let default = filter("info").unwrap().to_string();
        assert!(default.contains("ractor=warn") && default.contains(&format!("{}={}", ALWAYS[1].0, ALWAYS[1].1)));
        assert!(filter("warn,hubbub=debug").is_ok());
        assert!(!filter("info,ractor=debug").unwrap().to_string().contains("ractor=warn"));
        for level in ["", "infoo", "info,,", "hubbub=loud", "x y"] {
            assert!(filter(level).is_err(), "{level}");
        }
    }
}
