//! Pure. The text of a refresh token: `hr_<user>.<login>.<rotation>.<secret>`. Whose it is can be read off, so that one
//! look-up finds its login; that it is the right one only its hash says.

use schema::{LoginId, UserId};
use uuid::Uuid;

const PREFIX: &str = "hr_";
const BYTES_MAX: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub user: UserId,
    pub login: LoginId,
    pub rotation: u32,
}

pub fn write(claim: Claim, secret: &str) -> String {
    let Claim { user, login, rotation } = claim;
    format!("{PREFIX}{}.{}.{rotation}.{secret}", user.0.simple(), login.0.simple())
}

/// Only what `write` wrote: one spelling per token.
pub fn read(token: &str) -> Option<Claim> {
    if token.len() > BYTES_MAX {
        return None;
    }
    let mut parts = token.strip_prefix(PREFIX)?.split('.');
    let user = UserId(Uuid::try_parse(parts.next()?).ok()?);
    let login = LoginId(Uuid::try_parse(parts.next()?).ok()?);
    let rotation = parts.next()?.parse().ok()?;
    let secret = parts.next()?;
    let claim = Claim { user, login, rotation };
    (parts.next().is_none() && write(claim, secret) == token).then_some(claim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_nothing_else_does() {
        let claim = Claim { user: UserId::from_bytes([1; 16]), login: LoginId::from_bytes([2; 16]), rotation: 7 };
        let token = write(claim, "c2VjcmV0");
        assert_eq!(read(&token), Some(claim));
        let upper = token.replace("hr_0101", "hr_{0101");
        for other in ["", "hr_", "hr_a.b.c.d", &token[1..], &format!("{token}.x"), &token.replace(".7.", ".+7."), &upper] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(read(&format!("hr_{}", "x.".repeat(1000))), None);
    }
}
