//! The tables of limits, errors and close codes, as the documents show them. Their content is the schema crate's.

use schema::{CloseCode, limits};

macro_rules! limits_table {
    ($($name:ident: $sentence:literal;)*) => {
        /// The limits that a client meets: name, value, what it bounds.
        pub const LIMITS: &[(&str, u64, &str)] = &[$((stringify!($name), limits::$name as u64, $sentence),)*];
    };
}

limits_table! {
    MESSAGE_BYTES_MAX: "A whole WebSocket message that a client sends, after reassembly.";
    TEXT_BYTES_MAX: "The text of a message, and of a draft.";
    REASON_BYTES_MAX: "The reason of a deletion.";
    EMOJI_BYTES_MAX: "The emoji of a reaction.";
    NAME_BYTES_MAX: "The name of a room, and the name that people see of a user.";
    TOPIC_BYTES_MAX: "The topic of a room.";
    USERNAME_BYTES_MAX: "The name that a user signs in with.";
    PASSWORD_BYTES_MIN: "A password has at least this many bytes.";
    PASSWORD_BYTES_MAX: "A password has at most this many bytes.";
    SIGNAL_BYTES_MAX: "The data of a signal.";
    CREATE_MEMBERS_MAX: "People named at once when a room is made.";
    REQUESTS_IN_FLIGHT_MAX: "Requests of one connection that are not answered yet; more wait unread.";
    WATCH_MAX: "People in one `watch`.";
    PAGE_DEFAULT: "Events of a history page when no limit is asked for.";
    PAGE_MAX: "Events of a history page.";
    RESUME_ROOM_EVENTS_MAX: "Events of one room that follow `ready` by themselves; more is a `gap`.";
    RESUME_EVENTS_MAX: "Events that follow one `ready` by themselves, in all rooms together.";
    RESUME_BYTES_MAX: "The same in bytes.";
    CMID_SCAN_MAX: "Events after `after` that are looked through for a cmid; beyond: `expired_id`.";
}

/// What a close code is called in generated code: its variant in snake case.
pub fn close_name(code: CloseCode) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
