//! What signing in promises, seen from outside over a store: accounts, logins, tokens, and the attacks on them.

mod accounts;
mod invites;
mod logins;
mod tokens;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hubbub::auth::{Auth, Config, Error, Origin, SignedIn};
use schema::rest::SignUp;
use schema::{DeviceId, ErrorCode};
use store::{Records, SimStore};
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse battery";

/// A node's sign-in over its own store, with a clock that a test can move on.
pub struct Door {
    pub auth: Auth,
    pub records: Arc<dyn Records>,
    pub store: SimStore,
    ahead_ms: Arc<AtomicU64>,
    config: Config,
}

impl Door {
    pub async fn new() -> Self {
        Self::with(Config { passwords_waiting_max: 1000, ..Config::default() }).await
    }

    pub async fn with(config: Config) -> Self {
        let store = SimStore::default();
        let records: Arc<dyn Records> = Arc::new(store.clone());
        let ahead_ms = Arc::new(AtomicU64::new(0));
        let auth = open(&records, &config, &ahead_ms).await;
        Self { auth, records, store, ahead_ms, config }
    }

    /// Another process on the same data.
    pub async fn restarted(&self) -> Auth {
        open(&self.records, &self.config, &self.ahead_ms).await
    }

    pub fn advance_ms(&self, by: u64) {
        self.ahead_ms.fetch_add(by, Ordering::SeqCst);
    }

    pub async fn sign_up(&self, name: &str) -> Result<SignedIn, Error> {
        let request = SignUp {
            name: name.into(),
            display: String::new(),
            password: PASSWORD.into(),
            device: device(),
            label: String::new(),
            invite: None,
        };
        self.auth.sign_up(request, origin()).await
    }

    pub async fn log_in(&self, name: &str, password: &str) -> Result<SignedIn, Error> {
        self.auth.log_in(name, password, origin()).await
    }

    pub async fn refresh(&self, token: &str) -> Result<SignedIn, ErrorCode> {
        self.refresh_from(token, None).await
    }

    pub async fn refresh_from(&self, token: &str, device: Option<DeviceId>) -> Result<SignedIn, ErrorCode> {
        self.auth.refresh(token, origin().address, device).await.map_err(|error| error.code())
    }
}

async fn open(records: &Arc<dyn Records>, config: &Config, ahead_ms: &Arc<AtomicU64>) -> Auth {
    let ahead_ms = ahead_ms.clone();
    let clock = move || now_ms() + ahead_ms.load(Ordering::SeqCst);
    Auth::open_at(records.clone(), config.clone(), Arc::new(clock)).await.unwrap()
}

pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

pub fn device() -> DeviceId {
    DeviceId(Uuid::now_v7())
}

pub fn origin() -> Origin {
    Origin { address: IpAddr::V4(Ipv4Addr::LOCALHOST), device: device(), label: "a test".into() }
}

pub fn code<T>(result: Result<T, Error>) -> Option<ErrorCode> {
    result.err().map(|error| error.code())
}
