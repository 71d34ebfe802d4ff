//! What can go wrong in a store, as variants that a caller can act on.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The call may or may not have happened. Repeat the identical call; never assume either.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// The store takes no writes for now (a nearly full disk); reads go on. Nothing was written.
    #[error("read-only: {0}")]
    ReadOnly(String),
    /// What was read is not what was written.
    #[error("{0}")]
    Corrupt(String),
    /// The store cannot be opened or used as it is; one sentence that says what to do.
    #[error("{0}")]
    Unusable(String),
    /// A segment that should be there is absent.
    #[error("slot {slot}: block {block} is neither in the journal nor trimmed")]
    MissingBlock { slot: u16, block: u64 },
}
