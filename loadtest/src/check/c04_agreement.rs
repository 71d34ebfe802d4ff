//! Pure. C4: all who saw a seq of a room saw the same, and it is what the final log has. An erased event differs from
//! what was seen before only in what was erased.

use std::collections::HashMap;

use schema::RoomId;

use super::Bounds;
use super::index::{Index, name, request};
use crate::history::Seen;

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    let mut first: HashMap<(RoomId, u64), Seen> = HashMap::new();
    for (room, end) in &index.run.rooms {
        for seen in end.events.iter().map(Seen::of) {
            first.insert((*room, seen.seq), seen);
        }
    }
    for sighting in index.sightings() {
        let (room, seen) = (sighting.room, sighting.seen);
        let agreed = first.entry((room, seen.seq)).or_insert(seen);
        let same_body = agreed.digest == seen.digest || agreed.erased || seen.erased;
        if agreed.cmid != seen.cmid || agreed.user != seen.user || !same_body {
            let (one, other) = (request(agreed.cmid), request(seen.cmid));
            let body = if same_body { "" } else { " with another body" };
            found.push(format!("{}: {one} to some, {other}{body} to device {}", name(room, seen.seq), sighting.device.device));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::Script;
    use crate::history::Entry;
    use schema::EventBody;

    #[test]
    fn two_devices_that_saw_another_body_are_found() {
        let mut odd = false;
        let script = Script::good().edited(|entry| {
            if let Entry::Delivered { seen, .. } = entry
                && seen.seq == 3
                && !std::mem::replace(&mut odd, true)
            {
                seen.digest ^= 1;
            }
        });
        script.breaks(Rule::C4);
    }

    #[test]
    fn what_was_erased_later_was_seen_the_same() {
        let mut script = Script::good();
        script.log[2].body = EventBody::Erased;
        script.keeps(Rule::C4);
        script.log[2].cmid = super::super::script::cmid(99);
        script.breaks(Rule::C4);
    }
}
