//! Pure. Whether a request was done before: what is remembered says it mostly, else a bounded stretch of history.
//!
//! What was asked can only be in the room after `after`, the head that the client knew when it first sent it.

use schema::client::Act;
use schema::{ErrorCode, Event, EventBody, limits};

use super::core::{Ask, Need, State};

/// How far back a request of somebody who is no member is looked for: enough for a resend around a kick, too little to
/// make the node work, or to tell how old a room is.
const STRANGER_SCAN_MAX: u64 = 1_000;

pub enum LookUp {
    /// What is remembered, or was searched, is all there can be.
    Enough,
    Need(Need),
    Refuse(ErrorCode),
}

/// `searched`: history up to there was searched already.
pub fn look_up(state: &State, ask: &Ask, searched: Option<u64>) -> LookUp {
    let (user, cmid, prev) = (ask.user, ask.order.cmid, ask.order.prev);
    let forgotten = state.recent_first().map_or(state.head, |first| first - 1);
    let (from, upto, by_key) = match &ask.act {
        // Asked twice it changes nothing; and who joins cannot know the head. What it has to come after is looked for all the same.
        Act::Join if prev.is_none() => return LookUp::Enough,
        // Only a room's first event makes it.
        Act::Create { .. } => (1, forgotten.min(1), false),
        _ if cmid.0.get_version_num() == 8 => (forgotten + 1, forgotten, true),
        _ => (ask.order.after + 1, forgotten, false),
    };
    if by_key {
        let is_done = searched.is_some() || forgotten == 0;
        return if is_done { LookUp::Enough } else { LookUp::Need(Need::Search { from, upto, user, cmid, prev, by_key }) };
    }
    let from = from.max(searched.map_or(0, |upto| upto + 1));
    let events = (upto + 1).saturating_sub(from);
    let is_stranger = state.members.role(user).is_none();
    match events {
        0 => LookUp::Enough,
        _ if is_stranger && events > STRANGER_SCAN_MAX => LookUp::Refuse(ErrorCode::NotFound),
        _ if events > limits::CMID_SCAN_MAX => LookUp::Refuse(ErrorCode::ExpiredId),
        _ => LookUp::Need(Need::Search { from, upto, user, cmid, prev, by_key }),
    }
}

/// Whether the event is what this request asks for. An erased one counts as the same: its body is gone, its cmid is not.
pub fn is_same(event: &Event, ask: &Ask) -> bool {
    if event.user != ask.user {
        return false;
    }
    match (&event.body, &ask.act) {
        (EventBody::Erased, _) => true,
        (EventBody::Message(m), Act::Post { text, reply, .. }) => m.text == *text && m.reply == *reply,
        (EventBody::Edit { target: t, text: x }, Act::Edit { target, text }) => t == target && x == text,
        (EventBody::Delete { target: t, .. }, Act::Delete { target, .. }) => t == target,
        (EventBody::React { target: t, emoji: e, on: o }, Act::React { target, emoji, on }) => t == target && e == emoji && o == on,
        (EventBody::Pin { target: t, on: o }, Act::Pin { target, on }) => t == target && o == on,
        (EventBody::Member { user, role: Some(_), .. }, Act::Join) => *user == ask.user,
        (EventBody::Member { user, role: None, .. }, Act::Leave) => *user == ask.user,
        (EventBody::Member { user: u, role: Some(_), .. }, Act::Invite { user }) => u == user,
        (EventBody::Member { user: u, role: None, .. }, Act::Kick { user }) => u == user,
        (EventBody::Member { user: u, role: Some(r), .. }, Act::Role { user, role }) => u == user && r == role,
        (EventBody::Settings(s), Act::Settings { settings }) => s == settings,
        (EventBody::Created { kind: k, .. }, Act::Create { kind, .. }) => k == kind,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use schema::client::Order;
    use schema::event::Message;
    use schema::{Cmid, Role, RoomId, RoomKind, UserId};
    use uuid::Uuid;

    use super::*;

    /// A room of 60,000 events, of which the last is remembered; user 1 is a member.
    fn room() -> State {
        let mut state = State::default();
        state.kind = Some(RoomKind::Group);
        state.members.set(user(1), Some(Role::Member), 1);
        let body = EventBody::Message(Message { text: "last".into(), reply: None, origin: None });
        let event = Event { room: RoomId::default(), seq: 60_000, ordinal: 1, at: 1, user: user(1), cmid: Cmid::default(), body };
        state.take(Arc::new(event), 60_000);
        state
    }
    fn user(n: u8) -> UserId {
        UserId::from_bytes([n; 16])
    }

    #[track_caller]
    fn check(who: u8, after: u64, act: Act, expected: &str) {
        let order = Order { id: 1, room: RoomId::default(), cmid: Cmid(Uuid::from_u128(7 << 76)), after, prev: None };
        let said = match look_up(&room(), &Ask { token: 1, user: user(who), order, act }, None) {
            LookUp::Enough => "enough".to_owned(),
            LookUp::Need(Need::Search { from, upto, .. }) => format!("search {from}..={upto}"),
            LookUp::Need(need) => format!("{need:?}"),
            LookUp::Refuse(code) => code.text().to_owned(),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn a_request_is_looked_for_where_it_can_be_and_no_further() {
        check(1, 59_999, Act::Leave, "enough");
        check(1, 59_000, Act::Leave, "search 59001..=59999");
        check(1, 9_999, Act::Leave, "search 10000..=59999");
        check(1, 9_998, Act::Leave, "expired_id");
    }

    #[test]
    fn a_room_of_any_age_can_be_joined_and_opened() {
        check(2, 0, Act::Join, "enough");
        let create = Act::Create { kind: RoomKind::Direct, settings: Default::default(), members: vec![] };
        check(1, 0, create, "search 1..=1");
    }

    #[test]
    fn a_stranger_makes_no_work_and_learns_no_age() {
        check(2, 59_500, Act::Leave, "search 59501..=59999");
        check(2, 0, Act::Leave, "not_found");
    }
}
