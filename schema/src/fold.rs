//! What events fold to, and its hash: how a client finds out that it has the same room as the server.
//!
//! `RoomFold::of` over `from..=to` looks at those events alone. An event about a message outside of the range is kept
//! as said. The hash is SHA-256 over the canonical MessagePack of the state: named fields in the order below, maps
//! sorted by key.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::event::{Event, EventBody, Role, RoomSettings};
use crate::id::{RoomId, UserId};
use crate::wire::to_msgpack;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoomFold {
    pub room: RoomId,
    pub head: u64,
    pub ordinal: u64,
    pub settings: Option<RoomSettings>,
    /// As far as the range says: `None` left in it.
    pub members: BTreeMap<UserId, Option<Role>>,
    pub messages: BTreeMap<u64, MessageFold>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MessageFold {
    pub user: UserId,
    /// `None`: deleted, or outside of the range.
    pub text: Option<String>,
    /// The seq of the last edit, 0 for none.
    pub edited: u64,
    pub deleted: bool,
    pub pinned: bool,
    pub reactions: BTreeMap<String, Vec<UserId>>,
}

impl RoomFold {
    pub fn of<'a>(room: RoomId, events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut fold = Self { room, ..Self::default() };
        for event in events {
            fold.apply(event);
        }
        fold
    }

    /// Invariant: events come in rising seq.
    pub fn apply(&mut self, event: &Event) {
        self.head = event.seq;
        self.ordinal = event.ordinal;
        match &event.body {
            EventBody::Created { settings, members, .. } => {
                self.settings = Some(settings.clone());
                self.members.extend(members.iter().map(|m| (m.user, Some(m.role))));
            }
            EventBody::Message(message) => {
                let entry = self.messages.entry(event.seq).or_default();
                entry.user = event.user;
                entry.text = Some(message.text.clone());
            }
            EventBody::Edit { target, text } => {
                let entry = self.messages.entry(*target).or_default();
                if !entry.deleted {
                    entry.text = Some(text.clone());
                    entry.edited = event.seq;
                }
            }
            EventBody::Delete { target, .. } => {
                let entry = self.messages.entry(*target).or_default();
                *entry = MessageFold { user: entry.user, deleted: true, ..MessageFold::default() };
            }
            EventBody::React { target, emoji, on } => {
                let entry = self.messages.entry(*target).or_default();
                if !entry.deleted {
                    entry.react(emoji, event.user, *on);
                }
            }
            EventBody::Pin { target, on } => {
                let entry = self.messages.entry(*target).or_default();
                entry.pinned = *on && !entry.deleted;
            }
            EventBody::Member { user, role, .. } => {
                self.members.insert(*user, *role);
            }
            EventBody::Settings(settings) => self.settings = Some(settings.clone()),
            EventBody::Erased => {}
        }
    }

    /// Lower-case hex of SHA-256.
    pub fn hash(&self) -> String {
        Sha256::digest(to_msgpack(self)).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl MessageFold {
    fn react(&mut self, emoji: &str, user: UserId, on: bool) {
        let users = self.reactions.entry(emoji.to_owned()).or_default();
        match (users.binary_search(&user), on) {
            (Err(place), true) => users.insert(place, user),
            (Ok(place), false) => {
                users.remove(place);
            }
            _ => {}
        }
        if users.is_empty() {
            self.reactions.remove(emoji);
        }
    }
}
