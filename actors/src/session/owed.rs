//! The one answer that a connection is owed for what it says to its session: its lot holds a place for it until it has it.

use std::sync::Arc;

use schema::server::Refusal;
use schema::{ConnectionId, ErrorCode, ServerEvent};

use crate::reply::RETRY_MS;
use crate::subscribers::Subscribers;

/// Dropped unpaid, as with a session that has to go, it says `unavailable`: to say it again does no harm.
pub struct Owed(Option<(ConnectionId, u32, Arc<Subscribers>)>);

impl Owed {
    pub fn new(connection: ConnectionId, id: u32, subscribers: Arc<Subscribers>) -> Self {
        Self(Some((connection, id, subscribers)))
    }
    /// The session has answered.
    pub fn paid(mut self) {
        self.0 = None;
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some((connection, id, subscribers)) = self.0.take() {
            subscribers.send(connection, unavailable(id));
        }
    }
}

pub fn unavailable(id: u32) -> ServerEvent {
    ServerEvent::Error(Refusal { retry_after_ms: Some(RETRY_MS), ..Refusal::new(id, ErrorCode::Unavailable) })
}
