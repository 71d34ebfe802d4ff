//! State behind two small traits, `Journal` and `Records`; backends that keep their promises, and the one suite that says so.
//! Knows nothing of rooms' rules, of actors or of sockets. No driver type is in a public signature.

pub mod error;
pub mod journal;
pub mod records;

use std::future::Future;
use std::pin::Pin;

pub use error::Error;
pub use journal::{Append, Appended, Fenced, Journal, StoredBlock};
pub use records::{Expect, Put, Range, Records, RecordsExt, Row, Write};

/// What the traits' calls return: they are used behind `Arc<dyn …>`.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
