//! Pure. Who may do what in a room, and what a request must look like. Every rule that a refusal comes from is here.

use schema::client::Act;
use schema::event::{Member, Message};
use schema::{ErrorCode, EventBody, Role, RoomId, RoomKind, RoomSettings, UserId, limits};

use super::core::{Ask, Fact, Facts, Need, State};
use crate::error::Refused;

/// What becomes of a request as things stand.
pub enum Verdict {
    Admit(EventBody),
    Refuse(Refused),
    /// Something has to be known first.
    Need(Need),
}

type Check<T> = Result<T, Verdict>;

/// The client knows of more than the room holds: another room's head, or a lie.
pub const AFTER_ABOVE: &str = "field `after`: it is above the room's head";

fn refuse<T>(why: impl Into<Refused>) -> Check<T> {
    Err(Verdict::Refuse(why.into()))
}

pub fn judge(state: &State, ask: &Ask, facts: &Facts) -> Verdict {
    body(state, ask, facts).map_or_else(|verdict| verdict, Verdict::Admit)
}

fn body(state: &State, ask: &Ask, facts: &Facts) -> Check<EventBody> {
    if let Act::Create { kind, settings, members } = &ask.act {
        return create(state, ask, facts, *kind, settings, members);
    }
    let Some(kind) = state.kind else { return refuse(ErrorCode::NotFound) };
    if let Act::Join = ask.act {
        return join(state, ask, facts, kind);
    }
    let Some(role) = state.members.role(ask.user) else {
        // A stranger learns nothing, not even whether the room exists.
        return refuse(ErrorCode::NotFound);
    };
    if state.settings.archived && !matches!(ask.act, Act::Settings { .. } | Act::Leave) {
        return refuse(ErrorCode::Archived);
    }
    match &ask.act {
        Act::Post { text, reply, origin } => {
            allow(kind != RoomKind::Workspace)?;
            // What was said elsewhere may have been a picture; what is said here is text.
            if origin.is_none() || !text.is_empty() {
                text_fits(text)?;
            }
            if reply.is_some_and(|target| target > state.head) {
                return refuse(ErrorCode::NotFound);
            }
            Ok(EventBody::Message(Message { text: text.clone(), reply: *reply, origin: origin.clone() }))
        }
        Act::Edit { target, text } => {
            text_fits(text)?;
            let author = message(state, facts, *target)?;
            allow(author == ask.user)?;
            Ok(EventBody::Edit { target: *target, text: text.clone() })
        }
        Act::Delete { target, reason } => {
            fits(reason.as_deref().unwrap_or(""), limits::REASON_BYTES_MAX, "field `reason`: it is longer than `reason_bytes_max`")?;
            let author = message(state, facts, *target)?;
            allow(author == ask.user || role >= Role::Moderator)?;
            Ok(EventBody::Delete { target: *target, reason: reason.clone() })
        }
        Act::React { target, emoji, on } => {
            form(!emoji.is_empty(), "field `emoji`: it is empty")?;
            form(!emoji.chars().any(|c| c.is_control() || c.is_whitespace()), "field `emoji`: it has spaces or control characters")?;
            fits(emoji, limits::EMOJI_BYTES_MAX, "field `emoji`: it is longer than `emoji_bytes_max`")?;
            message(state, facts, *target)?;
            Ok(EventBody::React { target: *target, emoji: emoji.clone(), on: *on })
        }
        Act::Pin { target, on } => {
            allow(role >= Role::Member)?;
            message(state, facts, *target)?;
            Ok(EventBody::Pin { target: *target, on: *on })
        }
        Act::Leave => {
            allow(kind != RoomKind::Direct)?;
            keeps_an_owner(state, ask.user)?;
            Ok(member(state, ask.user, None))
        }
        Act::Invite { user } => invite(state, facts, kind, role, *user),
        Act::Kick { user } => {
            let Some(theirs) = state.members.role(*user) else { return refuse(ErrorCode::NotFound) };
            allow(kind != RoomKind::Direct && *user != ask.user && role >= Role::Moderator && role > theirs)?;
            Ok(member(state, *user, None))
        }
        Act::Role { user, role: wanted } => {
            let Some(theirs) = state.members.role(*user) else { return refuse(ErrorCode::NotFound) };
            allow(kind != RoomKind::Direct && role >= Role::Moderator && (role == Role::Owner || (role > theirs && role > *wanted)))?;
            if *wanted < Role::Owner {
                keeps_an_owner(state, *user)?;
            }
            Ok(member(state, *user, Some(*wanted)))
        }
        Act::Settings { settings } => {
            allow(kind != RoomKind::Direct && role >= Role::Moderator)?;
            allow(settings.workspace == state.settings.workspace)?;
            settings_fit(kind, settings)?;
            Ok(EventBody::Settings(settings.clone()))
        }
        Act::Join | Act::Create { .. } => unreachable!("judged above"),
    }
}

