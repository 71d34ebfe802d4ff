//! Who may do what, as a table: one line an act, one word for what each role is told. `stranger` is no member.

use actors::room::core::Input;
use actors::room::{Ask, Core, Effect, Fact, Need, Outcome, State};
use schema::client::{Act, Order};
use schema::event::Message;
use schema::{Cmid, Event, EventBody, Role, RoomId, RoomKind, RoomSettings, UserId};

use crate::room::user;

const WORKSPACE: RoomId = RoomId::from_bytes([7; 16]);
const ROOM: RoomId = RoomId::from_bytes([9; 16]);
const ROLES: [Option<Role>; 5] = [None, Some(Role::Guest), Some(Role::Member), Some(Role::Moderator), Some(Role::Owner)];
/// Who asks; the others are in the room with the roles that their names say.
const ASKS: u8 = 1;
const GUEST: u8 = 11;
const MEMBER: u8 = 12;
const MODERATOR: u8 = 13;
const OWNER: u8 = 14;
const OUTSIDE: u8 = 15;

fn settings(kind: RoomKind) -> RoomSettings {
    let channel = kind == RoomKind::Channel;
    RoomSettings { name: "n".into(), public: channel, workspace: channel.then_some(WORKSPACE), ..RoomSettings::default() }
}

/// A room whose message 2 is the asker's own and 3 is a member's.
fn state(kind: RoomKind, role: Option<Role>, archived: bool) -> State {
    let mut state = State::default();
    (state.kind, state.settings) = (Some(kind), RoomSettings { archived, ..settings(kind) });
    let others = [(GUEST, Role::Guest), (MEMBER, Role::Member), (MODERATOR, Role::Moderator), (OWNER, Role::Owner)];
    others.into_iter().for_each(|(n, role)| state.members.set(user(n), Some(role), 1));
    state.members.set(user(ASKS), role, 1);
    for (seq, author) in [(1, OWNER), (2, ASKS), (3, MEMBER)] {
        let body = EventBody::Message(Message { text: "old".into(), reply: None, origin: None });
        let event = Event { room: ROOM, seq, ordinal: seq, at: seq, user: user(author), cmid: Cmid::default(), body };
        state.take(event.into(), 3);
    }
    state
}

/// What one role is told; needs are met: everybody but `OUTSIDE` is in the workspace.
fn told(kind: RoomKind, role: Option<Role>, archived: bool, act: Act) -> &'static str {
    let mut core = Core::new(ROOM, state(kind, role, archived));
    let order = Order { id: 0, room: ROOM, cmid: Cmid::from_bytes([3; 16]), after: 3, prev: None };
    let mut effects = Vec::new();
    core.handle(Input::Ask(Ask { token: 1, user: user(ASKS), order, act }), 10, &mut effects);
    while let Some(Effect::Learn { token, need: Need::WorkspaceRole { workspace, user: who } }) = effects.first() {
        let role = (*who != user(OUTSIDE)).then_some(Role::Member);
        let (token, fact) = (*token, Fact::WorkspaceRole { workspace: *workspace, user: *who, role });
        effects.clear();
        core.handle(Input::Learned { token, fact }, 10, &mut effects);
    }
    match effects.first() {
        Some(Effect::Submit(_)) => "yes",
        Some(Effect::Answer { outcome: Outcome::Refused(code), .. }) => code.text(),
        other => panic!("{other:?}"),
    }
}

fn act(words: &str, kind: RoomKind) -> Act {
    let post = |text: String| Act::Post { text, reply: None, origin: None };
    let who = |name: &str| -> UserId {
        let names =
            [("guest", GUEST), ("member", MEMBER), ("moderator", MODERATOR), ("owner", OWNER), ("outside", OUTSIDE), ("self", ASKS)];
        user(names.into_iter().find(|(n, _)| *n == name).expect("a name").1)
    };
    let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
    match (verb, rest) {
        ("post", "") => post("hi".into()),
        ("post", "nothing") => post(" ".into()),
        ("post", "too-much") => post("x".repeat(16 * 1024 + 1)),
        ("edit", target) => Act::Edit { target: if target == "own" { 2 } else { 3 }, text: "new".into() },
        ("delete", target) => Act::Delete { target: if target == "own" { 2 } else { 3 }, reason: None },
        ("react", "") => Act::React { target: 3, emoji: "+1".into(), on: true },
        ("react", "to-nothing") => Act::React { target: 99, emoji: "+1".into(), on: true },
        ("pin", _) => Act::Pin { target: 3, on: true },
        ("join", _) => Act::Join,
        ("leave", _) => Act::Leave,
        ("invite", name) => Act::Invite { user: who(name) },
        ("kick", name) => Act::Kick { user: who(name) },
        ("role", rest) => {
            let (name, role) = rest.split_once(' ').expect("who and what");
            let role = [("guest", Role::Guest), ("member", Role::Member), ("moderator", Role::Moderator), ("owner", Role::Owner)]
                .into_iter()
                .find(|(n, _)| *n == role)
                .expect("a role")
                .1;
            Act::Role { user: who(name), role }
        }
        ("settings", "") => Act::Settings { settings: settings(kind) },
        ("settings", "of-another-workspace") => Act::Settings { settings: RoomSettings { workspace: Some(ROOM), ..settings(kind) } },
        ("create", _) => Act::Create { kind, settings: settings(kind), members: Vec::new() },
        other => panic!("no such act: {other:?}"),
    }
}

