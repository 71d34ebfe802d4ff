//! Pure. The logins whose access tokens are refused although they have not expired.
//!
//! Bounded: over the bound the oldest revocations become a floor, below which every token is refused as expired, so
//! that its client refreshes; a revoked one cannot.

use std::collections::{HashMap, VecDeque};

use schema::LoginId;

const LOGINS_MAX: usize = 100_000;

#[derive(Debug)]
pub struct Revoked {
    until: HashMap<LoginId, u64>,
    /// In the order they came, so nearly in the order they end.
    order: VecDeque<(u64, LoginId)>,
    floor_s: u64,
    logins_max: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Good,
    Revoked,
    /// Issued before the floor: refresh.
    Stale,
}

impl Default for Revoked {
    fn default() -> Self {
        Self { until: HashMap::new(), order: VecDeque::new(), floor_s: 0, logins_max: LOGINS_MAX }
    }
}

impl Revoked {
    /// `until`: when the login's last access token has expired, milliseconds; `now` too. Whether it was not known.
    pub fn add(&mut self, login: LoginId, until: u64, now: u64) -> bool {
        self.forget_over(now);
        let is_news = self.until.insert(login, until).is_none();
        if is_news {
            self.order.push_back((until, login));
        }
        while self.until.len() > self.logins_max {
            let Some((_, oldest)) = self.order.pop_front() else { break };
            self.until.remove(&oldest);
            // Its tokens were issued at the latest now; a second more for the rounding.
            self.floor_s = now / 1000 + 1;
        }
        is_news
    }

    /// Drops what has expired by itself.
    pub fn forget_over(&mut self, now: u64) {
        while self.order.front().is_some_and(|(until, _)| *until < now) {
            if let Some((_, login)) = self.order.pop_front() {
                self.until.remove(&login);
            }
        }
    }

    pub fn standing(&self, login: LoginId, issued_s: u64) -> Standing {
        match () {
            () if self.until.contains_key(&login) => Standing::Revoked,
            () if issued_s < self.floor_s => Standing::Stale,
            () => Standing::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(n: u8) -> LoginId {
        LoginId::from_bytes([n; 16])
    }

    #[test]
    fn over_the_bound_an_evicted_login_still_does_not_get_in() {
        let mut revoked = Revoked { logins_max: 2, ..Revoked::default() };
        for n in 1..=3 {
            revoked.add(login(n), 700_000, 100_000);
        }
        assert_eq!(revoked.standing(login(3), 50), Standing::Revoked);
        assert_eq!(revoked.standing(login(1), 100), Standing::Stale);
        assert_eq!(revoked.standing(login(9), 101), Standing::Good);
    }

    #[test]
    fn a_revocation_is_forgotten_once_no_token_of_it_can_be_alive() {
        let mut revoked = Revoked::default();
        revoked.add(login(1), 700_000, 100_000);
        revoked.forget_over(700_000);
        assert_eq!(revoked.standing(login(1), 50), Standing::Revoked);
        revoked.forget_over(700_001);
        assert!(revoked.until.is_empty() && revoked.order.is_empty());
    }
}
