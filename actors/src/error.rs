//! What can go wrong here, and which code a client sees of a store's error.

use schema::ErrorCode;
use schema::server::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("slot {slot} could not be taken over: {why}")]
    Slot { slot: u16, why: String },
}

/// Why something is not done: the code, and one sentence that names the field where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: ErrorCode,
    pub why: &'static str,
}

impl Refused {
    /// A request that breaks a rule of form.
    pub fn bad(why: &'static str) -> Self {
        Self { code: ErrorCode::BadRequest, why }
    }
    pub fn refusal(self, id: u32) -> Refusal {
        Refusal { message: self.why.to_owned(), ..Refusal::new(id, self.code) }
    }
}

impl From<ErrorCode> for Refused {
    fn from(code: ErrorCode) -> Self {
        Self { code, why: code.sentence() }
    }
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
