//! Making an account: a name is claimed, then filled, then the claim is confirmed.
//!
//! A crash in between leaves a claim without a user. It blocks the name for a minute; then whoever wants it takes it over,
//! and the confirmation, which expects the claim as it was made, tells a very slow first one that it lost.

use schema::UserId;
use schema::record::{Credential, User, Username};
use store::{Expect, Put, RecordsExt};
use uuid::Uuid;

use super::{Auth, Error, Identity, Origin, SignUpPolicy, SignedIn, name};

/// How long a claim without a user is left alone: milliseconds.
const ORPHAN_MS: u64 = 60_000;
/// The claim of the first user, who is admin. Not a possible user name.
const FIRST_USER: &str = "!first";

pub struct NewUser {
    pub name: String,
    pub display: String,
    pub password: String,
    pub admin: bool,
}

impl Auth {
    /// Errors: `Forbidden`, `Rule`, `NameTaken`, `Limited`, `Busy`.
    pub async fn sign_up(&self, request: schema::rest::SignUp, origin: Origin) -> Result<SignedIn, Error> {
        if self.0.config.signup == SignUpPolicy::Closed {
            return Err(Error::Forbidden("sign-up is closed here: ask an administrator for an account"));
        }
        let key = super::log_in::address_key(origin.address);
        self.0.sign_ups.lock().take(&key, self.now()).map_err(|retry_after_ms| Error::Limited { retry_after_ms })?;
        let schema::rest::SignUp { name, display, password, invite, device: _, label: _ } = request;
        let used = match self.0.config.signup {
            SignUpPolicy::Invite => Some(self.use_invite(invite.as_deref()).await?),
            SignUpPolicy::Open | SignUpPolicy::Closed => None,
        };
        let added = self.add_user(NewUser { name, display, password, admin: false }).await;
        if let (Err(_), Some(invite)) = (&added, used) {
            self.give_back_invite(invite).await?;
        }
        self.start_login(added?.id, origin).await
    }

    /// Makes an account whatever the sign-up policy says. The very first is admin.
    pub async fn add_user(&self, new: NewUser) -> Result<User, Error> {
        name::check_username(&new.name)?;
        name::check_password(&new.name, &new.password)?;
        let mut display = name::check_display(&new.display)?;
        if display.is_empty() {
            display.clone_from(&new.name);
        }
        if self.user_named(&new.name).await?.is_some() {
            return Err(Error::NameTaken);
        }
        let password_hash = self.0.passwords.hash(&new.password).await?;
        let (id, created_at) = (UserId(Uuid::now_v7()), self.now());
        let Some(claim) = self.claim(&new.name, id).await? else { return Err(Error::NameTaken) };
        let first = self.claim(FIRST_USER, id).await?;
        let user = User { id, name: new.name, display, admin: new.admin || first.is_some(), created_at, last_seen: None };
        self.put(&Credential { user: id, password_hash, changed_at: created_at }, Expect::Absent).await?;
        self.put(&user, Expect::Absent).await?;
        if let Some(version) = first {
            self.confirm(FIRST_USER, id, version).await?;
        }
        if self.confirm(&user.name, id, claim).await? {
            return Ok(user);
        }
        self.records().delete(User::key_of(id)).await?;
        self.records().delete(Credential::key_of(id)).await?;
        Err(Error::NameTaken)
    }

    /// The account of somebody whose words were imported: without a password, so nobody signs in to it until an operator
    /// sets one. An account that somebody signs in to is not taken for it; then the name gets a suffix.
    pub async fn imported(&self, name: &str) -> Result<UserId, Error> {
        name::check_username(name)?;
        for name in [name.to_owned(), format!("{name}.imported")] {
            match self.user_named(&name).await? {
                Some(user) if self.records().get(Credential::key_of(user.id)).await?.is_none() => return Ok(user.id),
                Some(_) => continue,
                None => {}
            }
            if let Some(user) = self.add_without_password(name.clone(), name).await? {
                return Ok(user.id);
            }
        }
        Err(Error::NameTaken)
    }

    /// The account of this name, and whether it was made now: without a password, and never an administrator. One that is
    /// there stays as it is. Errors: `Rule`.
    pub async fn ensure_user(&self, name: &str, display: &str) -> Result<(User, bool), Error> {
        name::check_username(name)?;
        let display = name::check_display(display)?;
        if let Some(user) = self.user_named(name).await? {
            return Ok((user, false));
        }
        let display = if display.is_empty() { name.to_owned() } else { display };
        match self.add_without_password(name.to_owned(), display).await? {
            Some(user) => Ok((user, true)),
            None => self.user_named(name).await?.map(|user| (user, false)).ok_or(Error::Again),
        }
    }

    /// `None`: somebody else has the name.
    async fn add_without_password(&self, name: String, display: String) -> Result<Option<User>, Error> {
        let (id, created_at) = (UserId(Uuid::now_v7()), self.now());
        let Some(claim) = self.claim(&name, id).await? else { return Ok(None) };
        let user = User { id, name, display, admin: false, created_at, last_seen: None };
        self.put(&user, Expect::Absent).await?;
        if self.confirm(&user.name, id, claim).await? {
            return Ok(Some(user));
        }
        self.records().delete(User::key_of(id)).await?;
        Ok(None)
    }

    /// The version of the claim if it is ours now.
    async fn claim(&self, name: &str, user: UserId) -> Result<Option<u64>, Error> {
        let claim = Username { name: name.to_owned(), user };
        if let Put::Done { version } = self.put(&claim, Expect::Absent).await? {
            return Ok(Some(version));
        }
        let Some((held, version)) = self.records().fetch::<Username>(Username::key_of(name)).await? else {
            return Err(Error::Again);
        };
        let is_orphan = self.records().get(User::key_of(held.user)).await?.is_none();
        if !is_orphan || self.now() < made_at(held.user) + ORPHAN_MS {
            return Ok(None);
        }
        match self.put(&claim, Expect::Version(version)).await? {
            Put::Done { version } => Ok(Some(version)),
            Put::Conflict { .. } => Ok(None),
        }
    }

    async fn confirm(&self, name: &str, user: UserId, version: u64) -> Result<bool, Error> {
        let claim = Username { name: name.to_owned(), user };
        let put = self.put(&claim, Expect::Version(version)).await?;
        Ok(matches!(put, Put::Done { .. }))
    }

    /// A login for a user without asking for the password: after sign-up, and for the command line.
    pub async fn start_login(&self, user: UserId, origin: Origin) -> Result<SignedIn, Error> {
        let identity = Identity { user, login: schema::LoginId(Uuid::now_v7()), device: origin.device };
        let signed_in = self.make_login(identity, &origin).await?;
        // Asked afterwards: whoever disabled the account since has not seen this login.
        if let Err(error) = self.check_enabled(user).await {
            self.end_login(user, identity.login).await?;
            return Err(error);
        }
        Ok(signed_in)
    }
}

/// The time in a UUIDv7: milliseconds.
fn made_at(id: UserId) -> u64 {
    id.0.get_timestamp().map_or(0, |at| {
        let (seconds, nanos) = at.to_unix();
        seconds * 1000 + u64::from(nanos) / 1_000_000
    })
}
