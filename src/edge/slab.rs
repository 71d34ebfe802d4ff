//! A lot's connections in two blocks of memory: 64 bytes each of what a delivery touches, and a card of who it is.
//! Everything that most connections lack is boxed: blocks do not scatter over the heap what boxes would.
//!
//! A place is used again after its connection has gone, with another generation, so that what was meant for the old one
//! does not reach the new one. Other nodes and the actors may know names of a lot that was before: so each lot counts generations
//! from where chance put it. Does no IO and decides nothing.

use std::net::{IpAddr, TcpStream};

use schema::wire::Format;
use schema::{ConnectionId, UserId};

use super::heartbeat::{Mark, Tick};
use super::outbox::Outbox;
use super::parser::Parser;
use super::rooms::Seats;
use super::tls::Session;

/// Where a connection stands; only ever forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Has to say hello.
    Fresh,
    /// Said it; the greeting is not here yet. Not read meanwhile.
    Greeting,
    Live,
    /// A close frame goes out or went out; what still comes in is thrown away.
    Closing,
    /// Without a socket; the place is freed at the turn's end.
    Gone,
}

#[derive(Debug)]
pub struct Entry {
    /// `None`: the place is free, or its connection is gone.
    pub socket: Option<TcpStream>,
    pub generation: u16,
    pub phase: Phase,
    pub in_flight: u8,
    pub format: Format,
    /// Of the protocol, as the client speaks it.
    pub level: u8,
    /// There may be bytes to read that no event will tell of.
    pub unread: bool,
    /// The peer sends no more.
    pub ended: bool,
    /// The node drains: closes as soon as its requests are answered.
    pub draining: bool,
    /// In which second it was last refused what has no number; 0: never. It begins again after 18 hours.
    pub refused_at: u16,
    /// The last byte heard; before hello: when the connection came; closing: when that began.
    pub seen: Tick,
    /// When the wheel looks next. An earlier mark that is still on the wheel is void.
    pub look_at: Tick,
    pub parser: Parser,
    pub outbox: Option<Box<Outbox>>,
    pub seats: Seats,
    pub tls: Option<Box<Session>>,
}

/// Who it is.
#[derive(Debug)]
pub struct Card {
    /// Nil until the greeting.
    pub user: UserId,
    pub address: IpAddr,
}

impl Entry {
    fn free(generation: u16) -> Self {
        Self {
            socket: None,
            generation,
            phase: Phase::Gone,
            in_flight: 0,
            format: Format::Json,
            level: 1,
            refused_at: 0,
            unread: false,
            ended: false,
            draining: false,
            seen: Tick(0),
            look_at: Tick(0),
            parser: Parser::default(),
            outbox: None,
            seats: Seats::None,
            tls: None,
        }
    }
    /// May get events of rooms.
    pub fn is_member(&self) -> bool {
        matches!(self.phase, Phase::Greeting | Phase::Live)
    }
}

#[derive(Debug)]
pub struct Slab {
    /// Of a place that was never used.
    first_generation: u16,
    entries: Vec<Entry>,
    /// By place; `None`: the place is free.
    cards: Vec<Option<Card>>,
    free: Vec<u32>,
}

impl Slab {
    pub fn new(first_generation: u16) -> Self {
        Self { first_generation, entries: Vec::new(), cards: Vec::new(), free: Vec::new() }
    }
    pub fn insert(&mut self, socket: TcpStream, format: Format, card: Card, now: Tick) -> u32 {
        let index = self.free.pop().unwrap_or_else(|| {
            grow(&mut self.entries);
            grow(&mut self.cards);
            self.entries.push(Entry::free(self.first_generation));
            self.cards.push(None);
            self.entries.len() as u32 - 1
        });
        let entry = &mut self.entries[index as usize];
        (entry.socket, entry.phase, entry.format, entry.seen) = (Some(socket), Phase::Fresh, format, now);
        self.cards[index as usize] = Some(card);
        index
    }

    /// Whose place it was; `None`: it is free already.
    pub fn free(&mut self, index: u32) -> Option<Card> {
        let card = self.cards[index as usize].take()?;
        let entry = &mut self.entries[index as usize];
        *entry = Entry::free(entry.generation.wrapping_add(1));
        self.free.push(index);
        Some(card)
    }

    /// Who is at a place; `None`: it is free.
    pub fn card(&mut self, index: u32) -> Option<&mut Card> {
        self.cards[index as usize].as_mut()
    }

    /// The entry at a place that is known to be in use or freed in this turn.
    pub fn at(&mut self, index: u32) -> &mut Entry {
        &mut self.entries[index as usize]
    }
    pub fn get(&mut self, index: u32) -> Option<&mut Entry> {
        self.entries.get_mut(index as usize).filter(|entry| entry.phase != Phase::Gone)
    }
    /// The place of a connection that is not closing.
    pub fn find(&self, connection: ConnectionId) -> Option<u32> {
        let entry = self.entries.get(connection.index as usize)?;
        (entry.generation == connection.generation && entry.phase < Phase::Closing).then_some(connection.index)
    }
    pub fn marked(&mut self, mark: Mark) -> Option<&mut Entry> {
        self.get(mark.index).filter(|entry| entry.generation == mark.generation)
    }
    pub fn places(&self) -> u32 {
        self.entries.len() as u32
    }
    pub fn count(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}

/// By an eighth when it is full: doubled, a big lot would hold nearly as much again for nobody.
pub fn grow<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 8 + 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_takes_64_bytes_of_the_slab() {
        assert!(size_of::<Entry>() <= 64, "{}", size_of::<Entry>());
        assert!(size_of::<Option<Card>>() <= 36, "{}", size_of::<Option<Card>>());
    }
}
