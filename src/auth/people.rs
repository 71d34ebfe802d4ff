//! Looking people up: by id, by name, by the beginning of a name; and what they say about themselves.
//! Presence is not known here.

use std::collections::HashSet;

use schema::client::Status;
use schema::record::{User, Username};
use schema::{UserId, rest};
use store::{Expect, Put, Range, RecordsExt};

use super::{Auth, Error, name};

pub const PROFILES_MAX: usize = 200;

impl Auth {
    /// Errors: `NotFound`.
    pub async fn profile(&self, user: UserId) -> Result<rest::Profile, Error> {
        self.user(user).await?.map(profile).ok_or(Error::NotFound)
    }

    /// Those of the first 200 that exist, in the order asked for.
    pub async fn profiles(&self, users: &[UserId]) -> Result<Vec<rest::Profile>, Error> {
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        for user in users.iter().take(PROFILES_MAX).filter(|user| seen.insert(**user)) {
            found.extend(self.user(*user).await?.map(profile));
        }
        Ok(found)
    }

    /// People whose user name begins so, in the order of names.
    pub async fn find(&self, prefix: &str, limit: usize) -> Result<Vec<rest::Profile>, Error> {
        let prefix = prefix.to_ascii_lowercase();
        if prefix.is_empty() || !prefix.bytes().all(|byte| name::REST.contains(&byte)) {
            return Ok(Vec::new());
        }
        let users = self.scan_names(prefix.as_bytes(), b"", limit.min(PROFILES_MAX)).await?;
        Ok(users.into_iter().map(profile).collect())
    }

    /// All users in the order of names, after this one. For operators: it walks every partition of names.
    pub async fn users(&self, after: &str, limit: usize) -> Result<Vec<User>, Error> {
        self.scan_names(b"", after.to_lowercase().as_bytes(), limit).await
    }

    pub async fn user(&self, user: UserId) -> Result<Option<User>, Error> {
        Ok(self.records().fetch::<User>(User::key_of(user)).await?.map(|(user, _)| user))
    }

    /// Without regard to case; none while its sign-up is not done.
    pub async fn user_named(&self, name: &str) -> Result<Option<User>, Error> {
        match self.records().fetch::<Username>(Username::key_of(name)).await? {
            Some((claim, _)) => self.user(claim.user).await,
            None => Ok(None),
        }
    }

    /// Errors: `Rule`, `NotFound`, `Again`.
    pub async fn change_display(&self, user: UserId, display: &str) -> Result<rest::Profile, Error> {
        let display = name::check_display(display)?;
        let (person, version) = self.records().fetch::<User>(User::key_of(user)).await?.ok_or(Error::NotFound)?;
        let display = if display.is_empty() { person.name.clone() } else { display };
        let person = User { display, ..person };
        match self.put(&person, Expect::Version(version)).await? {
            Put::Done { .. } => Ok(profile(person)),
            Put::Conflict { .. } => Err(Error::Again),
        }
    }

    /// Names lie in one partition per first two bytes; these are all that `prefix` and `after` leave.
    async fn scan_names(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Vec<User>, Error> {
        let mut users = Vec::new();
        for head in heads().filter(|head| head.starts_with(&prefix[..prefix.len().min(2)]) && head[..] >= after[..after.len().min(2)]) {
            let mut from = prefix.max(&successor(after)).to_vec();
            while users.len() < limit {
                let partition = Username::key_of(std::str::from_utf8(&head).unwrap_or_default());
                let page = Range::all(partition, limit - users.len()).from(from.clone()).to(end_of(prefix));
                let rows = self.records().list::<Username>(page).await?;
                let Some((last, _)) = rows.last() else { break };
                from = successor(last.name.to_lowercase().as_bytes());
                for (claim, _) in &rows {
                    // A claim whose sign-up is not done names nobody yet; one that was lost names another's user.
                    let user = self.user(claim.user).await?;
                    users.extend(user.filter(|user| user.name.eq_ignore_ascii_case(&claim.name)));
                }
            }
        }
        Ok(users)
    }
}

fn heads() -> impl Iterator<Item = [u8; 2]> {
    name::FIRST.iter().flat_map(|first| name::REST.iter().map(move |second| [*first, *second]))
}

/// The first key after this one.
fn successor(key: &[u8]) -> Vec<u8> {
    if key.is_empty() { Vec::new() } else { [key, &[0]].concat() }
}

/// The first key that does not begin so; names are ASCII, so the last byte can be raised. Empty: no end.
fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

fn profile(user: User) -> rest::Profile {
    let User { id, name, display, admin, created_at: _, last_seen } = user;
    rest::Profile { id, name, display, admin, status: Status::Offline, last_seen }
}
