//! What clients write down about a run, and how it is read back for the checker.
//!
//! A history is a folder of JSON-lines files, or one file: every line is `[microseconds, {entry}]`. A `client` entry
//! opens the section of one device; `plan`, `fault` and `final` come from the harness itself. Times are of one clock
//! for the whole run, and only C6 and C8 look at them.

mod entry;
mod read;
mod recorder;

pub use entry::{Claim, Entry, Line, Seen};
pub use read::{Device, Error, Run};
pub use recorder::{Clock, Recorder};
