//! Times and counts of a run. What they mean is `report`'s business.

mod latencies;
pub mod own;
mod tally;

pub use latencies::Latencies;
pub use tally::{Deed, Tally, Timed};