/// A line: an act, then what stranger, guest, member, moderator and owner are told.
fn check(kind: RoomKind, archived: bool, table: &str) {
    let lines: Vec<&str> = table.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let printed: Vec<String> = lines
        .iter()
        .map(|line| {
            let words = line.split_once(':').expect("an act and what is told").0;
            let told: Vec<&str> = ROLES.iter().map(|role| told(kind, *role, archived, act(words, kind))).collect();
            format!("{words}: {}", told.join(" "))
        })
        .collect();
    crate::same(&printed, table);
}

#[test]
fn rules_of_a_group() {
    check(
        RoomKind::Group,
        false,
        "post: not_found yes yes yes yes
         post nothing: not_found bad_request bad_request bad_request bad_request
         post too-much: not_found too_long too_long too_long too_long
         edit own: not_found yes yes yes yes
         edit anothers: not_found forbidden forbidden forbidden forbidden
         delete own: not_found yes yes yes yes
         delete anothers: not_found forbidden forbidden yes yes
         react: not_found yes yes yes yes
         react to-nothing: not_found not_found not_found not_found not_found
         pin: not_found forbidden yes yes yes
         join: not_found yes yes yes yes
         leave: not_found yes yes yes yes
         invite outside: not_found forbidden yes yes yes
         kick guest: not_found forbidden forbidden yes yes
         kick moderator: not_found forbidden forbidden forbidden yes
         kick owner: not_found forbidden forbidden forbidden forbidden
         kick outside: not_found not_found not_found not_found not_found
         role member moderator: not_found forbidden forbidden forbidden yes
         role guest member: not_found forbidden forbidden yes yes
         role owner member: not_found forbidden forbidden forbidden yes
         settings: not_found forbidden forbidden yes yes
         settings of-another-workspace: not_found forbidden forbidden forbidden forbidden
         create: id_conflict id_conflict id_conflict id_conflict id_conflict",
    );
}

#[test]
fn rules_of_a_public_channel() {
    check(
        RoomKind::Channel,
        false,
        "post: not_found yes yes yes yes
         join: yes yes yes yes yes
         invite outside: not_found forbidden not_found not_found not_found",
    );
}

#[test]
fn rules_of_a_workspace_and_of_a_direct_room() {
    check(
        RoomKind::Workspace,
        false,
        "post: not_found forbidden forbidden forbidden forbidden\ninvite outside: not_found forbidden forbidden yes yes",
    );
    check(
        RoomKind::Direct,
        false,
        "post: not_found yes yes yes yes
         leave: not_found forbidden forbidden forbidden forbidden
         invite outside: not_found forbidden forbidden forbidden forbidden
         kick guest: not_found forbidden forbidden forbidden forbidden
         role guest member: not_found forbidden forbidden forbidden forbidden
         settings: not_found forbidden forbidden forbidden forbidden",
    );
}

#[test]
fn an_archived_room_can_be_left_and_taken_out_again_and_nothing_else() {
    check(
        RoomKind::Group,
        true,
        "post: not_found archived archived archived archived
         react: not_found archived archived archived archived
         leave: not_found yes yes yes yes
         settings: not_found forbidden forbidden yes yes",
    );
}

#[test]
fn the_last_owner_stays_while_others_are_there() {
    let mut state = state(RoomKind::Group, Some(Role::Owner), false);
    state.members.set(user(OWNER), Some(Role::Member), 2);
    let mut core = Core::new(ROOM, state);
    let order = |n: u8| Order { id: 0, room: ROOM, cmid: Cmid::from_bytes([n; 16]), after: 3, prev: None };
    let mut effects = Vec::new();
    let lower = Act::Role { user: user(ASKS), role: Role::Member };
    core.handle(Input::Ask(Ask { token: 1, user: user(ASKS), order: order(3), act: Act::Leave }), 10, &mut effects);
    core.handle(Input::Ask(Ask { token: 2, user: user(ASKS), order: order(4), act: lower }), 10, &mut effects);
    let told: Vec<_> =
        effects.iter().map(|e| matches!(e, Effect::Answer { outcome: Outcome::Refused(schema::ErrorCode::LastOwner), .. })).collect();
    assert_eq!(told, [true, true]);
}
