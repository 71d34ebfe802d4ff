//! Unread is a subtraction: whatever five devices do at once, in the end all show the same number, and it is the head's
//! ordinal less the marker's.

use std::collections::VecDeque;

use actors::session::core::{Core, Effect, Input, Loaded};
use proptest::prelude::*;
use schema::{Role, ServerEvent};

use crate::session::{attached, connection, room, user};

const DEVICES: u32 = 5;

#[derive(Clone, Debug)]
enum Step {
    /// Something happens in the room; a message, or not.
    Happens(bool),
    Reads {
        device: u32,
        share: u8,
    },
    MarksUnread {
        device: u32,
        share: Option<u8>,
    },
    /// A device is delivered the next thing that was sent to it.
    Hears {
        device: u32,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let device = || 0..DEVICES;
    let step = prop_oneof![
        3 => any::<bool>().prop_map(Step::Happens),
        3 => (device(), any::<u8>()).prop_map(|(device, share)| Step::Reads { device, share }),
        1 => (device(), any::<Option<u8>>()).prop_map(|(device, share)| Step::MarksUnread { device, share }),
        4 => device().prop_map(|device| Step::Hears { device }),
    ];
    prop::collection::vec(step, 1..120)
}

/// What one device believes; what it is told comes in order, and late.
#[derive(Debug, Default)]
struct Device {
    seq: u64,
    ordinal: u64,
    unread_from: Option<u64>,
    /// Its own reads that are not answered yet.
    asked: VecDeque<Option<(u64, u64)>>,
    inbox: VecDeque<ServerEvent>,
}

impl Device {
    fn hear(&mut self) {
        let (seq, ordinal, unread_from) = match self.inbox.pop_front() {
            Some(ServerEvent::Ok(_)) => match self.asked.pop_front().flatten() {
                Some((seq, ordinal)) => (seq, ordinal, None),
                None => return,
            },
            Some(ServerEvent::Read(read)) => (read.marks[0].seq, read.marks[0].ordinal, read.marks[0].unread_from),
            _ => return,
        };
        let before = self.seq;
        (self.seq, self.ordinal) = (self.seq.max(seq), self.ordinal.max(ordinal));
        self.unread_from = unread_from;
        assert!(self.seq >= before, "a marker fell");
    }
}

struct World {
    core: Core,
    /// Ordinal by seq, from 0.
    ordinals: Vec<u64>,
    devices: Vec<Device>,
}

impl World {
    fn new() -> Self {
        let mut core = Core::new(user(1), 20_000, Loaded { rooms: [(room(5), (Role::Member, 1))].into(), ..Loaded::default() });
        (0..DEVICES).for_each(|n| core.handle(attached(n), 0, &mut Vec::new()));
        Self { core, ordinals: vec![0, 0], devices: (0..DEVICES).map(|_| Device::default()).collect() }
    }
    fn seq(&self, share: u8) -> u64 {
        1 + u64::from(share) % (self.ordinals.len() as u64 - 1)
    }
    fn tell(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.core.handle(input, 0, &mut effects);
        for effect in effects {
            if let Effect::Send { connection, event } = effect {
                self.devices[connection.index as usize].inbox.push_back(event);
            }
        }
    }
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Happens(message) => self.ordinals.push(self.ordinals[self.ordinals.len() - 1] + u64::from(message)),
            Step::Reads { device, share } => {
                let seq = self.seq(share);
                let ordinal = self.ordinals[seq as usize];
                self.devices[device as usize].asked.push_back(Some((seq, ordinal)));
                self.tell(Input::Read { connection: Some(connection(device)), id: 1, room: room(5), seq, ordinal });
            }
            Step::MarksUnread { device, share } => {
                let from = share.map(|share| self.seq(share));
                self.devices[device as usize].asked.push_back(None);
                self.tell(Input::Unread { connection: connection(device), id: 1, room: room(5), from });
            }
            Step::Hears { device } => self.devices[device as usize].hear(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn five_devices_end_with_the_same_unread_count(steps in steps()) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.step(step));
        for device in &mut world.devices {
            while !device.inbox.is_empty() {
                device.hear();
            }
        }
        let own = world.core.room(room(5)).expect("a room of theirs");
        let head = world.ordinals[world.ordinals.len() - 1];
        prop_assert_eq!(world.ordinals[own.mark.seq as usize], own.mark.ordinal);
        for device in &world.devices {
            prop_assert_eq!((device.seq, device.unread_from), (own.mark.seq, own.unread_from));
            prop_assert_eq!(head - device.ordinal, head - own.mark.ordinal);
        }
    }
}
