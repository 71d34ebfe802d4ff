//! State behind two small traits, `Journal` and `Records`; backends that keep their promises, and the one suite that says so.
//! Knows nothing of rooms' rules, of actors or of sockets. No driver type is in a public signature.

pub mod breaker;
pub mod calls;
pub mod cell;
pub mod conformance;
pub mod embedded;
pub mod error;
pub mod journal;
pub mod ledger;
mod metrics;
pub mod op;
pub mod records;
pub mod remote;
pub mod sim;

use std::future::Future;
use std::pin::Pin;

pub use calls::Calls;
pub use embedded::{BackupSummary, Embedded, EmbeddedConfig, restore};
pub use error::Error;
pub use journal::{Append, Appended, Fenced, Journal, StoredBlock};
pub use records::{Expect, Put, Range, Records, RecordsExt, Row, Write};
pub use remote::{Remote, RemoteConfig};
pub use sim::SimStore;

/// What the traits' calls return: they are used behind `Arc<dyn …>`.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
