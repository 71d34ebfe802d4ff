//! Pure. Ordered requests to and from their wire form.

use schema::client::{self, Act, Order};
use schema::{ClientEvent, EventBody, UserId};

/// The frame that asks for `act`. Imports' `origin` has no place on a client's wire and is dropped.
pub fn frame(order: Order, act: Act) -> ClientEvent {
    let Order { id, room, cmid, after, prev } = order;
    match act {
        Act::Post { text, reply, origin: _ } => ClientEvent::Post(client::Post { id, room, cmid, after, prev, text, reply }),
        Act::Edit { target, text } => ClientEvent::Edit(client::Edit { id, room, cmid, after, prev, target, text }),
        Act::Delete { target, reason } => ClientEvent::Delete(client::Delete { id, room, cmid, after, prev, target, reason }),
        Act::React { target, emoji, on } => ClientEvent::React(client::React { id, room, cmid, after, prev, target, emoji, on }),
        Act::Pin { target, on } => ClientEvent::Pin(client::Pin { id, room, cmid, after, prev, target, on }),
        Act::Join => ClientEvent::Join(client::Join { id, room, cmid, after, prev }),
        Act::Leave => ClientEvent::Leave(client::Leave { id, room, cmid, after, prev }),
        Act::Invite { user } => ClientEvent::Invite(client::Invite { id, room, cmid, after, prev, user }),
        Act::Kick { user } => ClientEvent::Kick(client::Kick { id, room, cmid, after, prev, user }),
        Act::Role { user, role } => ClientEvent::Role(client::SetRole { id, room, cmid, after, prev, user, role }),
        Act::Create { kind, settings, members } => {
            ClientEvent::Create(client::Create { id, room, cmid, after, prev, kind, settings, members })
        }
        Act::Settings { settings } => ClientEvent::Settings(client::Settings { id, room, cmid, after, prev, settings }),
    }
}

/// The order and the act of a frame, when it is an ordered one.
pub fn parts(frame: &ClientEvent) -> Option<(Order, Act)> {
    Some(match frame.clone() {
        ClientEvent::Post(it) => it.into_parts(),
        ClientEvent::Edit(it) => it.into_parts(),
        ClientEvent::Delete(it) => it.into_parts(),
        ClientEvent::React(it) => it.into_parts(),
        ClientEvent::Pin(it) => it.into_parts(),
        ClientEvent::Join(it) => it.into_parts(),
        ClientEvent::Leave(it) => it.into_parts(),
        ClientEvent::Invite(it) => it.into_parts(),
        ClientEvent::Kick(it) => it.into_parts(),
        ClientEvent::Role(it) => it.into_parts(),
        ClientEvent::Create(it) => it.into_parts(),
        ClientEvent::Settings(it) => it.into_parts(),
        _ => return None,
    })
}

/// Whether `body` is what `act`, asked for by `sender`, had to become.
pub fn became(act: &Act, sender: UserId, body: &EventBody) -> bool {
    match (act, body) {
        (Act::Post { text, reply, origin }, EventBody::Message(m)) => m.text == *text && m.reply == *reply && m.origin == *origin,
        (Act::Edit { target, text }, EventBody::Edit { target: at, text: now }) => target == at && text == now,
        (Act::Delete { target, .. }, EventBody::Delete { target: at, .. }) => target == at,
        (Act::React { target, emoji, on }, EventBody::React { target: at, emoji: with, on: now }) => {
            target == at && emoji == with && on == now
        }
        (Act::Pin { target, on }, EventBody::Pin { target: at, on: now }) => target == at && on == now,
        (Act::Join, EventBody::Member { user, role, .. }) => *user == sender && role.is_some(),
        (Act::Leave, EventBody::Member { user, role, .. }) => *user == sender && role.is_none(),
        (Act::Invite { user }, EventBody::Member { user: whom, role, .. }) => user == whom && role.is_some(),
        (Act::Kick { user }, EventBody::Member { user: whom, role, .. }) => user == whom && role.is_none(),
        (Act::Role { user, role }, EventBody::Member { user: whom, role: now, .. }) => user == whom && *now == Some(*role),
        (Act::Create { kind, members, .. }, EventBody::Created { kind: made, members: all, .. }) => {
            kind == made && members.iter().all(|user| all.iter().any(|member| member.user == *user))
        }
        (Act::Settings { settings }, EventBody::Settings(now)) => settings == now,
        _ => false,
    }
}
