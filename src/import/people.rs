//! The people of an import: accounts of their names that nobody can sign in to until an operator gives them a password.

use std::collections::HashMap;

use schema::UserId;

use super::Error;
use crate::auth::{Auth, check_username};

/// Names looked up in one batch; more are looked up again.
const KNOWN_MAX: usize = 100_000;

#[derive(Default)]
pub struct People {
    known: HashMap<String, UserId>,
}

impl People {
    /// The account of a name, made if need be.
    pub async fn of(&mut self, auth: &Auth, name: &str) -> Result<UserId, Error> {
        if let Some(user) = self.known.get(name) {
            return Ok(*user);
        }
        let user = auth.imported(name).await?;
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(name.to_owned(), user);
        Ok(user)
    }

    /// The text with `<@Name>` as `<@user-id>` wherever the name is one that an account may have.
    pub async fn mentioned(&mut self, auth: &Auth, text: &str) -> Result<String, Error> {
        let mut said = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("<@") {
            said.push_str(&rest[..start]);
            rest = &rest[start..];
            let name = rest[2..].split_once('>').map(|(name, _)| name).filter(|name| check_username(name).is_ok());
            let Some(name) = name else {
                said.push_str("<@");
                rest = &rest[2..];
                continue;
            };
            let user = self.of(auth, name).await?;
            said.push_str(&format!("<@{user}>"));
            rest = &rest[name.len() + 3..];
        }
        said.push_str(rest);
        // Names may grow to ids; a text that then is too long keeps its names.
        Ok(if said.len() > schema::limits::TEXT_BYTES_MAX { text.to_owned() } else { said })
    }
}
