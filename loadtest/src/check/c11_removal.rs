//! Pure. C11: who was removed at seq k sees nothing above k, until they know that they are back.

use std::collections::HashMap;

use schema::{EventBody, RoomId, UserId};

use super::Bounds;
use super::index::{Index, name};
use crate::history::{Device, Entry};

/// Away after `from`; back with `back`, if ever.
#[derive(Clone, Copy)]
struct Away {
    from: u64,
    back: Option<u64>,
}

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    let away = away(index);
    for device in &index.run.devices {
        walk(device, &away, found);
    }
}

fn away(index: &Index<'_>) -> HashMap<(RoomId, UserId), Vec<Away>> {
    let mut all: HashMap<(RoomId, UserId), Vec<Away>> = HashMap::new();
    for (room, end) in &index.run.rooms {
        for event in &end.events {
            let EventBody::Member { user, role, .. } = &event.body else { continue };
            let times = all.entry((*room, *user)).or_default();
            match (times.last_mut(), role) {
                (Some(Away { back: None, .. }), None) => {}
                (_, None) => times.push(Away { from: event.seq, back: None }),
                (Some(last @ Away { back: None, .. }), Some(_)) => last.back = Some(event.seq),
                _ => {}
            }
        }
    }
    all
}

fn walk(device: &Device, away: &HashMap<(RoomId, UserId), Vec<Away>>, found: &mut Vec<String>) {
    let mut knows: HashMap<RoomId, u64> = HashMap::new();
    for line in &device.lines {
        let (room, head, seen) = match &line.1 {
            Entry::Ready { heads } => {
                for it in heads {
                    let head = knows.entry(it.room).or_default();
                    *head = (*head).max(it.seq);
                }
                continue;
            }
            Entry::Joined { room, head } => (*room, *head, [].as_slice()),
            Entry::Delivered { room, seen } => (*room, seen.seq, std::slice::from_ref(seen)),
            Entry::Page { room, head, seen, .. } => (*room, *head, seen.as_slice()),
            _ => continue,
        };
        let Some(times) = away.get(&(room, device.user)) else { continue };
        let known = knows.entry(room).or_default();
        *known = (*known).max(head);
        for seq in seen.iter().map(|it| it.seq) {
            let told_back = |time: &Away| time.back.is_some_and(|back| *known >= back);
            let hidden = |time: &&Away| seq > time.from && time.back.is_none_or(|back| seq < back) && !told_back(time);
            if let Some(time) = times.iter().find(hidden) {
                found.push(format!("{} came to device {}, whose user was removed at seq {}", name(room, seq), device.device, time.from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, room, said, user};
    use super::*;
    use schema::Role;

    fn removed() -> Script {
        let mut script = Script::good();
        script.logged(1, 5, EventBody::Member { user: user(2), role: None, members: 1 });
        script.logged(1, 6, said("secret"));
        script.delivered(2, 5);
        script
    }

    #[test]
    fn an_event_after_the_removal_is_found() {
        let mut script = removed();
        script.keeps(Rule::C11);
        script.delivered(2, 6);
        script.breaks(Rule::C11);
    }

    #[test]
    fn a_page_after_the_removal_is_found() {
        let mut script = removed();
        script.page(2, 4..=6, 6);
        script.breaks(Rule::C11);
    }

    #[test]
    fn who_is_back_may_read_what_they_missed() {
        let mut script = removed();
        script.logged(1, 7, EventBody::Member { user: user(2), role: Some(Role::Member), members: 1 });
        script.add(2, Entry::Joined { room: room(), head: 7 });
        script.page(2, 6..=7, 7);
        script.keeps(Rule::C11);
    }
}
