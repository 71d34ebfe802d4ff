//! Pure. What several rules look up: requests with their answers, and who saw what.

use std::collections::HashMap;

use schema::client::Act;
use schema::{Cmid, ErrorCode, Event, RoomId, UserId};

use crate::client::request;
use crate::history::{Claim, Device, Entry, Run, Seen};

pub struct Index<'a> {
    pub run: &'a Run,
    pub asked: HashMap<Claim, Asked>,
    /// Where each cmid is in the final logs.
    pub landed: HashMap<Claim, Vec<u64>>,
}

/// A request, and all that was answered to it.
pub struct Asked {
    pub device: usize,
    pub user: UserId,
    pub act: Act,
    /// When it was first sent, and as which of the device's requests.
    pub sent_us: u64,
    pub place: usize,
    pub answers: Vec<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub at_us: u64,
    pub is: Is,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    Acked(Option<u64>),
    Refused(ErrorCode),
}

impl Asked {
    pub fn is_acked(&self) -> bool {
        self.acks().next().is_some()
    }
    /// When, and which seq was said.
    pub fn acks(&self) -> impl Iterator<Item = (u64, Option<u64>)> {
        self.answers.iter().filter_map(|answer| match answer.is {
            Is::Acked(seq) => Some((answer.at_us, seq)),
            Is::Refused(_) => None,
        })
    }
}

/// One look of a device at an event.
pub struct Sighting<'a> {
    pub device: &'a Device,
    pub room: RoomId,
    pub seen: Seen,
}

impl<'a> Index<'a> {
    pub fn of(run: &'a Run) -> Self {
        let mut asked: HashMap<Claim, Asked> = HashMap::new();
        for (number, device) in run.devices.iter().enumerate() {
            let mut sent = 0;
            for line in &device.lines {
                let (claim, is) = match &line.1 {
                    Entry::Sent { request } => {
                        let Some((order, act)) = request::parts(request) else { continue };
                        let claim = Claim { room: order.room, cmid: order.cmid };
                        let (user, sent_us, place) = (device.user, line.0, sent);
                        sent += 1;
                        asked.entry(claim).or_insert_with(|| Asked { device: number, user, act, sent_us, place, answers: Vec::new() });
                        continue;
                    }
                    Entry::Acked { room, cmid, seq } => (Claim { room: *room, cmid: *cmid }, Is::Acked(*seq)),
                    Entry::Refused { room, cmid, code } => (Claim { room: *room, cmid: *cmid }, Is::Refused(*code)),
                    _ => continue,
                };
                if let Some(asked) = asked.get_mut(&claim) {
                    asked.answers.push(Answer { at_us: line.0, is });
                }
            }
        }
        let mut landed: HashMap<Claim, Vec<u64>> = HashMap::new();
        for (room, end) in &run.rooms {
            for event in &end.events {
                landed.entry(Claim { room: *room, cmid: event.cmid }).or_default().push(event.seq);
            }
        }
        Self { run, asked, landed }
    }

    pub fn event(&self, room: RoomId, seq: u64) -> Option<&'a Event> {
        let events = &self.run.rooms.get(&room)?.events;
        let place = events.binary_search_by_key(&seq, |event| event.seq).ok()?;
        events.get(place)
    }

    /// Everything that any device saw, in each device's order.
    pub fn sightings(&self) -> impl Iterator<Item = Sighting<'a>> {
        self.run.devices.iter().flat_map(|device| {
            device.lines.iter().flat_map(move |line| {
                let (room, seen) = match &line.1 {
                    Entry::Delivered { room, seen } => (*room, std::slice::from_ref(seen)),
                    Entry::Page { room, seen, .. } => (*room, seen.as_slice()),
                    _ => (RoomId::default(), [].as_slice()),
                };
                seen.iter().map(move |seen| Sighting { device, room, seen: *seen })
            })
        })
    }

    /// Every ack with a seq: the claim, the device, when, which.
    pub fn acks(&self) -> impl Iterator<Item = (Claim, usize, u64, u64)> {
        self.asked.iter().flat_map(|(claim, asked)| asked.acks().filter_map(move |(at_us, seq)| Some((*claim, asked.device, at_us, seq?))))
    }

    /// Of each room, the acks by time: (when, the highest seq acknowledged until then); `whose` narrows to a device.
    pub fn acked_until(&self, whose: Option<usize>) -> HashMap<RoomId, Vec<(u64, u64)>> {
        let mut rooms: HashMap<RoomId, Vec<(u64, u64)>> = HashMap::new();
        for (claim, device, at_us, seq) in self.acks() {
            if whose.is_none_or(|only| only == device) {
                rooms.entry(claim.room).or_default().push((at_us, seq));
            }
        }
        for acks in rooms.values_mut() {
            acks.sort_unstable();
            let mut highest = 0;
            for (_, seq) in acks {
                highest = highest.max(*seq);
                *seq = highest;
            }
        }
        rooms
    }
}

/// The highest seq of such a list before a time.
pub fn highest_before(acks: Option<&Vec<(u64, u64)>>, time_us: u64) -> u64 {
    let Some(acks) = acks else { return 0 };
    let count = acks.partition_point(|(at_us, _)| *at_us < time_us);
    count.checked_sub(1).map_or(0, |last| acks[last].1)
}

/// Short names for findings.
pub fn name(room: RoomId, seq: u64) -> String {
    format!("room {room}, seq {seq}")
}
pub fn request(cmid: Cmid) -> String {
    format!("request {cmid}")
}
