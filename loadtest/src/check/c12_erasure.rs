//! Pure. C12: after an erasure was acknowledged, no page that was asked for shows what was there; nor does the final log.

use std::collections::HashMap;

use schema::{EventBody, RoomId};

use super::Bounds;
use super::index::{Index, name};
use crate::history::Entry;

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    let mut erased: HashMap<(RoomId, u64), u64> = HashMap::new();
    for line in index.run.devices.iter().flat_map(|device| &device.lines) {
        if let Entry::Erased { room, seq } = &line.1 {
            let at_us = erased.entry((*room, *seq)).or_insert(line.0);
            *at_us = (*at_us).min(line.0);
        }
    }
    for (room, seq) in erased.keys() {
        if index.event(*room, *seq).is_some_and(|event| event.body != EventBody::Erased) {
            found.push(format!("{} was erased and is in the final log", name(*room, *seq)));
        }
    }
    for device in &index.run.devices {
        for line in &device.lines {
            let Entry::Page { room, asked, seen, .. } = &line.1 else { continue };
            for it in seen.iter().filter(|it| !it.erased) {
                if erased.get(&(*room, it.seq)).is_some_and(|at_us| at_us < asked) {
                    found.push(format!("device {} read {} after it was erased", device.device, name(*room, it.seq)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, room};
    use super::*;

    fn erased() -> Script {
        let mut script = Script::good();
        script.add(1, Entry::Erased { room: room(), seq: 3 });
        script
    }

    #[test]
    fn a_page_that_shows_what_was_erased_is_found() {
        let mut script = erased();
        script.page(2, 2..=4, 4);
        script.log[2].body = EventBody::Erased;
        script.breaks(Rule::C12);
    }

    #[test]
    fn a_final_log_that_has_what_was_erased_is_found() {
        erased().breaks(Rule::C12);
    }

    #[test]
    fn a_page_from_before_the_erasure_and_one_without_the_text_are_fine() {
        let mut script = erased();
        script.log[2].body = EventBody::Erased;
        script.page(2, 2..=4, 4);
        script.keeps(Rule::C12);
    }
}
