//! The accounts behind a worker's virtual users, and their tokens. A refresh token is good once, so that one user at a time
//! renews and the others take what that one got.

use std::cell::RefCell;
use std::collections::HashMap;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::client::{Api, Error, Target};
use crate::people::{PASSWORD, Person};

pub struct Accounts {
    accounts: HashMap<u32, RefCell<Person>>,
    renewing: Mutex<()>,
    /// Of each: when its tokens were got.
    since: HashMap<u32, RefCell<Instant>>,
}

impl Accounts {
    /// Each with its number; only these may be asked for.
    pub fn new(accounts: Vec<(u32, Person)>) -> Self {
        let since = accounts.iter().map(|(number, _)| (*number, RefCell::new(Instant::now()))).collect();
        let accounts = accounts.into_iter().map(|(number, account)| (number, RefCell::new(account))).collect();
        Self { accounts, renewing: Mutex::new(()), since }
    }

    pub fn get(&self, account: u32) -> Person {
        self.accounts[&account].borrow().clone()
    }
    pub fn access(&self, account: u32) -> String {
        self.accounts[&account].borrow().tokens.access.clone()
    }

    /// Gets new tokens, unless somebody has just done so.
    pub async fn renew(&self, account: u32, target: Target) -> Result<(), Error> {
        let before = self.access(account);
        let _one_at_a_time = self.renewing.lock().await;
        if self.access(account) != before {
            return Ok(());
        }
        let Person { name, device, tokens } = self.get(account);
        let nobody = Api::nobody(target);
        let tokens = match &tokens.refresh {
            Some(refresh) => nobody.refresh(refresh).await?,
            None => nobody.log_in(&name, PASSWORD, device).await?,
        };
        self.accounts[&account].borrow_mut().tokens = tokens;
        self.since[&account].replace(Instant::now());
        Ok(())
    }

    /// The API as this account, with a token that is good for a while yet.
    pub async fn api(&self, account: u32, target: Target) -> Result<Api, Error> {
        let good_s = self.accounts[&account].borrow().tokens.expires_in_s;
        let age_s = self.since[&account].borrow().elapsed().as_secs();
        if age_s * 2 > u64::from(good_s) {
            self.renew(account, target).await?;
        }
        Ok(Api::signed_in(target, &self.access(account)))
    }
}
