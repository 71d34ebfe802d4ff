//! The load harness: a Rust client, the history that clients write, and the checker that reads it.
//!
//! Knows `schema` and nothing of the server, so that it can be run against an older node or somebody else's.

pub mod audit;
pub mod check;
pub mod client;
pub mod group;
pub mod guard;
pub mod history;
pub mod load;
pub mod measure;
pub mod modes;
pub mod peers;
pub mod people;
pub mod plan;
pub mod process;
pub mod report;
pub mod run;
pub mod scenario;
pub mod view;
