//! Small histories, written line by line, for the tests of the rules.

use schema::client::{Act, Resume};
use schema::event::{Member, Message, RoomSettings};
use schema::{Cmid, DeviceId, ErrorCode, Event, EventBody, Role, RoomId, RoomKind, UserId};

use super::{Bounds, Rule, Verdict, check};
use crate::client::request;
use crate::history::{Claim, Entry, Line, Run, Seen};

/// One room, devices by number (device n is of user n), a clock that ticks with every line.
#[derive(Clone, Default)]
pub struct Script {
    pub lines: Vec<Line>,
    pub log: Vec<Event>,
}

pub fn room() -> RoomId {
    RoomId::from_bytes([7; 16])
}
pub fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}
pub fn cmid(n: u8) -> Cmid {
    Cmid::from_bytes([n; 16])
}
pub fn post(text: &str) -> Act {
    Act::Post { text: text.to_owned(), reply: None, origin: None }
}
pub fn said(text: &str) -> EventBody {
    EventBody::Message(Message { text: text.to_owned(), reply: None, origin: None })
}

impl Script {
    /// User 1 makes a room with user 2; they post three messages; both see all; device 2 reads a page.
    pub fn good() -> Self {
        let mut script = Self::talked();
        script.end(1, 4);
        script.end(2, 4);
        script
    }

    /// The same before its end.
    pub fn talked() -> Self {
        let mut script = Self::made();
        for (device, id) in [(1, 2), (2, 3), (1, 4)] {
            script.posted(device, id, "hi");
        }
        script.page(2, 1..=4, 4);
        script
    }

    /// The room alone, both devices in it.
    pub fn made() -> Self {
        let mut script = Self::default();
        (1..=2).for_each(|device| script.add(device, Entry::Hello { resume: Vec::new() }));
        (1..=2).for_each(|device| script.add(device, Entry::Ready { heads: Vec::new() }));
        let (kind, settings) = (RoomKind::Group, RoomSettings::default());
        script.sent(1, 1, Act::Create { kind, settings: settings.clone(), members: vec![user(2)] });
        let members = [(1, Role::Owner), (2, Role::Member)].map(|(n, role)| Member { user: user(n), role });
        script.logged(1, 1, EventBody::Created { kind, settings, members: members.to_vec() });
        script.acked(1, 1, 1);
        (1..=2).for_each(|device| script.delivered(device, 1));
        script
    }

    pub fn now(&self) -> u64 {
        self.lines.len() as u64 * 10
    }

    pub fn add(&mut self, device: u8, entry: Entry) {
        let now = self.now();
        self.lines.push(Line(now, Entry::Client { user: user(device), device: DeviceId::from_bytes([device; 16]) }));
        self.lines.push(Line(now, entry));
    }

    pub fn sent(&mut self, device: u8, id: u8, act: Act) {
        let order = schema::client::Order { id: 1, room: room(), cmid: cmid(id), after: 0, prev: None };
        self.add(device, Entry::Sent { request: request::frame(order, act) });
    }
    pub fn logged(&mut self, author: u8, id: u8, body: EventBody) {
        let seq = self.log.len() as u64 + 1;
        self.log.push(Event { room: room(), seq, ordinal: seq, at: seq, user: user(author), cmid: cmid(id), body });
    }
    pub fn acked(&mut self, device: u8, id: u8, seq: u64) {
        self.add(device, Entry::Acked { room: room(), cmid: cmid(id), seq: Some(seq) });
    }
    pub fn refused(&mut self, device: u8, id: u8, code: ErrorCode) {
        self.add(device, Entry::Refused { room: room(), cmid: cmid(id), code });
    }
    pub fn seen(&self, seq: u64) -> Seen {
        Seen::of(&self.log[seq as usize - 1])
    }
    pub fn delivered(&mut self, device: u8, seq: u64) {
        let seen = self.seen(seq);
        self.add(device, Entry::Delivered { room: room(), seen });
    }
    /// Sent, logged, delivered to devices 1 and 2, acknowledged.
    pub fn posted(&mut self, device: u8, id: u8, text: &str) {
        self.sent(device, id, post(text));
        self.logged(device, id, said(text));
        let seq = self.log.len() as u64;
        (1..=2).for_each(|device| self.delivered(device, seq));
        self.acked(device, id, seq);
    }
    /// A page that was asked for just now.
    pub fn page(&mut self, device: u8, seqs: std::ops::RangeInclusive<u64>, head: u64) {
        let (asked, from, to) = (self.now(), *seqs.start(), *seqs.end());
        let seen = seqs.map(|seq| self.seen(seq)).collect();
        self.add(device, Entry::Page { room: room(), asked, fill: true, from, to, head, seen });
    }
    pub fn hello(&mut self, device: u8, have: u64, head: u64) {
        self.add(device, Entry::Lost {});
        self.add(device, Entry::Hello { resume: vec![Resume { room: room(), seq: have }] });
        self.add(device, Entry::Ready { heads: vec![Resume { room: room(), seq: head }] });
    }
    pub fn end(&mut self, device: u8, have: u64) {
        self.add(device, Entry::End { unknown: Vec::new(), have: vec![Resume { room: room(), seq: have }] });
    }
    pub fn end_unknown(&mut self, device: u8, id: u8, have: u64) {
        let unknown = vec![Claim { room: room(), cmid: cmid(id) }];
        self.add(device, Entry::End { unknown, have: vec![Resume { room: room(), seq: have }] });
    }

    pub fn run(&self) -> Run {
        let head = self.log.len() as u64;
        let last = Line(self.now(), Entry::Final { room: room(), base: 0, head, events: self.log.clone() });
        Run::of(self.lines.iter().cloned().chain([last]))
    }
    pub fn verdict(&self) -> Verdict {
        check(&self.run(), Bounds::default())
    }

    /// Asserts that the rule is broken.
    pub fn breaks(&self, rule: Rule) {
        let verdict = self.verdict();
        assert!(verdict.broke(rule), "{rule:?} should be broken:\n{verdict}");
    }
    /// Asserts that the rule holds, whatever the others say.
    pub fn keeps(&self, rule: Rule) {
        let verdict = self.verdict();
        assert!(!verdict.broke(rule), "{rule:?} should hold:\n{verdict}");
    }
    /// Changes the entries that `edit` wants to change.
    pub fn edited(mut self, mut edit: impl FnMut(&mut Entry)) -> Self {
        self.lines.iter_mut().for_each(|line| edit(&mut line.1));
        self
    }
}