fn create(state: &State, ask: &Ask, facts: &Facts, kind: RoomKind, settings: &RoomSettings, others: &[UserId]) -> Check<EventBody> {
    // First, so that the answer is the same whether the two have opened theirs or not.
    form(kind == RoomKind::Direct || !ask.order.room.is_direct(), "field `room`: it is the id of a direct room")?;
    if state.kind.is_some() {
        return refuse(ErrorCode::IdConflict);
    }
    if others.len() > limits::CREATE_MEMBERS_MAX {
        return refuse(Refused { code: ErrorCode::TooLong, why: "field `members`: more people than `create_members_max`" });
    }
    settings_fit(kind, settings)?;
    let mut members = vec![Member { user: ask.user, role: Role::Owner }];
    for user in others {
        if !members.iter().any(|m| m.user == *user) {
            let role = if kind == RoomKind::Direct { Role::Owner } else { Role::Member };
            members.push(Member { user: *user, role });
        }
    }
    match kind {
        RoomKind::Direct => {
            form(members.len() <= 2, "field `members`: a direct room has one other member")?;
            form(is_direct(ask.order.room, &members), "field `room`: the id of a direct room follows from its two people")?;
            form(settings.name.is_empty(), "field `settings.name`: a direct room has no name")?;
            exist(facts, others, "field `members`: there is no such person")?;
        }
        RoomKind::Channel => {
            let Some(workspace) = settings.workspace else { return refuse(Refused::bad(CHANNEL_LIES)) };
            for member in &members {
                in_workspace(facts, workspace, member.user)?;
            }
        }
        RoomKind::Group | RoomKind::Workspace => exist(facts, others, "field `members`: one of them does not exist")?,
    }
    Ok(EventBody::Created { kind, settings: settings.clone(), members })
}

fn is_direct(room: RoomId, members: &[Member]) -> bool {
    let other = members.get(1).unwrap_or(&members[0]);
    room == RoomId::direct(members[0].user, other.user)
}

fn join(state: &State, ask: &Ask, facts: &Facts, kind: RoomKind) -> Check<EventBody> {
    if let Some(role) = state.members.role(ask.user) {
        // Already in: the event says the same again, so that the answer is an ordinary one.
        return Ok(member(state, ask.user, Some(role)));
    }
    let (RoomKind::Channel, true, Some(workspace)) = (kind, state.settings.public, state.settings.workspace) else {
        return refuse(ErrorCode::NotFound);
    };
    in_workspace(facts, workspace, ask.user)?;
    if state.settings.archived {
        return refuse(ErrorCode::Archived);
    }
    Ok(member(state, ask.user, Some(Role::Member)))
}

fn invite(state: &State, facts: &Facts, kind: RoomKind, role: Role, user: UserId) -> Check<EventBody> {
    allow(kind != RoomKind::Direct && role >= Role::Member)?;
    allow(kind != RoomKind::Workspace || role >= Role::Moderator)?;
    if let Some(theirs) = state.members.role(user) {
        return Ok(member(state, user, Some(theirs)));
    }
    if let (RoomKind::Channel, Some(workspace)) = (kind, state.settings.workspace) {
        in_workspace(facts, workspace, user)?;
    } else {
        exist(facts, &[user], "field `user`: there is no such person")?;
    }
    Ok(member(state, user, Some(Role::Member)))
}

/// Whoever is put into a room must be there: a mistyped id would be a member for ever. Members of a workspace are.
fn exist(facts: &Facts, users: &[UserId], why: &'static str) -> Check<()> {
    if users.is_empty() {
        return Ok(());
    }
    match facts.iter().find_map(|fact| match fact {
        Fact::People { users: asked, known } if asked == users => Some(*known),
        _ => None,
    }) {
        Some(true) => Ok(()),
        Some(false) => refuse(Refused { code: ErrorCode::NotFound, why }),
        None => Err(Verdict::Need(Need::People { users: users.to_vec() })),
    }
}

