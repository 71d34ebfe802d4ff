//! Signed-in devices: each a family of refresh tokens of which one is valid. A second use of a token ends the family: two
//! parties have it, and one of them should not. But an answer may be lost on its way: for a short while, and until its
//! successor is used, the same device gets the same successor again. So a family never has two valid tokens.

use schema::record::{Login, Previous, Revocation};
use schema::{DeviceId, LoginId, UserId, rest};
use store::{Expect, Put, Range, RecordsExt};

use super::{Auth, Error, Identity, Origin, SignedIn, clean_label, refresh, secret, token};

const DAY_MS: u64 = 24 * 3600 * 1000;
/// Rows of one user: the living and those not yet cleared away.
const ROWS_MAX: usize = 500;
const REVOCATIONS_PAGE: usize = 1000;
/// How often a write is tried again after another got in between.
const TRIES: usize = 8;

impl Auth {
    pub(super) async fn make_login(&self, identity: Identity, origin: &Origin) -> Result<SignedIn, Error> {
        self.make_room(identity.user).await?;
        let Identity { user, login: id, device } = identity;
        let now = self.now();
        let refresh = refresh::write(refresh::Claim { user, login: id, rotation: 0 }, &secret::make()?);
        let login = Login {
            user,
            id,
            device,
            label: clean_label(&origin.label),
            address: origin.address.to_canonical().to_string(),
            created_at: now,
            last_used: now,
            expires_at: now + self.refresh_ms(),
            token_hash: secret::hash(&refresh),
            rotation: 0,
            revoked: false,
            previous: None,
        };
        match self.put(&login, Expect::Absent).await? {
            Put::Done { .. } => Ok(SignedIn { identity, access: self.sign(identity, now)?, refresh }),
            Put::Conflict { .. } => Err(Error::Again),
        }
    }

    /// The next token of the family. `device`: what the caller says it is. Errors: `Unauthenticated`, `LoginRevoked`.
    pub async fn refresh(&self, token: &str, origin: std::net::IpAddr, device: Option<DeviceId>) -> Result<SignedIn, Error> {
        let claim = refresh::read(token).ok_or(Error::Unauthenticated)?;
        let (login, version) = self.login(claim.user, claim.login).await?.ok_or(Error::Unauthenticated)?;
        let now = self.now();
        if login.revoked {
            return Err(Error::LoginRevoked);
        }
        // An older token is not kept, so its secret cannot be checked; its login's id, which only its owner has seen, can.
        if claim.rotation < login.rotation {
            return self.repeated(token, device, &login).await;
        }
        if claim.rotation > login.rotation || secret::hash(token) != login.token_hash || now > login.expires_at {
            return Err(Error::Unauthenticated);
        }
        let rotation = login.rotation + 1;
        let previous = Previous { token_hash: login.token_hash, salt: secret::salt()?, at: now };
        let next = refresh::write(refresh::Claim { rotation, ..claim }, &secret::derive(token, &previous.salt));
        let address = origin.to_canonical().to_string();
        let (token_hash, expires_at) = (secret::hash(&next), now + self.refresh_ms());
        let rotated = Login { rotation, token_hash, address, last_used: now, expires_at, previous: Some(previous), ..login };
        match self.put_rotated(&rotated, version).await? {
            None => self.signed_in(&rotated, next),
            Some(other) => self.repeated(token, device, &other).await,
        }
    }

    fn signed_in(&self, login: &Login, refresh: String) -> Result<SignedIn, Error> {
        let identity = Identity { user: login.user, login: login.id, device: login.device };
        Ok(SignedIn { identity, access: self.sign(identity, self.now())?, refresh })
    }

    /// A token that was rotated: the successor again, or the end of the family.
    async fn repeated(&self, token: &str, device: Option<DeviceId>, login: &Login) -> Result<SignedIn, Error> {
        match self.successor(token, device, login) {
            Some(next) => {
                metrics::counter!("hubbub_auth_refresh_repeats_total").increment(1);
                self.signed_in(login, next)
            }
            None => self.reused(login).await,
        }
    }

    /// The valid token, if it came from this one, a short while ago, and the login's own device asks.
    fn successor(&self, token: &str, device: Option<DeviceId>, login: &Login) -> Option<String> {
        let (claim, previous) = (refresh::read(token)?, login.previous.as_ref()?);
        let is_in_time = self.now().saturating_sub(previous.at) <= self.0.config.refresh_grace_ms;
        let is_the_last = device == Some(login.device) && secret::hash(token) == previous.token_hash;
        let next = refresh::write(refresh::Claim { rotation: login.rotation, ..claim }, &secret::derive(token, &previous.salt));
        (is_in_time && is_the_last && secret::hash(&next) == login.token_hash).then_some(next)
    }

    /// `Some`: another rotation of the same token came first, and this is the login after it.
    async fn put_rotated(&self, rotated: &Login, version: u64) -> Result<Option<Login>, Error> {
        if let Put::Done { .. } = self.put(rotated, Expect::Version(version)).await? {
            return Ok(None);
        }
        match self.login(rotated.user, rotated.id).await? {
            Some((now, _)) if now.revoked => Err(Error::LoginRevoked),
            Some((now, _)) => Ok(Some(now)),
            None => Err(Error::Unauthenticated),
        }
    }

