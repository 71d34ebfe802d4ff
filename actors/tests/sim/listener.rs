//! Somebody who only listens to one room: resumes at any node from the last seq it has, and is shown the rest.

use std::collections::VecDeque;
use std::sync::Arc;

use actors::outlet::Down;
use actors::read::Reader;
use actors::subscribers::Subscribers;
use schema::{ConnectionId, Event, RoomId};

use crate::client::listener;
use crate::tasks::{Finished, Work};

pub struct Listener {
    index: usize,
    pub room: RoomId,
    pub last: u64,
    /// Every one with another connection.
    tries: u16,
    pub place: Option<Place>,
}

/// Where it is attached; `greeted` once what it missed was shown.
pub struct Place {
    pub node: usize,
    pub audience: u64,
    pub joined: bool,
    pub greeted: bool,
    /// Shown and not delivered, in order.
    pub frames: VecDeque<Arc<Event>>,
}

impl Listener {
    pub fn new(index: usize, room: RoomId) -> Self {
        Self { index, room, last: 0, tries: 0, place: None }
    }
    pub fn connection(&self) -> ConnectionId {
        ConnectionId { lot: 0, generation: self.tries, index: self.index as u32 }
    }

    /// As a greeting does it: join first, then read what was missed up to the head that was answered.
    pub fn resume(&mut self, node: usize, audience: u64, subscribers: Arc<Subscribers>, reader: Reader) -> Work {
        self.tries += 1;
        self.place = Some(Place { node, audience, joined: false, greeted: false, frames: VecDeque::new() });
        let (index, room, last, connection) = (self.index, self.room, self.last, self.connection());
        Box::pin(async move {
            let missed = match subscribers.join(&reader, listener(), room, connection).await {
                Ok(Some(view)) if view.head > last => reader.events(room, last + 1, view.head).await.ok(),
                Ok(Some(_)) => Some(Vec::new()),
                Ok(None) | Err(_) => None,
            };
            Finished::Joined { listener: index, connection, missed }
        })
    }

    pub fn joined(&mut self, missed: Option<Vec<Arc<Event>>>) {
        let Some(place) = &mut self.place else { return };
        match missed {
            Some(missed) => {
                missed.into_iter().rev().for_each(|event| place.frames.push_front(event));
                place.greeted = true;
            }
            None => self.place = None,
        }
    }

    /// What the node told its connections.
    pub fn told(&mut self, down: &Down) {
        let me = self.connection();
        let Some(place) = &mut self.place else { return };
        match down {
            Down::Join { connection, .. } if *connection == me => place.joined = true,
            Down::Batch { room, events, .. } if *room == self.room && place.joined => {
                place.frames.extend(events.iter().flat_map(|shown| shown.events()).map(|event| Arc::new(event.clone())));
            }
            _ => {}
        }
    }
}
