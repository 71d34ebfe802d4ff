//! What is stored. MessagePack alone: nobody else reads it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use schema::record::*;
use schema::{EventBody, Role, RoomKind, SlotId};

use super::event::settings;
use super::files;
use super::sample::*;

thread_local! {
    static SEEN: RefCell<BTreeSet<Table>> = const { RefCell::new(BTreeSet::new()) };
}

/// The value, and where it lies: a key that changes would lose the row.
fn check<R: Record + PartialEq>(name: &str, sample: &R) {
    SEEN.with_borrow_mut(|seen| seen.insert(R::TABLE));
    files::check_msgpack("record", name, sample);
    let key = sample.key();
    files::check_msgpack("record_key", name, &(key.table.name().to_owned(), key.table as u8, key.partition, key.sort));
}

#[test]
fn every_record_is_written_read_and_found_as_ever() {
    said();
    places();
    people();
    markers();
    SEEN.with_borrow(|seen| {
        for table in Table::ALL {
            assert!(seen.contains(table), "a record of {} has no sample", table.name());
        }
    });
}

fn said() {
    let message = EventBody::Message(schema::event::Message { text: TEXT.into(), reply: Some(1), origin: None });
    check("history_row", &HistoryRow(event(4097, 4000, message)));
    check("history_row_erased", &HistoryRow(event(4096, 4000, EventBody::Erased)));
    check("annotation_edit", &Annotation(event(9, 4, EventBody::Edit { target: 3, text: TEXT.into() })));
    check("annotation_delete", &Annotation(event(9, 4, EventBody::Delete { target: 3, reason: Some("spam".into()) })));
    check("annotation_react", &Annotation(event(9, 4, EventBody::React { target: 3, emoji: "👍".into(), on: true })));
    check("annotation_pin", &Annotation(event(9, 4, EventBody::Pin { target: 3, on: true })));
    check("request_key", &RequestKey { room: room(), user: ann(), cmid: cmid(), seq: 42, at: AT });
}

fn places() {
    let (room, slot) = (room(), SlotId(255));
    check("member_row", &MemberRow { room, user: bob(), role: Role::Guest, seq: 5 });
    check("room_row", &RoomRow { room, kind: RoomKind::Direct, pair: Some((ann(), bob())) });
    check("settings_row", &SettingsRow { room, settings: settings() });
    check("room_head", &RoomHead { slot, room, head: 41, ordinal: 30, at: AT });
    check("room_list_entry", &RoomListEntry { user: ann(), room, role: Role::Owner, seq: 1 });
    check("channel", &Channel { workspace: workspace(), room, settings: settings(), seq: 1 });
    check("channel_name", &ChannelName { workspace: workspace(), name: "Garden".into(), room });
    check("room_size", &RoomSize { room, members: 100_000 });
    check("watermark", &Watermark { slot, block: 1 << 40 });
    check("installation", &Installation { id: installation(), created_at: AT });
    check("last_grant", &LastGrant { grant: 1 << 40 });
    check("import_cursor", &ImportCursor { name: "0f".repeat(32), lines: 18_341, head: 18_342 });
}

fn people() {
    let user = ann();
    check("user", &User { id: user, name: "Ann".into(), display: "Ann B.".into(), admin: true, created_at: AT, last_seen: Some(AT) });
    check("username", &Username { name: "Ann".into(), user });
    check("credential", &Credential { user, password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into(), changed_at: AT });
    check(
        "login",
        &Login {
            user,
            id: login(),
            device: device(),
            label: "Firefox on Linux".into(),
            address: "192.0.2.7".into(),
            created_at: AT,
            last_used: AT + 1,
            expires_at: AT + 2,
            token_hash: [0xab; 32],
            rotation: 3,
            revoked: true,
            previous: None,
        },
    );
    let previous = Some(Previous { token_hash: [0xcd; 32], salt: [0xef; 32], at: AT });
    check(
        "login_rotated",
        &Login {
            user,
            id: login(),
            device: device(),
            label: String::new(),
            address: "192.0.2.7".into(),
            created_at: AT,
            last_used: AT,
            expires_at: AT,
            token_hash: [0xab; 32],
            rotation: 1,
            revoked: false,
            previous,
        },
    );
    let (id, code_hash, note, made_by) = (schema::InviteId::from_bytes([0xab; 16]), [0xab; 32], "for Bob".into(), Some(ann()));
    check("invite", &Invite { id, code_hash, note, made_by, created_at: AT, expires_at: AT + 1, uses: 1, uses_max: 2 });
    check("disabled", &Disabled { user, since: AT });
    check("revocation", &Revocation { login: login(), user, until: AT });
    check("signing_key", &SigningKey { kid: "k1".into(), pkcs8: vec![0x30, 0x2e, 0x02, 0x01], created_at: AT, retired_at: Some(AT) });
}

fn markers() {
    let (user, room) = (ann(), room());
    check("marker", &Marker { user, room, seq: 41, ordinal: 30 });
    check("receipt", &Receipt { room, user, seq: 40, delivered: 41 });
    check("draft_row", &DraftRow { user, room, text: TEXT.into(), unread_from: Some(3) });
    check("chosen", &Chosen { user, status: schema::client::Status::Invisible });
    check("mention_row", &MentionRow { user, room, seq: 42 });
}
