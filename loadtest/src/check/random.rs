//! Runs made by chance: a small world that keeps every promise is never accused, however its connections break; and
//! the same run with one lie in it is.

use proptest::prelude::*;
use schema::client::Resume;
use schema::{ErrorCode, EventBody, Role};

use super::script::{Script, post, room, said, user};
use super::{Rule, check};
use crate::history::Entry;

/// What happens next in the small world.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Device, and how it goes: 0 acknowledged, 1 resent and then acknowledged, 2 seen but never answered, 3 refused.
    Post(u8, u8),
    /// The device's connection breaks; it resumes, with a gap if so.
    Break(u8, bool),
    Read(u8),
    /// Device 2 is thrown out and comes back.
    Away,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1u8..=2, prop_oneof![16 => Just(0u8), 3 => Just(1), 1 => Just(2), 1 => Just(3)]).prop_map(|(device, how)| Step::Post(device, how)),
        2 => (1u8..=2, any::<bool>()).prop_map(|(device, gap)| Step::Break(device, gap)),
        2 => (1u8..=2).prop_map(Step::Read),
        1 => Just(Step::Away),
    ]
}

/// A world that keeps its promises: its history, with how far each device has the room.
struct World {
    script: Script,
    next: u8,
    have: [u64; 2],
    unknown: [Option<u8>; 2],
    acked: u32,
    asked: u32,
}

impl World {
    fn new() -> Self {
        Self { script: Script::made(), next: 2, have: [1, 1], unknown: [None, None], acked: 1, asked: 1 }
    }

    fn id(&mut self) -> u8 {
        self.next += 1;
        self.asked += 1;
        self.next - 1
    }

    fn deliver(&mut self) {
        let head = self.script.log.len() as u64;
        for device in 1..=2u8 {
            for seq in self.have[device as usize - 1] + 1..=head {
                self.script.delivered(device, seq);
            }
            self.have[device as usize - 1] = head;
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Post(device, how) => self.post(device, how),
            Step::Break(device, gap) => self.connection_breaks(device, gap),
            Step::Read(device) => {
                let head = self.script.log.len() as u64;
                self.script.page(device, head.saturating_sub(3).max(1)..=head, head);
            }
            Step::Away => self.away(),
        }
    }

    fn post(&mut self, device: u8, how: u8) {
        // A device that has an unknown says no more: the end of its history lists it.
        if self.unknown[device as usize - 1].is_some() {
            return;
        }
        let id = self.id();
        self.script.sent(device, id, post("x"));
        if how == 3 {
            return self.script.refused(device, id, ErrorCode::Forbidden);
        }
        self.script.logged(device, id, said("x"));
        if how == 1 {
            self.script.sent(device, id, post("x"));
        }
        self.deliver();
        if how == 2 {
            self.unknown[device as usize - 1] = Some(id);
        } else {
            self.acked += 1;
            self.script.acked(device, id, self.script.log.len() as u64);
        }
    }

    /// Something was said while the device was away; it hears of it one way or the other.
    fn connection_breaks(&mut self, device: u8, gap: bool) {
        let other = 3 - device;
        let have = self.have[device as usize - 1];
        self.script.add(device, Entry::Lost {});
        if self.unknown[other as usize - 1].is_none() {
            let id = self.id();
            self.script.sent(other, id, post("meanwhile"));
            self.script.logged(other, id, said("meanwhile"));
            let head = self.script.log.len() as u64;
            (self.have[other as usize - 1] + 1..=head).for_each(|seq| self.script.delivered(other, seq));
            self.have[other as usize - 1] = head;
            self.script.acked(other, id, head);
            self.acked += 1;
        }
        let head = self.script.log.len() as u64;
        self.script.add(device, Entry::Hello { resume: vec![Resume { room: room(), seq: have }] });
        self.script.add(device, Entry::Ready { heads: vec![Resume { room: room(), seq: head }] });
        if gap && head > have {
            self.script.add(device, Entry::Gap { room: room(), from: have + 1, to: head });
            self.script.page(device, have + 1..=head, head);
            self.have[device as usize - 1] = head;
        }
        self.deliver();
    }

    fn away(&mut self) {
        if self.unknown[0].is_some() {
            return;
        }
        for role in [None, Some(Role::Member)] {
            let (id, head) = (self.id(), self.script.log.len() as u64 + 1);
            let act =
                if role.is_none() { schema::client::Act::Kick { user: user(2) } } else { schema::client::Act::Invite { user: user(2) } };
            self.script.sent(1, id, act);
            self.script.logged(1, id, EventBody::Member { user: user(2), role, members: 2 });
            self.script.delivered(1, head);
            if role.is_none() {
                self.script.delivered(2, head);
            } else {
                self.script.add(2, Entry::Joined { room: room(), head });
                self.script.page(2, head..=head, head);
            }
            self.script.acked(1, id, head);
            (self.have, self.acked) = ([head, head], self.acked + 1);
            if role.is_none() {
                // Said while they were away, and never shown to them.
                let (id, head) = (self.id(), self.script.log.len() as u64 + 1);
                self.script.sent(1, id, post("between us"));
                self.script.logged(1, id, said("between us"));
                self.script.delivered(1, head);
                self.script.acked(1, id, head);
                self.acked += 1;
            }
        }
    }

    fn end(mut self) -> (Script, bool) {
        for device in 1..=2u8 {
            let have = self.have[device as usize - 1];
            match self.unknown[device as usize - 1] {
                Some(id) => self.script.end_unknown(device, id, have),
                None => self.script.end(device, have),
            }
        }
        (self.script, self.acked * 100 >= self.asked * 95)
    }
}

fn world(steps: &[Step]) -> (Script, bool) {
    let mut world = World::new();
    steps.iter().for_each(|step| world.step(*step));
    world.end()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_world_that_keeps_its_promises_is_not_accused(steps in prop::collection::vec(step(), 1..40)) {
        let (script, enough) = world(&steps);
        let verdict = script.verdict();
        let accused: Vec<_> = verdict.found.iter().filter(|(rule, _)| *rule != Rule::Vacuity).collect();
        prop_assert!(accused.is_empty(), "{verdict}");
        prop_assert!(verdict.broke(Rule::Vacuity) != enough, "{verdict}");
    }

    #[test]
    fn one_lost_or_doubled_or_moved_event_is_found(steps in prop::collection::vec(step(), 1..40), at in any::<prop::sample::Index>(), lie in 0..3) {
        let (mut script, _) = world(&steps);
        let place = at.index(script.log.len());
        match lie {
            // An event is forgotten, and the seqs of all that follow fall.
            0 => drop(script.log.remove(place)),
            1 => {
                let double = script.log[place].clone();
                script.log.push(double);
            }
            _ => {
                let other = (place + 1) % script.log.len();
                prop_assume!(other != place);
                script.log.swap(place, other);
            }
        }
        for (index, event) in script.log.iter_mut().enumerate() {
            event.seq = index as u64 + 1;
            event.ordinal = event.seq;
            event.at = event.seq;
        }
        let verdict = check(&script.run(), super::Bounds::default());
        prop_assert!(verdict.found.iter().any(|(rule, _)| *rule != Rule::Vacuity), "{steps:?}: {verdict}");
    }
}
