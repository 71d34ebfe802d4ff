//! Pure. How others see a user: folded from their connections and what they chose.

use schema::client::Status;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fold {
    /// What the user wants to be seen as; `Online` unless said otherwise.
    pub chosen: Status,
    pub connections: usize,
    /// When the last connection closed: milliseconds since 1970.
    pub gone_at: Option<u64>,
}

impl Fold {
    /// So many connections from now on. A session that woke for somebody who has none (over REST) shows nobody.
    pub fn count(&mut self, connections: usize, now_ms: u64) {
        if connections > 0 {
            self.gone_at = None;
        } else if self.connections > 0 {
            self.gone_at = Some(now_ms);
        }
        self.connections = connections;
    }

    /// A user stays visible for `offline_after_ms` after their last connection closed, so that a reconnect is not seen.
    pub fn status(&self, now_ms: u64, offline_after_ms: u64) -> Status {
        if self.connections == 0 && self.gone_at.is_none_or(|gone| now_ms >= gone + offline_after_ms) {
            return Status::Offline;
        }
        match self.chosen {
            Status::Invisible => Status::Offline,
            chosen => chosen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_absence_is_not_seen_and_an_invisible_user_never_is() {
        let mut fold = Fold::default();
        fold.count(1, 500);
        assert_eq!(fold.status(1_000, 20_000), Status::Online);
        fold.count(0, 1_000);
        fold.count(0, 15_000);
        assert_eq!(fold.status(20_999, 20_000), Status::Online);
        assert_eq!(fold.status(21_000, 20_000), Status::Offline);
        fold = Fold { chosen: Status::Invisible, connections: 2, gone_at: None };
        assert_eq!(fold.status(0, 20_000), Status::Offline);
    }

    #[test]
    fn who_never_had_a_connection_is_offline() {
        let mut fold = Fold::default();
        fold.count(0, 1_000);
        assert_eq!(fold.status(1_001, 20_000), Status::Offline);
    }
}
