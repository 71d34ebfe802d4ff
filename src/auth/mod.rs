//! Who somebody is: names and passwords, access and refresh tokens, signed-in devices, one-time tickets, revocation.
//!
//! One handle, `Auth`, cheap to clone, over `Records`. `check` is what every request pays: the signature of a token that this
//! node has not seen yet, and one look-up in memory. Does not know HTTP, sockets or rooms; what a person may do in a room is the room's business.

mod disable;
mod error;
mod invites;
mod keys;
mod log_in;
mod logins;
mod name;
mod password;
mod people;
mod refresh;
mod revoked;
mod rows;
mod secret;
mod sign_up;
mod throttle;
mod ticket;
mod token;
mod verified;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use schema::{DeviceId, ErrorCode, LoginId, UserId};
use serde::{Deserialize, Serialize};
use store::Records;

pub use error::Error;
pub use name::{check_display, check_username, clean_label, is_treacherous};
pub use sign_up::NewUser;
pub use ticket::LIFE_S as TICKET_S;
pub use token::LIFE_S as ACCESS_S;

use password::Passwords;
use revoked::{Revoked, Standing};
use throttle::Throttle;
use ticket::Tickets;
use token::Keyring;
use verified::Verified;

/// Who may make an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUpPolicy {
    #[default]
    Open,
    /// With the code of an invitation.
    Invite,
    Closed,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub signup: SignUpPolicy,
    /// The `iss` of access tokens.
    pub issuer: String,
    /// A device that was not used for so long has to sign in again.
    pub refresh_days: u32,
    /// For so long after a rotation the same device gets the successor again, as long as that was not used. 0: never.
    pub refresh_grace_ms: u64,
    /// Signed-in devices of one user; over it the one that was not used for the longest time is signed out.
    pub logins_max: usize,
    /// Passwords computed at once (19 MiB each), and waiting for that; over it: `busy`.
    pub passwords_parallel: usize,
    pub passwords_waiting_max: usize,
    /// Wrong passwords for one name, then one per interval; the same for names that nobody has.
    pub account_burst: u32,
    pub account_interval_ms: u64,
    /// Wrong passwords from one address (IPv6: one /64).
    pub address_burst: u32,
    pub address_interval_ms: u64,
    pub signup_burst: u32,
    pub signup_interval_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            signup: SignUpPolicy::Open,
            issuer: "hubbub".into(),
            refresh_days: 30,
            refresh_grace_ms: 30_000,
            logins_max: 50,
            passwords_parallel: cores.clamp(1, 8),
            passwords_waiting_max: 64,
            account_burst: 10,
            account_interval_ms: 20_000,
            address_burst: 60,
            address_interval_ms: 2_000,
            signup_burst: 60,
            signup_interval_ms: 30_000,
        }
    }
}

/// Whom a token or ticket speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    pub user: UserId,
    pub login: LoginId,
    pub device: DeviceId,
}

/// What sign-up, log-in and refresh give. `refresh` is shown once and kept nowhere.
#[derive(Clone)]
pub struct SignedIn {
    pub identity: Identity,
    pub access: String,
    pub refresh: String,
}

/// Where a request came from and what the device calls itself.
#[derive(Clone, Debug)]
pub struct Origin {
    pub address: IpAddr,
    pub device: DeviceId,
    pub label: String,
}

/// Told when a login must not be served any more; closes its sockets.
pub type OnRevoked = Box<dyn Fn(UserId, LoginId) + Send + Sync>;

/// Milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

#[derive(Clone)]
pub struct Auth(Arc<Inner>);

struct Inner {
    records: Arc<dyn Records>,
    config: Config,
    clock: Clock,
    keys: ArcSwap<Keyring>,
    verified: Verified,
    passwords: Passwords,
    accounts: Mutex<Throttle>,
    addresses: Mutex<Throttle>,
    sign_ups: Mutex<Throttle>,
    tickets: Mutex<Tickets>,
    revoked: Mutex<Revoked>,
    on_revoked: OnceLock<OnRevoked>,
}

impl Auth {
    /// Reads the keys (makes the first one) and what is revoked.
    pub async fn open(records: Arc<dyn Records>, config: Config) -> Result<Self, Error> {
        Self::open_at(records, config, Arc::new(wall_ms)).await
    }

