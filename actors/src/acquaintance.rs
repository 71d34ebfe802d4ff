//! Pure. Who of the people who are here share a room: for each the numbers of their rooms, in order, so that to ask costs
//! neither a look into the store nor more time for one than for another.

use std::collections::HashMap;

use schema::RoomId;

/// The rooms of one person, as rising numbers.
pub type Rooms = Box<[u32]>;

/// The numbers of the rooms that anybody who is here is in.
#[derive(Debug, Default)]
pub struct Numbers {
    by_room: HashMap<RoomId, u32>,
    /// By number: which room, and how many people have it.
    rooms: Vec<(RoomId, u32)>,
    /// Numbers that no room has.
    free: Vec<u32>,
}

impl Numbers {
    /// The rooms' numbers, each counted as had by one more.
    pub fn take(&mut self, rooms: impl IntoIterator<Item = RoomId>) -> Rooms {
        let mut numbers: Vec<u32> = rooms.into_iter().map(|room| self.number(room)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.iter().for_each(|number| self.rooms[*number as usize].1 += 1);
        numbers.into()
    }

    pub fn give_back(&mut self, numbers: &[u32]) {
        for number in numbers {
            let (room, people) = &mut self.rooms[*number as usize];
            *people -= 1;
            if *people == 0 {
                self.by_room.remove(room);
                self.free.push(*number);
            }
        }
    }

    /// The rooms that have these numbers.
    pub fn of(&self, numbers: &[u32]) -> impl Iterator<Item = RoomId> {
        numbers.iter().map(|number| self.rooms[*number as usize].0)
    }

    /// The numbers of those of the rooms that somebody has, rising.
    pub fn known(&self, rooms: impl IntoIterator<Item = RoomId>) -> Vec<u32> {
        let mut numbers: Vec<u32> = rooms.into_iter().filter_map(|room| self.by_room.get(&room).copied()).collect();
        numbers.sort_unstable();
        numbers
    }

    fn number(&mut self, room: RoomId) -> u32 {
        if let Some(number) = self.by_room.get(&room) {
            return *number;
        }
        let number = self.free.pop().unwrap_or(self.rooms.len() as u32);
        if number as usize == self.rooms.len() {
            self.rooms.push((room, 0));
        }
        self.rooms[number as usize] = (room, 0);
        self.by_room.insert(room, number);
        number
    }
}

/// Whether two rising lists have one in common.
pub fn meet(one: &[u32], other: &[u32]) -> bool {
    let (few, many) = if one.len() < other.len() { (one, other) } else { (other, one) };
    few.iter().any(|number| many.binary_search(number).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(n: u8) -> RoomId {
        RoomId::from_bytes([n; 16])
    }

    #[test]
    fn who_shares_a_room_meets_and_who_does_not_does_not() {
        let mut numbers = Numbers::default();
        let (ada, bob, eve) = (numbers.take([1, 2].map(room)), numbers.take([3, 2].map(room)), numbers.take([4].map(room)));
        assert!(meet(&ada, &bob) && meet(&bob, &ada));
        assert!(!meet(&ada, &eve) && !meet(&eve, &[]) && !meet(&[], &[]));
        assert!(meet(&numbers.known([9, 4].map(room)), &eve), "as somebody who is not here");
    }

    #[test]
    fn a_number_is_another_room_s_only_when_nobody_has_the_first_any_more() {
        let mut numbers = Numbers::default();
        let (ada, bob) = (numbers.take([room(1)]), numbers.take([room(1)]));
        numbers.give_back(&ada);
        assert!(!meet(&numbers.take([room(2)]), &bob));
        numbers.give_back(&bob);
        assert!(numbers.known([room(1)]).is_empty());
        assert_eq!(numbers.take([room(3)]), bob, "no number is lost");
        assert_eq!(numbers.rooms.len(), 2);
    }
}
