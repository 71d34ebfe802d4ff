//! Pure. A user's own connections, on all devices: who of them is told what. What it is about is not known here.

use schema::{ConnectionId, LoginId, ServerEvent};

use super::core::Effect;

/// One of the user's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub connection: ConnectionId,
    pub login: LoginId,
}

#[derive(Debug)]
pub struct Connections {
    all: Vec<ConnectionId>,
    /// Those that were there when the session woke. What woke it may be in the store already, and they were not told.
    slept: Vec<ConnectionId>,
}

impl Connections {
    /// As the node knew them when the session woke.
    pub fn woken(attachments: Vec<Attachment>) -> Self {
        let all: Vec<_> = attachments.iter().map(|attachment| attachment.connection).collect();
        Self { slept: all.clone(), all }
    }

    pub fn attach(&mut self, attachment: Attachment) {
        // A session that just woke may know it already from the node; and it gets its rooms with `ready`.
        self.detach(attachment.connection);
        self.all.push(attachment.connection);
    }
    pub fn detach(&mut self, connection: ConnectionId) {
        self.all.retain(|known| *known != connection);
        self.slept.retain(|known| *known != connection);
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }
    pub fn all(&self) -> Vec<ConnectionId> {
        self.all.clone()
    }
    pub fn slept(&self) -> Vec<ConnectionId> {
        self.slept.clone()
    }

    pub fn tell(&self, except: Option<ConnectionId>, event: ServerEvent, effects: &mut Vec<Effect>) {
        for connection in self.all.iter().copied().filter(|connection| Some(*connection) != except) {
            effects.push(Effect::Send { connection, event: event.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attachment(index: u32) -> Attachment {
        let connection = ConnectionId { lot: 0, generation: 0, index };
        Attachment { connection, login: LoginId::default() }
    }

    #[test]
    fn a_connection_that_attaches_to_a_woken_session_is_there_once_and_was_not_asleep() {
        let mut own = Connections::woken(vec![attachment(1), attachment(2)]);
        own.attach(attachment(2));
        assert_eq!(own.all(), [attachment(1).connection, attachment(2).connection]);
        assert_eq!(own.slept(), [attachment(1).connection]);
    }

    #[test]
    fn everybody_but_the_one_who_said_it_is_told() {
        let own = Connections::woken(vec![attachment(1), attachment(2)]);
        let mut effects = Vec::new();
        own.tell(Some(attachment(1).connection), ServerEvent::Draining {}, &mut effects);
        assert_eq!(effects, [Effect::Send { connection: attachment(2).connection, event: ServerEvent::Draining {} }]);
    }
}