    /// As `open`, by another clock: milliseconds since 1970.
    pub async fn open_at(records: Arc<dyn Records>, config: Config, clock: Clock) -> Result<Self, Error> {
        let mut seed = [0; 8];
        aws_lc_rs::rand::fill(&mut seed).map_err(|_| Error::Broken("no randomness"))?;
        let throttle = |burst, interval_ms| Mutex::new(Throttle::new(u64::from_le_bytes(seed), burst, interval_ms));
        let keyring = keys::load_or_make(&*records, &config.issuer, clock()).await?;
        let auth = Self(Arc::new(Inner {
            passwords: Passwords::new(config.passwords_parallel, config.passwords_waiting_max)?,
            accounts: throttle(config.account_burst, config.account_interval_ms),
            addresses: throttle(config.address_burst, config.address_interval_ms),
            sign_ups: throttle(config.signup_burst, config.signup_interval_ms),
            keys: ArcSwap::from_pointee(keyring),
            verified: Verified::new()?,
            tickets: Mutex::default(),
            revoked: Mutex::default(),
            on_revoked: OnceLock::new(),
            records,
            config,
            clock,
        }));
        auth.load_revocations().await?;
        Ok(auth)
    }

    /// Once, by wiring: whom to tell of a login that is revoked, here or, as the records say, by another node. What was revoked
    /// before is not repeated.
    pub fn on_revoked(&self, tell: impl Fn(UserId, LoginId) + Send + Sync + 'static) {
        let _ = self.0.on_revoked.set(Box::new(tell));
    }

    /// An access token; whoever brings it here is not asked for a proof of it again.
    fn sign(&self, identity: Identity, now: u64) -> Result<String, Error> {
        let token = self.0.keys.load().sign(identity, now)?;
        self.0.verified.add(&token);
        Ok(token)
    }

    /// Errors: `Unauthenticated`, `TokenExpired` (refresh it), `LoginRevoked`.
    pub fn check(&self, access: &str) -> Result<Identity, ErrorCode> {
        let claims = self.0.keys.load().read(access, &self.0.verified, self.now())?;
        let identity = Identity { user: claims.sub, login: claims.login, device: claims.device };
        match self.0.revoked.lock().standing(identity.login, claims.iat) {
            Standing::Good => Ok(identity),
            Standing::Revoked => Err(ErrorCode::LoginRevoked),
            Standing::Stale => Err(ErrorCode::TokenExpired),
        }
    }

    /// A ticket for one `hello` of this identity. Errors: `Busy`.
    pub fn ticket(&self, identity: Identity) -> Result<String, Error> {
        self.0.tickets.lock().issue(identity, self.now())
    }

    /// Errors: `Unauthenticated`, `LoginRevoked`.
    pub fn check_ticket(&self, ticket: &str) -> Result<Identity, ErrorCode> {
        let now = self.now();
        let identity = self.0.tickets.lock().redeem(ticket, now).ok_or(ErrorCode::Unauthenticated)?;
        match self.0.revoked.lock().standing(identity.login, now / 1000 + 1) {
            Standing::Revoked => Err(ErrorCode::LoginRevoked),
            Standing::Good | Standing::Stale => Ok(identity),
        }
    }

    /// Another node says that it revoked a login: its tokens are refused from now on. The records say so too, and are read
    /// again in `upkeep`.
    pub fn revoked_elsewhere(&self, login: LoginId) {
        self.revoke_until(login, self.now() + token::LAST_MS);
    }

    /// Whether that is news.
    fn revoke_until(&self, login: LoginId, until: u64) -> bool {
        self.0.revoked.lock().add(login, until, self.now())
    }

    /// Keeps the keys and revocations fresh; runs until it is dropped.
    pub async fn upkeep(self) {
        loop {
            tokio::time::sleep(Duration::from_secs(30)).await;
            if let Err(error) = self.tidy().await {
                tracing::warn!(%error, "keys and revocations could not be read; the ones in memory stay in use");
            }
        }
    }

    /// One turn of `upkeep`.
    pub async fn tidy(&self) -> Result<(), Error> {
        self.reload_keys().await?;
        self.forget_revocations().await
    }

    fn now(&self) -> u64 {
        (self.0.clock)()
    }

    fn records(&self) -> &dyn Records {
        &*self.0.records
    }
}

fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
