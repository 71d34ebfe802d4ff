//! Pure. A whole message to a `ClientEvent`, or the refusal that its sender gets; the lengths that the protocol states.
//!
//! Says nothing about who may do what: that is the rooms' and sessions'.

use std::collections::HashMap;

use schema::client::{ClientEvent, Create, Settings};
use schema::limits as bound;
use schema::server::Refusal;
use schema::wire::Format;
use schema::{ErrorCode, RoomSettings};
use serde::Deserialize;

/// What a lot does with an event, apart from handing it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The request's number; `None`: it is not answered.
    pub id: Option<u32>,
    /// Counts against the user's rate.
    pub is_rated: bool,
}

pub fn decode(format: Format, bytes: &[u8]) -> Result<ClientEvent, Refusal> {
    let event: ClientEvent = format.decode(bytes).map_err(|error| {
        // Of what is inside an event the error names the field first.
        let code = if error.0.starts_with("unknown variant") { ErrorCode::UnknownEvent } else { ErrorCode::BadRequest };
        Refusal { message: error.0, ..Refusal::new(id_in(format, bytes), code) }
    })?;
    match overlong(&event) {
        None => Ok(event),
        Some(what) => {
            let message = format!("{what} is longer than the limit");
            Err(Refusal { message, ..Refusal::new(manner(&event).id.unwrap_or(0), ErrorCode::TooLong) })
        }
    }
}

/// The `id` in an event that is not understood otherwise; 0 when there is none.
fn id_in(format: Format, bytes: &[u8]) -> u32 {
    #[derive(Deserialize)]
    struct Numbered {
        id: u32,
    }
    let event = format.decode::<HashMap<String, Numbered>>(bytes).unwrap_or_default();
    event.into_values().next().map_or(0, |event| event.id)
}

pub fn manner(event: &ClientEvent) -> Manner {
    let (id, is_rated) = match event {
        ClientEvent::Hello(_) => (None, false),
        ClientEvent::Post(e) => (Some(e.id), true),
        ClientEvent::Edit(e) => (Some(e.id), true),
        ClientEvent::Delete(e) => (Some(e.id), true),
        ClientEvent::React(e) => (Some(e.id), true),
        ClientEvent::Pin(e) => (Some(e.id), true),
        ClientEvent::Join(e) => (Some(e.id), true),
        ClientEvent::Leave(e) => (Some(e.id), true),
        ClientEvent::Invite(e) => (Some(e.id), true),
        ClientEvent::Kick(e) => (Some(e.id), true),
        ClientEvent::Role(e) => (Some(e.id), true),
        ClientEvent::Create(e) => (Some(e.id), true),
        ClientEvent::Settings(e) => (Some(e.id), true),
        // Markers only rise and are conflated: a client may send them as it reads.
        ClientEvent::Read(e) => (Some(e.id), false),
        ClientEvent::Unread(e) => (Some(e.id), true),
        ClientEvent::Delivered(_) => (None, false),
        ClientEvent::Draft(e) => (Some(e.id), true),
        ClientEvent::Typing(_) => (None, true),
        ClientEvent::Presence(e) => (Some(e.id), true),
        ClientEvent::Watch(e) => (Some(e.id), true),
        ClientEvent::History(e) => (Some(e.id), false),
        ClientEvent::StateHash(e) => (Some(e.id), false),
        ClientEvent::Signal(_) => (None, true),
        ClientEvent::Ping(e) => (Some(e.id), false),
    };
    Manner { id, is_rated }
}

/// What is too long, as its name in the protocol.
fn overlong(event: &ClientEvent) -> Option<&'static str> {
    let over = |text: &str, bytes_max: usize| text.len() > bytes_max;
    match event {
        ClientEvent::Post(e) if over(&e.text, bound::TEXT_BYTES_MAX) => Some("`text`"),
        ClientEvent::Edit(e) if over(&e.text, bound::TEXT_BYTES_MAX) => Some("`text`"),
        ClientEvent::Draft(e) if over(&e.text, bound::TEXT_BYTES_MAX) => Some("`text`"),
        ClientEvent::Delete(e) if over(e.reason.as_deref().unwrap_or(""), bound::REASON_BYTES_MAX) => Some("`reason`"),
        ClientEvent::React(e) if over(&e.emoji, bound::EMOJI_BYTES_MAX) => Some("`emoji`"),
        ClientEvent::Signal(e) if over(&e.data, bound::SIGNAL_BYTES_MAX) => Some("`data`"),
        ClientEvent::Signal(e) if over(&e.kind, bound::NAME_BYTES_MAX) => Some("`kind`"),
        ClientEvent::Watch(e) if e.users.len() > bound::WATCH_MAX => Some("`users`"),
        ClientEvent::Create(Create { members, .. }) if members.len() > bound::CREATE_MEMBERS_MAX => Some("`members`"),
        ClientEvent::Create(Create { settings, .. }) | ClientEvent::Settings(Settings { settings, .. }) => overlong_settings(settings),
        _ => None,
    }
}

fn overlong_settings(settings: &RoomSettings) -> Option<&'static str> {
    if settings.name.len() > bound::NAME_BYTES_MAX {
        return Some("`name`");
    }
    (settings.topic.len() > bound::TOPIC_BYTES_MAX).then_some("`topic`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (u32, ErrorCode, String) {
        let refusal = decode(Format::Json, text.as_bytes()).unwrap_err();
        (refusal.id, refusal.code, refusal.message)
    }

    #[test]
    fn a_refusal_names_the_request_and_what_is_wrong() {
        let (id, code, message) = refused(r#"{"ping":{"id":7,"extra":true}}"#);
        assert_eq!((id, code), (7, ErrorCode::BadRequest));
        assert!(message.contains("unknown field `extra`"), "{message}");
        let (id, code, message) = refused(r#"{"dance":{"id":8}}"#);
        assert_eq!((id, code), (8, ErrorCode::UnknownEvent));
        assert!(message.contains("unknown variant `dance`"), "{message}");
        let (id, code, message) = refused(r#"{"presence":{"id":9,"status":"zzz"}}"#);
        assert_eq!((id, code), (9, ErrorCode::BadRequest));
        assert!(message.starts_with("field `status`: unknown variant `zzz`"), "{message}");
        assert_eq!(refused("[1,2]").0, 0);
        assert_eq!(refused(r#"{"ping":{"id":-1}}"#).0, 0);
        assert_eq!(refused(r#"{"post":{"id":4294967296}}"#).0, 0);
    }

    #[test]
    fn one_byte_over_is_too_long() {
        let post = |bytes: usize| {
            format!(r#"{{"post":{{"id":3,"room":"{0}","cmid":"{0}","text":"{1}"}}}}"#, schema::RoomId::default(), "x".repeat(bytes))
        };
        assert!(decode(Format::Json, post(bound::TEXT_BYTES_MAX).as_bytes()).is_ok());
        let (id, code, message) = refused(&post(bound::TEXT_BYTES_MAX + 1));
        assert_eq!((id, code, message.as_str()), (3, ErrorCode::TooLong, "`text` is longer than the limit"));
    }
}
