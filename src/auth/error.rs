//! What can go wrong while somebody signs in, as variants a caller can act on. Each has one code of the one table.
//! Says nothing that would tell a stranger whether a name exists, except at sign-up, where it cannot be avoided.

use schema::ErrorCode;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The same for an unknown name.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// Not one of our tokens, or one that is over.
    #[error("the token is not valid: sign in again")]
    Unauthenticated,
    #[error("this device was signed out: sign in again")]
    LoginRevoked,
    #[error("that name is taken")]
    NameTaken,
    /// A name, password or profile that breaks a rule; the sentence says which.
    #[error("{0}")]
    Rule(String),
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("there is no such user or device")]
    NotFound,
    /// An operator is told by name; to strangers a name that is not there is a wrong password.
    #[error("there is no user \"{0}\": `hubbub user list` names them")]
    NoUser(String),
    #[error("too many attempts: try again in {} s", retry_after_ms.div_ceil(1000))]
    Limited { retry_after_ms: u32 },
    /// More passwords or tickets are waiting than the node takes.
    #[error("the node is busy with other log-ins: try again in a moment")]
    Busy,
    /// Two requests changed the same thing at once; nothing was done by this one.
    #[error("the same thing was changed by another request: try again")]
    Again,
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The machine's cryptography refused; the log has the reason.
    #[error("something broke on our side: {0}")]
    Broken(&'static str),
}

impl Error {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::WrongPassword => ErrorCode::WrongPassword,
            Self::Unauthenticated => ErrorCode::Unauthenticated,
            Self::LoginRevoked => ErrorCode::LoginRevoked,
            Self::NameTaken => ErrorCode::NameTaken,
            Self::Rule(_) => ErrorCode::BadRequest,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::NotFound | Self::NoUser(_) => ErrorCode::NotFound,
            Self::Limited { .. } => ErrorCode::RateLimited,
            Self::Busy => ErrorCode::Busy,
            Self::Again => ErrorCode::Unavailable,
            Self::Store(store::Error::Unknown(_)) => ErrorCode::Unavailable,
            Self::Store(store::Error::ReadOnly(_)) => ErrorCode::ReadOnly,
            Self::Store(_) | Self::Broken(_) => ErrorCode::Internal,
        }
    }

    pub fn retry_after_ms(&self) -> Option<u32> {
        match self {
            Self::Limited { retry_after_ms } => Some(*retry_after_ms),
            Self::Busy | Self::Again => Some(1000),
            _ => None,
        }
    }
}
