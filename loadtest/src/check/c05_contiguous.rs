//! Pure. C5: on every connection the events of a room come one after the other; what was left out was said to be
//! (`gap`, `behind`) and was read; at the end every device has everything up to the room's head. The final log has no
//! hole either.

use std::collections::{BTreeMap, HashMap};

use schema::{EventBody, RoomId, UserId};

use super::Bounds;
use super::index::{Index, name};
use crate::history::{Device, Entry};

/// A device's way through one room.
#[derive(Default)]
struct Way {
    next: Next,
    /// Seqs it has, as ranges from → to.
    has: BTreeMap<u64, u64>,
}

/// What the connection has to deliver next.
#[derive(Default, Clone, Copy)]
enum Next {
    /// The room is new to this connection: whatever comes first.
    #[default]
    Anything,
    Exactly(u64),
    /// After `behind`, or where the head was only told: this or an earlier one.
    UpTo(u64),
}

impl Way {
    fn delivered(&mut self, seq: u64) -> bool {
        let right = match self.next {
            Next::Anything => true,
            Next::Exactly(next) => seq == next,
            Next::UpTo(next) => seq <= next,
        };
        self.next = Next::Exactly(seq + 1);
        self.add(seq, seq);
        right
    }

    fn add(&mut self, mut from: u64, mut to: u64) {
        while let Some((start, end)) = self.has.range(..=to + 1).next_back().map(|(start, end)| (*start, *end)) {
            if end + 1 < from {
                break;
            }
            (from, to) = (from.min(start), to.max(end));
            self.has.remove(&start);
        }
        self.has.insert(from, to);
    }

    /// The first seq up to `head` that is missing between what it has.
    fn missing(&self, head: u64) -> Option<u64> {
        let (_, end) = self.has.first_key_value()?;
        (*end < head).then_some(end + 1)
    }
}

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    for (room, end) in &index.run.rooms {
        let whole = end.events.iter().map(|event| event.seq).eq(1..=end.head);
        if !whole {
            found.push(format!("the final log of room {room} is not 1..={}", end.head));
        }
    }
    for device in &index.run.devices {
        walk(index, device, found);
    }
}

fn walk(index: &Index<'_>, device: &Device, found: &mut Vec<String>) {
    let mut ways: HashMap<RoomId, Way> = HashMap::new();
    let mut resumed: HashMap<RoomId, u64> = HashMap::new();
    for line in &device.lines {
        match &line.1 {
            Entry::Hello { resume } => resumed = resume.iter().map(|it| (it.room, it.seq)).collect(),
            Entry::Ready { heads } => {
                ways.retain(|room, _| heads.iter().any(|head| head.room == *room));
                for head in heads {
                    let way = ways.entry(head.room).or_default();
                    way.next = resumed.get(&head.room).map_or(Next::UpTo(head.seq + 1), |have| Next::Exactly(have + 1));
                }
            }
            Entry::Joined { room, head } => {
                let way = ways.entry(*room).or_default();
                if matches!(way.next, Next::Anything) {
                    way.next = Next::UpTo(head + 1);
                }
            }
            Entry::Lost {} => ways.values_mut().for_each(|way| way.next = Next::Anything),
            Entry::Delivered { room, seen } => {
                let way = ways.entry(*room).or_default();
                let due = way.next;
                if !way.delivered(seen.seq) {
                    let due = match due {
                        Next::Exactly(due) | Next::UpTo(due) => due,
                        Next::Anything => 0,
                    };
                    found.push(format!("{} was delivered to device {} where {due} was due", name(*room, seen.seq), device.device));
                }
                // Who was removed and comes back begins anew.
                if index.event(*room, seen.seq).is_some_and(|event| event.body.removed() == Some(device.user)) {
                    ways.remove(room);
                }
            }
            Entry::Gap { room, from, to } => {
                let way = ways.entry(*room).or_default();
                if let Next::Exactly(due) = way.next
                    && due != *from
                {
                    found.push(format!("device {}: a gap from {} was said where {due} was due", device.device, name(*room, *from)));
                }
                way.next = Next::Exactly(to + 1);
            }
            Entry::Behind { room, .. } => ways.entry(*room).or_default().next = Next::Anything,
            Entry::Page { room, fill, seen, .. } => {
                let way = ways.entry(*room).or_default();
                if *fill {
                    seen.iter().for_each(|it| way.add(it.seq, it.seq));
                }
            }
            Entry::End { have, .. } => end(index, device, have, &ways, found),
            _ => {}
        }
    }
}

/// Every room that it is still in is whole up to the head.
fn end(index: &Index<'_>, device: &Device, have: &[schema::client::Resume], ways: &HashMap<RoomId, Way>, found: &mut Vec<String>) {
    for it in have {
        let Some(room) = index.run.rooms.get(&it.room) else { continue };
        if it.seq != room.head && !left(index, it.room, device.user) {
            found.push(format!("device {} ended with {} while the head is {}", device.device, name(it.room, it.seq), room.head));
        }
        if let Some(missing) = ways.get(&it.room).and_then(|way| way.missing(it.seq)) {
            found.push(format!("{} never came to device {}", name(it.room, missing), device.device));
        }
    }
}

fn left(index: &Index<'_>, room: RoomId, user: UserId) -> bool {
    let mut events = index.run.rooms[&room].events.iter().rev();
    let last = events.find_map(|event| match &event.body {
        EventBody::Member { user: whom, role, .. } if *whom == user => Some(role.is_none()),
        _ => None,
    });
    last.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, room, said};
    use super::*;

    /// The good run without its end, and then events 5 to 9 that nobody has been sent.
    fn more() -> Script {
        let mut script = Script::talked();
        (5..=9).for_each(|id| script.logged(1, id, said("more")));
        script
    }

    #[test]
    fn a_hole_that_nobody_said_is_found() {
        let mut script = more();
        script.delivered(2, 5);
        script.keeps(Rule::C5);
        script.delivered(2, 7);
        script.breaks(Rule::C5);
    }

    #[test]
    fn the_same_event_twice_on_a_connection_is_found() {
        let mut script = Script::good();
        script.delivered(2, 4);
        script.breaks(Rule::C5);
    }

    #[test]
    fn a_resume_that_skips_is_found_and_one_that_says_its_gap_is_not() {
        let mut script = more();
        script.hello(2, 4, 9);
        let mut said = script.clone();
        script.delivered(2, 8);
        script.breaks(Rule::C5);
        said.add(2, Entry::Gap { room: room(), from: 5, to: 8 });
        said.delivered(2, 9);
        said.page(2, 5..=8, 9);
        said.end(2, 9);
        said.keeps(Rule::C5);
    }

    #[test]
    fn a_gap_that_was_never_filled_is_found_at_the_end() {
        let mut script = more();
        script.add(2, Entry::Gap { room: room(), from: 5, to: 8 });
        script.delivered(2, 9);
        script.page(2, 5..=7, 9);
        script.end(2, 9);
        script.breaks(Rule::C5);
    }

    #[test]
    fn a_device_that_never_got_the_end_is_found() {
        let mut script = more();
        script.delivered(2, 5);
        script.end(2, 5);
        script.breaks(Rule::C5);
    }

    #[test]
    fn a_final_log_with_a_hole_is_found() {
        let mut script = Script::good();
        script.log.remove(1);
        script.breaks(Rule::C5);
    }
}
