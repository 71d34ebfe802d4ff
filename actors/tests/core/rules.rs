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
const NOBODY: u8 = 16;

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

/// What one role is told; needs are met: everybody but `OUTSIDE` is in the workspace, and everybody but `NOBODY` exists.
fn told(kind: RoomKind, role: Option<Role>, archived: bool, act: Act) -> &'static str {
    let mut core = Core::new(ROOM, state(kind, role, archived));
    let order = Order { id: 0, room: ROOM, cmid: Cmid::from_bytes([3; 16]), after: 3, prev: None };
    let mut effects = Vec::new();
    core.handle(Input::Ask(Ask { token: 1, user: user(ASKS), order, act }), 10, &mut effects);
    while let Some(Effect::Learn { token, need }) = effects.first() {
        let fact = match need {
            Need::WorkspaceRole { workspace, user: who } => {
                let role = (*who != user(OUTSIDE) && *who != user(NOBODY)).then_some(Role::Member);
                Fact::WorkspaceRole { workspace: *workspace, user: *who, role }
            }
            Need::People { users } => Fact::People { users: users.clone(), known: !users.contains(&user(NOBODY)) },
            other => panic!("{other:?}"),
        };
        let token = *token;
        effects.clear();
        core.handle(Input::Learned { token, fact }, 10, &mut effects);
    }
    match effects.first() {
        Some(Effect::Submit(_)) => "yes",
        Some(Effect::Answer { outcome: Outcome::Refused(refused), .. }) => refused.code.text(),
        other => panic!("{other:?}"),
    }
}

