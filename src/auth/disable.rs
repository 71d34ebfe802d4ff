//! Accounts that an operator closes: nobody signs in to one, and every device of it is signed out. What its user said and
//! who they are stays; it can be opened again.

use schema::UserId;
use schema::record::Disabled;
use store::Expect;

use super::{Auth, Error};

impl Auth {
    /// Errors: `NoUser`.
    pub async fn set_disabled(&self, name: &str, disabled: bool) -> Result<(), Error> {
        let user = self.user_named(name).await?.ok_or_else(|| Error::NoUser(name.to_owned()))?.id;
        if !disabled {
            return Ok(self.records().delete(Disabled::key_of(user)).await?);
        }
        // First the word, then the devices: a log-in in between sees it when it is done.
        self.put(&Disabled { user, since: self.now() }, Expect::Any).await?;
        self.log_out_all(user, None).await
    }

    /// Errors: `Forbidden`.
    pub(super) async fn check_enabled(&self, user: UserId) -> Result<(), Error> {
        match self.records().get(Disabled::key_of(user)).await? {
            Some(_) => Err(Error::Forbidden("this account is disabled: ask an administrator")),
            None => Ok(()),
        }
    }
}
