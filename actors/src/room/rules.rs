//! Pure. Who may do what in a room, and what a request must look like. Every rule that a refusal comes from is here.

use schema::client::Act;
use schema::event::{Member, Message};
use schema::{ErrorCode, EventBody, Role, RoomId, RoomKind, RoomSettings, UserId, limits};

use super::core::{Ask, Fact, Facts, Need, State};

/// What becomes of a request as things stand.
pub enum Verdict {
    Admit(EventBody),
    Refuse(ErrorCode),
    /// Something has to be known first.
    Need(Need),
}

type Check<T> = Result<T, Verdict>;

fn refuse<T>(code: ErrorCode) -> Check<T> {
    Err(Verdict::Refuse(code))
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
            fits(reason.as_deref().unwrap_or(""), limits::REASON_BYTES_MAX)?;
            let author = message(state, facts, *target)?;
            allow(author == ask.user || role >= Role::Moderator)?;
            Ok(EventBody::Delete { target: *target, reason: reason.clone() })
        }
        Act::React { target, emoji, on } => {
            allow_text(!emoji.is_empty() && !emoji.chars().any(|c| c.is_control() || c.is_whitespace()))?;
            fits(emoji, limits::EMOJI_BYTES_MAX)?;
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
    if state.kind.is_some() {
        return refuse(ErrorCode::IdConflict);
    }
    if others.len() > limits::CREATE_MEMBERS_MAX {
        return refuse(ErrorCode::TooLong);
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
        RoomKind::Direct => allow_text(members.len() <= 2 && is_direct(ask.order.room, &members) && settings.name.is_empty())?,
        RoomKind::Channel => {
            let Some(workspace) = settings.workspace else { return refuse(ErrorCode::BadRequest) };
            for member in &members {
                in_workspace(facts, workspace, member.user)?;
            }
        }
        RoomKind::Group | RoomKind::Workspace => {}
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
    }
    Ok(member(state, user, Some(Role::Member)))
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
    fits(&settings.name, limits::NAME_BYTES_MAX)?;
    fits(&settings.topic, limits::TOPIC_BYTES_MAX)?;
    let named = matches!(kind, RoomKind::Channel | RoomKind::Workspace);
    allow_text(!named || !settings.name.trim().is_empty())?;
    allow_text((kind == RoomKind::Channel) == settings.workspace.is_some())?;
    allow_text(kind == RoomKind::Channel || !settings.public)?;
    allow_text(!settings.name.chars().chain(settings.topic.chars()).any(is_unprintable))
}

/// Control characters and those that turn the direction of text.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn text_fits(text: &str) -> Check<()> {
    allow_text(!text.trim().is_empty() && !text.contains('\0'))?;
    fits(text, limits::TEXT_BYTES_MAX)
}

fn fits(text: &str, bytes_max: usize) -> Check<()> {
    if text.len() > bytes_max { refuse(ErrorCode::TooLong) } else { Ok(()) }
}

fn allow(allowed: bool) -> Check<()> {
    if allowed { Ok(()) } else { refuse(ErrorCode::Forbidden) }
}

fn allow_text(allowed: bool) -> Check<()> {
    if allowed { Ok(()) } else { refuse(ErrorCode::BadRequest) }
}
