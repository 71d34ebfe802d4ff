//! Pure. Which of a lot's connections are in which room: 12 bytes for each pair, no matter how many rooms or members.
//!
//! A room holds the slab places of its members; a connection holds, for each room, the room's number on this lot and its
//! own position there, so that leaving looks at nobody else.

use std::collections::HashMap;

use schema::RoomId;

use super::slab::{Slab, grow};

/// One connection's rooms.
#[derive(Debug, Default)]
pub enum Seats {
    #[default]
    None,
    One(Seat),
    /// Invariant: two or more. (A box, so that an entry of the slab stays small.)
    #[allow(clippy::box_collection)]
    Many(Box<Vec<Seat>>),
}

#[derive(Clone, Copy, Debug)]
pub struct Seat {
    pub room: u32,
    position: u32,
}

impl Seats {
    pub fn as_slice(&self) -> &[Seat] {
        match self {
            Self::None => &[],
            Self::One(seat) => std::slice::from_ref(seat),
            Self::Many(seats) => seats,
        }
    }
    fn as_mut_slice(&mut self) -> &mut [Seat] {
        match self {
            Self::None => &mut [],
            Self::One(seat) => std::slice::from_mut(seat),
            Self::Many(seats) => seats,
        }
    }
    fn push(&mut self, seat: Seat) {
        match self {
            Self::None => *self = Self::One(seat),
            Self::One(first) => *self = Self::Many(Box::new(vec![*first, seat])),
            Self::Many(seats) => {
                grow(seats);
                seats.push(seat);
            }
        }
    }
    /// No more room than what is in it.
    pub fn fit(&mut self) {
        if let Self::Many(seats) = self {
            seats.shrink_to_fit();
        }
    }
    fn remove(&mut self, room: u32) -> Option<Seat> {
        let place = self.as_slice().iter().position(|seat| seat.room == room)?;
        let seat = self.as_slice()[place];
        match self {
            Self::Many(seats) if seats.len() > 2 => {
                seats.swap_remove(place);
            }
            Self::Many(seats) => *self = Self::One(seats[1 - place]),
            _ => *self = Self::None,
        }
        Some(seat)
    }
}

#[derive(Debug)]
pub struct Room {
    pub id: RoomId,
    /// Places in the slab.
    pub members: Vec<u32>,
    /// The last seq that came by; 0: none yet.
    pub head: u64,
}

#[derive(Debug, Default)]
pub struct Rooms {
    numbers: HashMap<RoomId, u32>,
    rooms: Vec<Room>,
    free: Vec<u32>,
}

impl Rooms {
    pub fn number(&self, id: RoomId) -> Option<u32> {
        self.numbers.get(&id).copied()
    }
    pub fn at(&mut self, room: u32) -> &mut Room {
        &mut self.rooms[room as usize]
    }
    pub fn id(&self, room: u32) -> RoomId {
        self.rooms[room as usize].id
    }
    pub fn count(&self) -> usize {
        self.numbers.len()
    }

    /// False: it was in already.
    pub fn join(&mut self, slab: &mut Slab, index: u32, id: RoomId) -> bool {
        let room = self.number(id).unwrap_or_else(|| self.add(id));
        let seats = &mut slab.at(index).seats;
        if seats.as_slice().iter().any(|seat| seat.room == room) {
            return false;
        }
        let members = &mut self.rooms[room as usize].members;
        seats.push(Seat { room, position: members.len() as u32 });
        grow(members);
        members.push(index);
        true
    }

    /// The room that it left; none: it was not in it.
    ///
    /// Invariant: nobody walks over the room's members meanwhile; the last member takes the free position.
    pub fn part(&mut self, slab: &mut Slab, index: u32, room: u32) -> Option<RoomId> {
        let entry = slab.at(index);
        let seat = entry.seats.remove(room)?;
        let id = self.rooms[room as usize].id;
        if let Some(outbox) = &mut entry.outbox {
            outbox.part(room);
        }
        let members = &mut self.rooms[room as usize].members;
        members.swap_remove(seat.position as usize);
        if let Some(&moved) = members.get(seat.position as usize) {
            let seats = slab.at(moved).seats.as_mut_slice();
            let of_moved = seats.iter_mut().find(|seat| seat.room == room).expect("a member has a seat");
            of_moved.position = seat.position;
        }
        if self.rooms[room as usize].members.is_empty() {
            self.remove(room);
        } else if members_are_few(&self.rooms[room as usize].members) {
            self.rooms[room as usize].members.shrink_to_fit();
        }
        Some(id)
    }

    /// Events were lost on the way here, nobody knows how many: the next one is not held against the last.
    pub fn forget_heads(&mut self) {
        self.rooms.iter_mut().for_each(|room| room.head = 0);
    }

    /// Takes a connection out of one of its rooms, until there is none left.
    pub fn part_next(&mut self, slab: &mut Slab, index: u32) -> Option<RoomId> {
        let seat = slab.at(index).seats.as_slice().last().copied()?;
        self.part(slab, index, seat.room)
    }

    fn add(&mut self, id: RoomId) -> u32 {
        let room = Room { id, members: Vec::new(), head: 0 };
        let number = match self.free.pop() {
            Some(number) => {
                self.rooms[number as usize] = room;
                number
            }
            None => {
                self.rooms.push(room);
                self.rooms.len() as u32 - 1
            }
        };
        self.numbers.insert(id, number);
        number
    }

    fn remove(&mut self, room: u32) {
        let entry = &mut self.rooms[room as usize];
        entry.members = Vec::new();
        self.numbers.remove(&entry.id);
        self.free.push(room);
    }
}

/// A room that was big once does not keep its size.
fn members_are_few(members: &Vec<u32>) -> bool {
    members.capacity() > 64 && members.len() * 4 < members.capacity()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_of_connection_and_room_takes_twelve_bytes() {
        assert_eq!(size_of::<Seat>() + size_of::<u32>(), 12);
        assert_eq!(size_of::<Seats>(), 16);
    }
}
