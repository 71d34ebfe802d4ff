//! Pure. C8: a page or a list of rooms that was asked for after an ack knows of it: the same device's always, another
//! device's after the stated lag. A page is what it says: every seq from `from` to `to`, none above the head.

use super::Bounds;
use super::index::{Index, highest_before, name};
use crate::history::Entry;
use schema::RoomId;

pub fn check(index: &Index<'_>, bounds: Bounds, found: &mut Vec<String>) {
    let by_anyone = index.acked_until(None);
    for (number, device) in index.run.devices.iter().enumerate() {
        let by_itself = index.acked_until(Some(number));
        let due = |room: &RoomId, asked_us: u64| {
            let others = highest_before(by_anyone.get(room), asked_us.saturating_sub(bounds.lag_us));
            others.max(highest_before(by_itself.get(room), asked_us))
        };
        let mut hello_us = 0;
        for line in &device.lines {
            match &line.1 {
                Entry::Hello { .. } => hello_us = line.0,
                Entry::Ready { heads } => {
                    for it in heads.iter().filter(|it| it.seq < due(&it.room, hello_us)) {
                        found.push(format!(
                            "device {} was told that the head is {}; more was acknowledged before",
                            device.device,
                            name(it.room, it.seq)
                        ));
                    }
                }
                Entry::Page { room, asked, from, to, head, seen, .. } => {
                    if *head < due(room, *asked) {
                        found.push(format!(
                            "device {} read a page whose head is {}; more was acknowledged before",
                            device.device,
                            name(*room, *head)
                        ));
                    }
                    let whole = seen.iter().map(|it| it.seq).eq(*from..=*to) && *to <= *head;
                    if !seen.is_empty() && !whole {
                        found.push(format!(
                            "device {} read a page {from}..={to} of room {room}, head {head}, that is not that",
                            device.device
                        ));
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::Script;
    use super::super::{Bounds, check};
    use super::*;

    #[test]
    fn a_page_that_does_not_know_of_an_ack_is_found() {
        let mut script = Script::good();
        script.page(2, 1..=3, 3);
        script.breaks(Rule::C8);
    }

    #[test]
    fn a_ready_that_does_not_know_of_an_ack_is_found() {
        let mut script = Script::good();
        script.hello(2, 4, 3);
        script.breaks(Rule::C8);
    }

    #[test]
    fn a_page_with_a_hole_is_found() {
        let script = Script::good().edited(|entry| {
            if let Entry::Page { seen, .. } = entry {
                seen.remove(1);
            }
        });
        script.breaks(Rule::C8);
    }

    #[test]
    fn a_stated_lag_excuses_others_but_not_the_device_itself() {
        let bounds = Bounds { lag_us: 1_000_000, ..Bounds::default() };
        let mut other = Script::good();
        other.page(2, 1..=3, 3);
        assert!(!check(&other.run(), bounds).broke(Rule::C8));
        let mut own = Script::good();
        own.page(1, 1..=3, 3);
        assert!(check(&own.run(), bounds).broke(Rule::C8));
    }

    #[test]
    fn a_page_asked_for_before_the_ack_need_not_know_of_it() {
        let mut script = Script::made();
        let asked = script.now();
        script.posted(1, 2, "hi");
        let seen = vec![script.seen(1)];
        let room = super::super::script::room();
        script.add(2, Entry::Page { room, asked, fill: false, from: 1, to: 1, head: 1, seen });
        script.keeps(Rule::C8);
    }
}
