//! *Pure.* What a new node is given to join by: where to knock, whom to believe there, and a secret that is good once.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

const BEGINS: &str = "hubbub-join";

#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// `host:port` of a node of the group.
    pub address: String,
    /// SHA-256 of the certificate of the group's authority.
    pub authority: [u8; 32],
    pub secret: [u8; 32],
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no token to join by: it is one line that begins with `hubbub-join`; make one with `hubbub cluster token`")]
pub struct NoToken;

impl Token {
    /// What the group knows of the secret.
    pub fn invite(secret: &[u8; 32]) -> [u8; 32] {
        Sha256::digest(secret).into()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{BEGINS} {} {} {}", self.address, hex(&self.authority), hex(&self.secret))
    }
}

/// Never the secret: tokens come near logs.
impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Token({})", self.address)
    }
}

impl FromStr for Token {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        let parts: Vec<_> = text.split_whitespace().collect();
        let [BEGINS, address, authority, secret] = parts[..] else { return Err(NoToken) };
        let (authority, secret) = (unhex(authority).ok_or(NoToken)?, unhex(secret).ok_or(NoToken)?);
        Ok(Self { address: address.to_owned(), authority, secret })
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let bytes: Vec<_> = digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_nothing_else_is_one() {
        let token = Token { address: "node-1.example:7000".into(), authority: [0x0a; 32], secret: [0xf0; 32] };
        let text = token.to_string();
        assert_eq!(format!("\n {text} \n").parse(), Ok(token.clone()));
        for text in
            ["", "hubbub-join", &text[1..], &text[..text.len() - 1], &format!("{text}0"), &format!("{text} x"), &text.replace('f', "é")]
        {
            assert_eq!(text.parse::<Token>(), Err(NoToken), "{text}");
        }
        assert!(!format!("{token:?}").contains("f0f0"), "a log has no secrets");
    }
}