/// Errors: the user is no member of the workspace (so there is no such room for them), or it must be asked.
fn in_workspace(facts: &Facts, workspace: RoomId, user: UserId) -> Check<()> {
    match facts.iter().find_map(|fact| match fact {
        Fact::WorkspaceRole { workspace: w, user: u, role } if *w == workspace && *u == user => Some(*role),
        _ => None,
    }) {
        Some(Some(_)) => Ok(()),
        Some(None) => refuse(ErrorCode::NotFound),
        None => Err(Verdict::Need(Need::WorkspaceRole { workspace, user })),
    }
}

/// The author of the message at `target`, as far as it still stands.
fn message(state: &State, facts: &Facts, target: u64) -> Check<UserId> {
    if target == 0 || target > state.head {
        return refuse(ErrorCode::NotFound);
    }
    if state.is_deleted(target) {
        return refuse(ErrorCode::NotFound);
    }
    if let Some(event) = state.recent(target) {
        return if event.body.is_message() { Ok(event.user) } else { refuse(ErrorCode::NotFound) };
    }
    match facts.iter().find_map(|fact| match fact {
        Fact::Target { seq, author } if *seq == target => Some(*author),
        _ => None,
    }) {
        Some(Some(author)) => Ok(author),
        Some(None) => refuse(ErrorCode::NotFound),
        None => Err(Verdict::Need(Need::Target { seq: target })),
    }
}

fn member(state: &State, user: UserId, role: Option<Role>) -> EventBody {
    let before = state.members.role(user).is_some();
    let members = state.members.count() + u32::from(role.is_some()) - u32::from(before);
    EventBody::Member { user, role, members }
}

fn keeps_an_owner(state: &State, user: UserId) -> Check<()> {
    let last = state.members.role(user) == Some(Role::Owner) && state.members.owners() == 1 && state.members.count() > 1;
    if last { refuse(ErrorCode::LastOwner) } else { Ok(()) }
}

fn settings_fit(kind: RoomKind, settings: &RoomSettings) -> Check<()> {
    fits(&settings.name, limits::NAME_BYTES_MAX, "field `settings.name`: it is longer than `name_bytes_max`")?;
    fits(&settings.topic, limits::TOPIC_BYTES_MAX, "field `settings.topic`: it is longer than `topic_bytes_max`")?;
    let (is_channel, in_workspace) = (kind == RoomKind::Channel, settings.workspace.is_some());
    let named = is_channel || kind == RoomKind::Workspace;
    form(!named || !settings.name.trim().is_empty(), "field `settings.name`: a channel and a workspace need one")?;
    form(!is_channel || in_workspace, CHANNEL_LIES)?;
    form(is_channel || !in_workspace, "field `settings.workspace`: only a channel lies in one")?;
    form(is_channel || !settings.public, "field `settings.public`: only a channel is public")?;
    let printable = |text: &str| !text.chars().any(is_unprintable);
    form(printable(&settings.name), "field `settings.name`: it has characters that cannot be seen")?;
    form(printable(&settings.topic), "field `settings.topic`: it has characters that cannot be seen")
}

const CHANNEL_LIES: &str = "field `settings.workspace`: a channel lies in one";

/// Control characters and those that turn the direction of text.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn text_fits(text: &str) -> Check<()> {
    form(!text.trim().is_empty(), "field `text`: it is empty")?;
    form(!text.contains('\0'), "field `text`: it has a NUL character")?;
    fits(text, limits::TEXT_BYTES_MAX, "field `text`: it is longer than `text_bytes_max`")
}

fn fits(text: &str, bytes_max: usize, why: &'static str) -> Check<()> {
    if text.len() > bytes_max { refuse(Refused { code: ErrorCode::TooLong, why }) } else { Ok(()) }
}

fn allow(allowed: bool) -> Check<()> {
    if allowed { Ok(()) } else { refuse(ErrorCode::Forbidden) }
}

/// `why` names the field and the rule that it breaks.
fn form(is_kept: bool, why: &'static str) -> Check<()> {
    if is_kept { Ok(()) } else { refuse(Refused::bad(why)) }
}
