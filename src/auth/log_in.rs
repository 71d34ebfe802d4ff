//! Signing in by password, and changing it. A stranger learns nothing here about which names exist: the same answer, the
//! same reads and the same hash for all.

use std::net::IpAddr;

use schema::UserId;
use schema::record::{Credential, User, Username};
use store::{Expect, Put, RecordsExt};

use super::{Auth, Error, Identity, Origin, SignedIn, name};

impl Auth {
    /// Errors: `WrongPassword`, `Limited`, `Busy`.
    pub async fn log_in(&self, name: &str, password: &str, origin: Origin) -> Result<SignedIn, Error> {
        // Neither can be right; hashing them would only be a way to make us work.
        if name.len() > 256 || password.len() > schema::limits::PASSWORD_BYTES_MAX {
            return Err(Error::WrongPassword);
        }
        let (account, address) = (name.to_lowercase().into_bytes(), address_key(origin.address));
        self.count_attempt(&account, &address)?;
        let outcome = self.log_in_counted(name, password, origin).await;
        let label = if outcome.is_ok() { "ok" } else { "refused" };
        metrics::counter!("hubbub_auth_log_ins_total", "outcome" => label).increment(1);
        if !matches!(outcome, Err(Error::WrongPassword)) {
            self.give_back_attempt(&account, &address);
        }
        outcome
    }

    async fn log_in_counted(&self, name: &str, password: &str, origin: Origin) -> Result<SignedIn, Error> {
        let claim = self.records().fetch::<Username>(Username::key_of(name)).await?;
        let claimed = claim.filter(|_| name::check_username(name).is_ok()).map(|(claim, _)| claim.user);
        // For a name that nobody has, the reads of one that somebody has.
        let user = claimed.unwrap_or_default();
        let exists = self.records().get(User::key_of(user)).await?.is_some();
        let credential = self.records().fetch::<Credential>(Credential::key_of(user)).await?.filter(|_| exists);
        let (phc, version) = credential.map(|(credential, version)| (credential.password_hash, version)).unzip();
        if !self.0.passwords.verify(password, phc).await? {
            return Err(Error::WrongPassword);
        }
        self.check_enabled(user).await?;
        let signed_in = self.start_login(user, origin).await?;
        // A password change that came meanwhile has listed the logins before this one was there.
        let now = self.records().get(Credential::key_of(user)).await?.map(|row| row.stamp);
        if now != version {
            self.end_login(user, signed_in.identity.login).await?;
            return Err(Error::WrongPassword);
        }
        Ok(signed_in)
    }

    /// Signs out all other devices. Errors: `WrongPassword`, `Rule`, `Limited`, `Busy`.
    pub async fn change_password(&self, identity: Identity, old: &str, new: &str) -> Result<(), Error> {
        let user = identity.user;
        let Some((person, _)) = self.records().fetch::<User>(User::key_of(user)).await? else { return Err(Error::NotFound) };
        name::check_password(&person.name, new)?;
        let account = person.name.to_lowercase().into_bytes();
        self.0.accounts.lock().take(&account, self.now()).map_err(|retry_after_ms| Error::Limited { retry_after_ms })?;
        let credential = self.records().fetch::<Credential>(Credential::key_of(user)).await?;
        let (phc, version) = credential.map(|(credential, version)| (credential.password_hash, version)).unzip();
        if old.len() > schema::limits::PASSWORD_BYTES_MAX || !self.0.passwords.verify(old, phc).await? {
            return Err(Error::WrongPassword);
        }
        self.0.accounts.lock().give_back(&account);
        self.put_password(user, new, version.map_or(Expect::Absent, Expect::Version)).await?;
        self.log_out_all(user, Some(identity.login)).await
    }

    /// By an administrator: signs out every device. Errors: `NoUser`, `Rule`, `Busy`.
    pub async fn set_password(&self, name: &str, new: &str) -> Result<(), Error> {
        let user = self.user_named(name).await?.ok_or_else(|| Error::NoUser(name.to_owned()))?;
        name::check_password(&user.name, new)?;
        self.put_password(user.id, new, Expect::Any).await?;
        self.log_out_all(user.id, None).await
    }

    async fn put_password(&self, user: UserId, password: &str, expect: Expect) -> Result<(), Error> {
        let password_hash = self.0.passwords.hash(password).await?;
        let credential = Credential { user, password_hash, changed_at: self.now() };
        match self.put(&credential, expect).await? {
            Put::Done { .. } => Ok(()),
            Put::Conflict { .. } => Err(Error::Again),
        }
    }

    fn count_attempt(&self, account: &[u8], address: &[u8]) -> Result<(), Error> {
        let (now, limited) = (self.now(), |retry_after_ms| Error::Limited { retry_after_ms });
        self.0.addresses.lock().take(address, now).map_err(limited)?;
        let counted = self.0.accounts.lock().take(account, now).map_err(limited);
        if counted.is_err() {
            metrics::counter!("hubbub_auth_log_ins_total", "outcome" => "limited").increment(1);
        }
        counted
    }

    fn give_back_attempt(&self, account: &[u8], address: &[u8]) {
        self.0.accounts.lock().give_back(account);
        self.0.addresses.lock().give_back(address);
    }
}

/// One budget an address; a household's IPv6 network is one.
pub(super) fn address_key(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets()[..8].to_vec(),
    }
}