fn act(words: &str, kind: RoomKind) -> Act {
    let post = |text: String| Act::Post { text, reply: None, origin: None };
    let who = |name: &str| -> UserId {
        let names = [("guest", GUEST), ("member", MEMBER), ("moderator", MODERATOR), ("owner", OWNER), ("self", ASKS)];
        let others = [("outside", OUTSIDE), ("nobody", NOBODY)];
        user(names.into_iter().chain(others).find(|(n, _)| *n == name).expect("a name").1)
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
         invite nobody: not_found forbidden not_found not_found not_found
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
        "post: not_found forbidden forbidden forbidden forbidden
         invite outside: not_found forbidden forbidden yes yes
         invite nobody: not_found forbidden forbidden not_found not_found",
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
    let told: Vec<_> = effects
        .iter()
        .map(|e| matches!(e, Effect::Answer { outcome: Outcome::Refused(refused), .. } if refused.code == schema::ErrorCode::LastOwner))
        .collect();
    assert_eq!(told, [true, true]);
}

/// What the owner of a new room, or of none yet, is told in words.
fn told_in_words(kind: RoomKind, room: RoomId, act: Act) -> &'static str {
    let state = if let Act::Create { .. } = act { State::default() } else { state(kind, Some(Role::Owner), false) };
    let after = state.head;
    let mut core = Core::new(room, state);
    let order = Order { id: 0, room, cmid: Cmid::from_bytes([3; 16]), after, prev: None };
    let mut effects = Vec::new();
    core.handle(Input::Ask(Ask { token: 1, user: user(ASKS), order, act }), 10, &mut effects);
    if let Some(Effect::Learn { token, need: Need::People { users } }) = effects.first() {
        let (token, fact) = (*token, Fact::People { users: users.clone(), known: !users.contains(&user(NOBODY)) });
        effects.clear();
        core.handle(Input::Learned { token, fact }, 10, &mut effects);
    }
    match effects.first() {
        Some(Effect::Answer { outcome: Outcome::Refused(refused), .. }) => refused.why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_that_breaks_a_rule_of_form_is_told_which_field_and_why() {
    let named = |name: &str| RoomSettings { name: name.into(), ..RoomSettings::default() };
    let create =
        |kind, settings, members: &[u8]| (kind, Act::Create { kind, settings, members: members.iter().map(|n| user(*n)).collect() });
    let post = |text: &str| (RoomKind::Group, Act::Post { text: text.into(), reply: None, origin: None });
    let react = |emoji: &str| (RoomKind::Group, Act::React { target: 3, emoji: emoji.into(), on: true });
    let set = |kind, settings| (kind, Act::Settings { settings });
    for ((kind, act), why) in [
        (post(" \n"), "field `text`: it is empty"),
        (post("a\0b"), "field `text`: it has a NUL character"),
        (post(&"x".repeat(20_000)), "field `text`: it is longer than `text_bytes_max`"),
        ((RoomKind::Group, Act::Edit { target: 2, text: String::new() }), "field `text`: it is empty"),
        (react(""), "field `emoji`: it is empty"),
        (react("a b"), "field `emoji`: it has spaces or control characters"),
        (react(&"x".repeat(65)), "field `emoji`: it is longer than `emoji_bytes_max`"),
        (
            (RoomKind::Group, Act::Delete { target: 2, reason: Some("x".repeat(501)) }),
            "field `reason`: it is longer than `reason_bytes_max`",
        ),
        (set(RoomKind::Group, named(&"x".repeat(81))), "field `settings.name`: it is longer than `name_bytes_max`"),
        (set(RoomKind::Workspace, named(" ")), "field `settings.name`: a channel and a workspace need one"),
        (set(RoomKind::Group, named("a\u{202e}b")), "field `settings.name`: it has characters that cannot be seen"),
        (set(RoomKind::Group, RoomSettings { public: true, ..named("a") }), "field `settings.public`: only a channel is public"),
        (create(RoomKind::Channel, named("a"), &[]), "field `settings.workspace`: a channel lies in one"),
        (create(RoomKind::Direct, named(""), &[2]), "field `room`: the id of a direct room follows from its two people"),
        (create(RoomKind::Direct, named(""), &[2, 3]), "field `members`: a direct room has one other member"),
        (create(RoomKind::Group, named(""), &[2, NOBODY]), "field `members`: one of them does not exist"),
        ((RoomKind::Group, Act::Invite { user: user(NOBODY) }), "field `user`: there is no such person"),
    ] {
        assert_eq!(told_in_words(kind, ROOM, act), why);
    }
    for kind in [RoomKind::Group, RoomKind::Workspace] {
        let (_, act) = create(kind, named("a"), &[]);
        assert_eq!(told_in_words(kind, RoomId::direct(user(2), user(3)), act), "field `room`: it is the id of a direct room");
    }
    let room = RoomId::direct(user(ASKS), user(NOBODY));
    let (_, act) = create(RoomKind::Direct, named(""), &[NOBODY]);
    assert_eq!(told_in_words(RoomKind::Direct, room, act), "field `members`: there is no such person");
}

#[test]
fn however_many_were_deleted_nobody_edits_a_message_that_is_gone() {
    let mut state = state(RoomKind::Group, Some(Role::Owner), false);
    let mut take = |seq, body| {
        state.take(Event { room: ROOM, seq, ordinal: seq, at: 3, user: user(ASKS), cmid: Cmid::default(), body }.into(), seq);
    };
    (4..404).for_each(|seq| take(seq, EventBody::Message(Message { text: "x".into(), reply: None, origin: None })));
    (404..804).for_each(|seq| take(seq, EventBody::Delete { target: seq - 400, reason: None }));
    let head = state.head;
    let mut core = Core::new(ROOM, state);
    let mut effects = Vec::new();
    for target in 4..404 {
        let order = Order { id: 0, room: ROOM, cmid: Cmid::from_bytes([3; 16]), after: head, prev: None };
        let act = Act::Edit { target, text: "back again".into() };
        core.handle(Input::Ask(Ask { token: target, user: user(ASKS), order, act }), 10, &mut effects);
    }
    let is_refusal = |e: &Effect| matches!(e, Effect::Answer { outcome: Outcome::Refused(r), .. } if r.code == schema::ErrorCode::NotFound);
    assert_eq!(effects.iter().filter(|e| is_refusal(e)).count(), 400);
}