    async fn reused<T>(&self, login: &Login) -> Result<T, Error> {
        tracing::warn!(user = %login.user, login = %login.id, "a refresh token was used twice: its device is signed out");
        metrics::counter!("hubbub_auth_refresh_reuse_total").increment(1);
        self.end_login(login.user, login.id).await?;
        Err(Error::LoginRevoked)
    }

    pub async fn log_out(&self, identity: Identity) -> Result<(), Error> {
        self.end_login(identity.user, identity.login).await.map(drop)
    }

    /// By whoever holds the family's valid token; anything else changes nothing.
    pub async fn log_out_by_refresh(&self, token: &str) -> Result<(), Error> {
        let Some(claim) = refresh::read(token) else { return Ok(()) };
        match self.login(claim.user, claim.login).await? {
            Some((login, _)) if login.token_hash == secret::hash(token) => self.end_login(login.user, login.id).await.map(drop),
            _ => Ok(()),
        }
    }

    /// One of the caller's own devices. Errors: `NotFound`.
    pub async fn revoke(&self, user: UserId, login: LoginId) -> Result<(), Error> {
        if self.end_login(user, login).await? { Ok(()) } else { Err(Error::NotFound) }
    }

    /// Every device, or every other.
    pub async fn log_out_all(&self, user: UserId, but: Option<LoginId>) -> Result<(), Error> {
        for (login, _) in self.logins(user).await? {
            if Some(login.id) != but && !login.revoked {
                self.end_login(user, login.id).await?;
            }
        }
        Ok(())
    }

    /// The last used first.
    pub async fn devices(&self, identity: Identity) -> Result<rest::Devices, Error> {
        let now = self.now();
        let mut logins = self.logins(identity.user).await?;
        logins.retain(|(login, _)| !login.revoked && now <= login.expires_at);
        logins.sort_by_key(|(login, _)| std::cmp::Reverse(login.last_used));
        let device = |(login, _): (Login, u64)| rest::Device {
            login: login.id,
            device: login.device,
            label: login.label,
            address: login.address,
            created_at: login.created_at,
            last_used: login.last_used,
            current: login.id == identity.login,
        };
        Ok(rest::Devices { devices: logins.into_iter().map(device).collect() })
    }

    /// Whether it was there. From the answer on nothing of this login is served: its tokens are refused, its sockets told.
    pub(super) async fn end_login(&self, user: UserId, id: LoginId) -> Result<bool, Error> {
        for _ in 0..TRIES {
            let Some((login, version)) = self.login(user, id).await? else { return Ok(false) };
            if !login.revoked {
                let now = self.now();
                let until = now + token::LAST_MS;
                self.put(&Revocation { login: id, user, until }, Expect::Any).await?;
                let ended = Login { revoked: true, ..login };
                if let Put::Conflict { .. } = self.put(&ended, Expect::Version(version)).await? {
                    continue;
                }
                self.revoke_until(id, until);
            }
            self.tell_revoked(user, id);
            return Ok(true);
        }
        Err(Error::Again)
    }

    /// Clears away what is over; signs out the longest unused device when there are as many as may be.
    async fn make_room(&self, user: UserId) -> Result<(), Error> {
        let now = self.now();
        let (living, over): (Vec<_>, Vec<_>) =
            self.logins(user).await?.into_iter().partition(|(login, _)| !login.revoked && now <= login.expires_at);
        for (login, _) in over {
            self.records().delete(Login::key_of(user, login.id)).await?;
        }
        if living.len() >= self.0.config.logins_max
            && let Some((oldest, _)) = living.into_iter().min_by_key(|(login, _)| login.last_used)
        {
            self.end_login(user, oldest.id).await?;
        }
        Ok(())
    }

    fn tell_revoked(&self, user: UserId, login: LoginId) {
        if let Some(tell) = self.0.on_revoked.get() {
            tell(user, login);
        }
    }

    pub(super) async fn load_revocations(&self) -> Result<(), Error> {
        let (now, mut from) = (self.now(), bytes::Bytes::new());
        loop {
            let page = Range::all(Revocation::partition(), REVOCATIONS_PAGE).from(from);
            let rows = self.records().list::<Revocation>(page).await?;
            for (revocation, _) in rows.iter().filter(|(revocation, _)| revocation.until >= now) {
                if self.revoke_until(revocation.login, revocation.until) {
                    self.tell_revoked(revocation.user, revocation.login);
                }
            }
            match rows.last() {
                Some((last, _)) if rows.len() == REVOCATIONS_PAGE => from = [last.login.as_bytes(), &[0][..]].concat().into(),
                _ => return Ok(()),
            }
        }
    }

    pub(super) async fn forget_revocations(&self) -> Result<(), Error> {
        let now = self.now();
        self.0.revoked.lock().forget_over(now);
        let page = Range::all(Revocation::partition(), REVOCATIONS_PAGE);
        for (revocation, _) in self.records().list::<Revocation>(page).await? {
            if revocation.until < now {
                self.records().delete(Revocation::key_of(revocation.login)).await?;
            }
        }
        self.load_revocations().await
    }

    async fn login(&self, user: UserId, id: LoginId) -> Result<Option<(Login, u64)>, Error> {
        Ok(self.records().fetch::<Login>(Login::key_of(user, id)).await?)
    }

    async fn logins(&self, user: UserId) -> Result<Vec<(Login, u64)>, Error> {
        Ok(self.records().list::<Login>(Range::all(Login::partition(user), ROWS_MAX)).await?)
    }

    fn refresh_ms(&self) -> u64 {
        u64::from(self.0.config.refresh_days) * DAY_MS
    }
}
