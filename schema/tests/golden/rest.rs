//! The bodies of the REST API. JSON alone: nothing else speaks it.

use schema::client::Status;
use schema::rest::*;
use schema::{EventBody, Role, RoomKind, RoomSettings};
use serde::{Serialize, de::DeserializeOwned};

use super::event::settings;
use super::files;
use super::sample::*;
use super::server::{bare_room_state, room_state};

/// The folder is read back type by type: several files may be of one.
fn check<T: Serialize + DeserializeOwned + PartialEq>(name: &str, sample: &T) {
    files::check_json("rest", name, sample);
}

#[test]
fn every_body_that_is_asked_is_written_and_read_as_ever() {
    let (name, password, device, label) = ("Ann".to_owned(), "correct horse".to_owned(), device(), "Firefox on Linux".to_owned());
    check(
        "sign_up",
        &SignUp { name: name.clone(), display: "Ann B.".into(), password: password.clone(), device, label: label.clone(), invite: None },
    );
    let (display, invite) = (String::new(), Some("hi_code".to_owned()));
    check("sign_up_invited", &SignUp { name: name.clone(), display, password: password.clone(), device, label: label.clone(), invite });
    check("log_in", &LogIn { name, password, device, label });
    check("refresh", &Refresh { refresh: Some("hr_token".into()), device: None });
    check("refresh_of_a_device", &Refresh { refresh: Some("hr_token".into()), device: Some(device) });
    check("make_invite", &MakeInvite { uses: 5, days: 30, note: "the team".into() });
    check("refresh_of_a_browser", &Refresh { refresh: None, device: None });
    check("change_password", &ChangePassword { old: "correct horse".into(), new: "battery staple".into() });
    check("change_profile", &ChangeProfile { display: "Ann".into() });
    let (kind, members) = (RoomKind::Channel, vec![bob()]);
    check("create_room", &CreateRoom { room: Some(room()), kind, settings: settings(), members: members.clone() });
    check("create_room_direct", &CreateRoom { room: None, kind: RoomKind::Direct, settings: RoomSettings::default(), members });
    check("post_message", &PostMessage { text: TEXT.into(), reply: Some(3), after: Some(41) });
    check("post_message_bare", &PostMessage { text: "hi".into(), reply: None, after: None });
    check("edit_message", &EditMessage { text: TEXT.into() });
    check("put_member", &PutMember { role: Some(Role::Moderator) });
    check("put_member_invite", &PutMember { role: None });
    check("put_read", &PutRead { seq: 41, ordinal: 30 });
}

#[test]
fn every_body_that_is_told_about_people_is_written_and_read_as_ever() {
    let tokens = Tokens { user: ann(), login: login(), access: "jwt".into(), expires_in_s: 600, refresh: Some("hr_token".into()) };
    check("tokens_of_a_browser", &Tokens { refresh: None, ..tokens.clone() });
    check("tokens", &tokens);
    check("ticket", &Ticket { ticket: "ht_once".into(), expires_in_s: 30 });
    let profile =
        Profile { id: ann(), name: "Ann".into(), display: "Ann B.".into(), admin: true, status: Status::Offline, last_seen: Some(AT) };
    check("profiles", &Profiles { users: vec![profile.clone()] });
    check("profile", &profile);
    let (label, address) = ("Firefox on Linux".into(), "192.0.2.7".into());
    let device = Device { login: login(), device: device(), label, address, created_at: AT, last_used: AT + 1, current: true };
    let (id, note) = (schema::InviteId::from_bytes([0xab; 16]), "the team".to_owned());
    let invite = InviteEntry { id, note, created_at: AT, expires_at: AT + 1, uses: 1, uses_max: 5 };
    check("invites", &Invites { invites: vec![invite.clone()] });
    check("made_invite", &MadeInvite { code: "hi_code".into(), invite: invite.clone() });
    check("invite_entry", &invite);
    check("devices", &Devices { devices: vec![device.clone()] });
    check("device", &device);
    check(
        "problem",
        &Problem {
            r#type: "about:blank".into(),
            title: "not_member".into(),
            status: 403,
            code: "not_member".into(),
            number: 1202,
            detail: "you are not a member of this room".into(),
            temporary: false,
            request: Some("r1".into()),
        },
    );
}

#[test]
fn every_body_that_is_told_about_rooms_is_written_and_read_as_ever() {
    check("rooms", &Rooms { rooms: vec![room_state(), bare_room_state()] });
    let entry = MemberEntry { user: bob(), role: Role::Guest };
    check("members", &Members { members: vec![entry.clone()], cursor: Some("c".into()) });
    check("member_entry", &entry);
    let entry = ChannelEntry { room: room(), settings: settings(), joined: true };
    check("channels", &Channels { channels: vec![entry.clone()], cursor: None });
    check("channel_entry", &entry);
    let events = vec![event(3, 1, EventBody::Erased)];
    let marks = vec![event(5, 1, EventBody::Pin { target: 3, on: true })];
    check("pins", &Pins { events: events.clone(), marks: marks.clone(), cursor: Some("c".into()) });
    check("page", &Page { room: room(), from: 3, to: 3, head: 41, ordinal: 30, events, marks });
    check("landed", &Landed { room: room(), cmid: cmid(), seq: 42, ordinal: 31, at: AT });
    let entry = ReceiptEntry { user: bob(), seq: 40, delivered: 41 };
    check("receipts", &Receipts { receipts: vec![entry.clone()], cursor: None });
    check("receipt_entry", &entry);
}

#[test]
fn every_body_has_a_golden_file() {
    let source = include_str!("../../src/rest.rs");
    let names = source.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(" {").map(|(name, _)| name));
    let bodies: Vec<&str> = names
        .filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric()))
        .collect();
    assert!(bodies.len() > 25, "the bodies are found by their spelling: {bodies:?}");
    for body in bodies {
        let mut file = String::new();
        for letter in body.chars() {
            if letter.is_ascii_uppercase() && !file.is_empty() {
                file.push('_');
            }
            file.push(letter.to_ascii_lowercase());
        }
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("golden/rest/{file}.json"));
        assert!(path.exists() || std::env::var_os("GOLDEN_WRITE").is_some(), "golden/rest/{file}.json is missing: give {body} a sample");
    }
}
