//! What can go wrong here, and which code a client sees of a store's error.

use schema::ErrorCode;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("slot {slot} could not be taken over: {why}")]
    Slot { slot: u16, why: String },
}

pub fn code_of(error: store::Error) -> ErrorCode {
    match error {
        store::Error::ReadOnly(_) => ErrorCode::ReadOnly,
        store::Error::Unknown(_) => ErrorCode::Unavailable,
        other => {
            tracing::error!(error = %other, "the store failed");
            ErrorCode::Internal
        }
    }
}
