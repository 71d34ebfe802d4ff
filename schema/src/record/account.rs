//! People and how they sign in.

use serde::{Deserialize, Serialize};

use super::{Key, Record, Table};
use crate::id::{DeviceId, InviteId, LoginId, UserId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    /// As typed; unique without regard to case.
    pub name: String,
    pub display: String,
    #[serde(default)]
    pub admin: bool,
    pub created_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<u64>,
}

impl User {
    pub fn key_of(id: UserId) -> Key {
        Key::new(Table::Users, &[id.as_bytes()], &[])
    }
}

impl Record for User {
    const TABLE: Table = Table::Users;
    fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

/// Whose a name is; put with `Absent`. One partition by the first two bytes, so that names can be found by prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Username {
    pub name: String,
    pub user: UserId,
}

impl Username {
    pub fn key_of(name: &str) -> Key {
        let name = name.to_lowercase();
        let head = &name.as_bytes()[..name.len().min(2)];
        Key::new(Table::Usernames, &[head], &[name.as_bytes()])
    }
}

impl Record for Username {
    const TABLE: Table = Table::Usernames;
    fn key(&self) -> Key {
        Self::key_of(&self.name)
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub user: UserId,
    /// PHC string.
    pub password_hash: String,
    pub changed_at: u64,
}

impl Credential {
    pub fn key_of(user: UserId) -> Key {
        Key::new(Table::Credentials, &[user.as_bytes()], &[])
    }
}

impl Record for Credential {
    const TABLE: Table = Table::Credentials;
    fn key(&self) -> Key {
        Self::key_of(self.user)
    }
}

/// A signed-in device: a family of refresh tokens of which one is valid.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub user: UserId,
    pub id: LoginId,
    pub device: DeviceId,
    /// What the person calls it ("Firefox on Linux").
    pub label: String,
    pub address: String,
    pub created_at: u64,
    pub last_used: u64,
    pub expires_at: u64,
    /// SHA-256 of the valid refresh token.
    #[serde(with = "hash_bytes")]
    pub token_hash: [u8; 32],
    /// Rises with every rotation; a token of an older one was used twice, which revokes the family.
    pub rotation: u32,
    #[serde(default)]
    pub revoked: bool,
    /// Of the last rotation: the device may have missed its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

/// What the valid refresh token was made from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// SHA-256 of the token before it.
    #[serde(with = "hash_bytes")]
    pub token_hash: [u8; 32],
    /// With the token before it, and only with that, the secret of the valid one can be made again.
    #[serde(with = "hash_bytes")]
    pub salt: [u8; 32],
    /// Milliseconds since 1970.
    pub at: u64,
}

impl Login {
    pub fn partition(user: UserId) -> Key {
        Key::new(Table::Logins, &[user.as_bytes()], &[])
    }
    pub fn key_of(user: UserId, id: LoginId) -> Key {
        Key::new(Table::Logins, &[user.as_bytes()], &[id.as_bytes()])
    }
}

impl Record for Login {
    const TABLE: Table = Table::Logins;
    fn key(&self) -> Key {
        Self::key_of(self.user, self.id)
    }
}

/// A key of access tokens. The newest signs; all that are not retired verify.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    pub kid: String,
    /// PKCS#8 of an Ed25519 key, DER.
    #[serde(with = "byte_vec")]
    pub pkcs8: Vec<u8>,
    pub created_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<u64>,
}

impl SigningKey {
    pub fn partition() -> Key {
        Key::new(Table::SigningKeys, &[b"keys"], &[])
    }
    pub fn key_of(kid: &str) -> Key {
        Key::new(Table::SigningKeys, &[b"keys"], &[kid.as_bytes()])
    }
}

impl Record for SigningKey {
    const TABLE: Table = Table::SigningKeys;
    fn key(&self) -> Key {
        Self::key_of(&self.kid)
    }
}

/// Lets so many people sign up where sign-up is by invitation. The code itself is kept nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// The beginning of the hash: it names the invitation and does not tell the code.
    pub id: InviteId,
    /// SHA-256 of the code.
    #[serde(with = "hash_bytes")]
    pub code_hash: [u8; 32],
    /// What it is for, in the maker's words.
    pub note: String,
    /// `None`: an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<UserId>,
    pub created_at: u64,
    pub expires_at: u64,
    pub uses: u32,
    pub uses_max: u32,
}

impl Invite {
    pub fn partition() -> Key {
        Key::new(Table::Invites, &[b"invites"], &[])
    }
    pub fn key_of(id: InviteId) -> Key {
        Key::new(Table::Invites, &[b"invites"], &[id.as_bytes()])
    }
}

impl Record for Invite {
    const TABLE: Table = Table::Invites;
    fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

/// An account that nobody may sign in to; what its user said stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    pub user: UserId,
    pub since: u64,
}

impl Disabled {
    pub fn key_of(user: UserId) -> Key {
        Key::new(Table::DisabledUsers, &[user.as_bytes()], &[])
    }
}

impl Record for Disabled {
    const TABLE: Table = Table::DisabledUsers;
    fn key(&self) -> Key {
        Self::key_of(self.user)
    }
}

/// A login whose access tokens are refused although they have not expired; a node that starts reads them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    pub login: LoginId,
    pub user: UserId,
    /// When the last of its access tokens has expired: milliseconds since 1970.
    pub until: u64,
}

impl Revocation {
    pub fn partition() -> Key {
        Key::new(Table::Revocations, &[b"revoked"], &[])
    }
    pub fn key_of(login: LoginId) -> Key {
        Key::new(Table::Revocations, &[b"revoked"], &[login.as_bytes()])
    }
}

impl Record for Revocation {
    const TABLE: Table = Table::Revocations;
    fn key(&self) -> Key {
        Self::key_of(self.login)
    }
}

mod byte_vec {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(bytes)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        bytes::Bytes::deserialize(d).map(|bytes| bytes.to_vec())
    }
}

mod hash_bytes {
    use serde::{Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(bytes)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        super::byte_vec::deserialize(d)?.try_into().map_err(|_| D::Error::custom("a hash has 32 bytes"))
    }
}
