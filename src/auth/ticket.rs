//! One-time tickets: what a page that cannot hold a token says in its `hello`. In memory, for 30 s, so many and no more.
//! A restart voids them; clients ask for another.

use std::collections::{HashMap, VecDeque};

use super::{Error, Identity, secret};

pub const LIFE_S: u32 = 30;
const TICKETS_MAX: usize = 50_000;
const PREFIX: &str = "ht_";

#[derive(Default)]
pub struct Tickets {
    /// By hash, so that no dump of memory holds one that works.
    live: HashMap<[u8; 32], (u64, Identity)>,
    order: VecDeque<(u64, [u8; 32])>,
}

impl Tickets {
    /// Errors: `Busy` while so many are out.
    pub fn issue(&mut self, identity: Identity, now: u64) -> Result<String, Error> {
        self.forget_over(now);
        if self.order.len() >= TICKETS_MAX {
            return Err(Error::Busy);
        }
        let ticket = format!("{PREFIX}{}", secret::make()?);
        let (hash, until) = (secret::hash(&ticket), now + u64::from(LIFE_S) * 1000);
        self.live.insert(hash, (until, identity));
        self.order.push_back((until, hash));
        Ok(ticket)
    }

    /// Whose it is; the same ticket never again.
    pub fn redeem(&mut self, ticket: &str, now: u64) -> Option<Identity> {
        if !ticket.starts_with(PREFIX) || ticket.len() > 64 {
            return None;
        }
        let (until, identity) = self.live.remove(&secret::hash(ticket))?;
        (now <= until).then_some(identity)
    }

    fn forget_over(&mut self, now: u64) {
        while self.order.front().is_some_and(|(until, _)| *until < now) {
            if let Some((_, hash)) = self.order.pop_front() {
                self.live.remove(&hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somebody() -> Identity {
        Identity { user: schema::UserId::default(), login: schema::LoginId::default(), device: schema::DeviceId::default() }
    }

    #[test]
    fn a_ticket_is_good_once_and_for_thirty_seconds() {
        let mut tickets = Tickets::default();
        let (one, two) = (tickets.issue(somebody(), 0).unwrap(), tickets.issue(somebody(), 0).unwrap());
        assert_eq!(tickets.redeem(&one, 30_000), Some(somebody()));
        assert_eq!(tickets.redeem(&one, 30_000), None);
        assert_eq!(tickets.redeem(&two, 30_001), None);
        assert_eq!(tickets.redeem("ht_made-up", 0), None);
    }

    #[test]
    fn more_tickets_than_the_bound_are_refused_until_some_are_over() {
        let mut tickets = Tickets::default();
        for _ in 0..TICKETS_MAX {
            tickets.issue(somebody(), 0).unwrap();
        }
        assert_eq!(tickets.issue(somebody(), 30_000), Err(Error::Busy));
        assert!(tickets.issue(somebody(), 30_001).is_ok());
        assert_eq!(tickets.live.len(), 1);
    }
}
