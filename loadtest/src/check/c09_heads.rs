//! Pure. C9: the head of a room never falls for a device: whatever it asks for, the answer knows at least what the
//! device knew when it asked.

use std::collections::HashMap;

use schema::RoomId;

use super::Bounds;
use super::index::{Index, name};
use crate::history::{Device, Entry};

/// When a device knew which head; both rise.
type Known = HashMap<RoomId, Vec<(u64, u64)>>;

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    for device in &index.run.devices {
        walk(device, found);
    }
}

fn walk(device: &Device, found: &mut Vec<String>) {
    let mut known = Known::new();
    let mut hello_us = 0;
    for line in &device.lines {
        let at_us = line.0;
        match &line.1 {
            Entry::Hello { .. } => hello_us = at_us,
            Entry::Ready { heads } => {
                for it in heads {
                    answered(&mut known, device, (it.room, it.seq), hello_us, at_us, found);
                }
            }
            Entry::Page { room, asked, head, .. } => answered(&mut known, device, (*room, *head), *asked, at_us, found),
            Entry::Delivered { room, seen } => learn(&mut known, *room, seen.seq, at_us),
            Entry::Acked { room, seq: Some(seq), .. } => learn(&mut known, *room, *seq, at_us),
            Entry::Joined { room, head } | Entry::Behind { room, head } => learn(&mut known, *room, *head, at_us),
            Entry::Gap { room, to, .. } => learn(&mut known, *room, *to, at_us),
            _ => {}
        }
    }
}

fn answered(known: &mut Known, device: &Device, (room, head): (RoomId, u64), asked_us: u64, at_us: u64, found: &mut Vec<String>) {
    let knew = super::index::highest_before(known.get(&room), asked_us);
    if head < knew {
        found.push(format!("device {} knew of {} and was then told that the head is {head}", device.device, name(room, knew)));
    }
    learn(known, room, head, at_us);
}

fn learn(known: &mut Known, room: RoomId, head: u64, at_us: u64) {
    let times = known.entry(room).or_default();
    let highest = times.last().map_or(0, |(_, highest)| *highest);
    if head > highest {
        times.push((at_us, head));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, room, said};
    use super::*;

    /// Device 2 was delivered event 5, that nobody of the run was acknowledged.
    fn script() -> Script {
        let mut script = Script::good();
        script.logged(1, 5, said("x"));
        script.delivered(2, 5);
        script
    }

    #[test]
    fn a_head_that_falls_at_the_next_hello_is_found() {
        let mut script = script();
        script.hello(2, 5, 4);
        script.breaks(Rule::C9);
    }

    #[test]
    fn a_page_older_than_what_was_delivered_is_found() {
        let mut script = script();
        script.page(2, 1..=4, 4);
        script.breaks(Rule::C9);
    }

    #[test]
    fn a_page_that_was_overtaken_by_an_event_is_no_fall() {
        let mut script = Script::good();
        let asked = script.now();
        script.logged(1, 5, said("x"));
        script.delivered(2, 5);
        let seen = vec![script.seen(4)];
        script.add(2, Entry::Page { room: room(), asked, fill: false, from: 4, to: 4, head: 4, seen });
        script.keeps(Rule::C9);
    }
}
