//! Answers as text for a person, or as one line of JSON.

use std::io::Write;

use crate::admin::Answer;
use crate::admin::order::{RoomEntry, UserEntry};
use crate::import::line::date_time;

/// `made`: a password that was made for the order.
pub fn answer(answer: &Answer, made: Option<&str>, json: bool) {
    print(&if json { as_json(answer, made) } else { as_text(answer, made) });
}

/// A reader that has seen enough and gone (`| head`) is no error.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

fn as_json(answer: &Answer, made: Option<&str>) -> String {
    let mut value = serde_json::to_value(answer).unwrap_or_default();
    // What it is follows from the command; only its content is of use.
    let content = value.as_object_mut().and_then(|kinds| kinds.values_mut().next()).map(serde_json::Value::take);
    let mut content = content.unwrap_or_default();
    if let (Some(made), Some(object)) = (made, content.as_object_mut()) {
        object.insert("password".into(), made.into());
    }
    format!("{content}\n")
}

fn as_text(answer: &Answer, made: Option<&str>) -> String {
    let lines = |lines: Vec<String>| lines.iter().map(|line| format!("{line}\n")).collect();
    let mut text = match answer {
        Answer::Cluster(answer) => super::cluster::as_text(answer),
        Answer::Done {} => "done\n".to_owned(),
        Answer::User(user) => format!("{} is made{}: {}\n", user.name, if user.admin { ", an administrator" } else { "" }, user.id),
        Answer::Users { users } => lines(users.iter().map(user_line).collect()),
        Answer::People { people } => lines(people.iter().map(|person| format!("{}  {}", person.id, person.name)).collect()),
        Answer::Token { access, expires_in_s, refresh, .. } => {
            format!("access   {access}\nrefresh  {refresh}\nthe access token expires in {expires_in_s} s\n")
        }
        Answer::Key { kid } => format!("access tokens are signed with key {kid} from now on\n"),
        Answer::Invited(made) => {
            let (uses, until) = (made.invite.uses_max, date(made.invite.expires_at));
            format!("code     {}\nlink     /?invite={}\ngood for {uses} sign-ups until {until} UTC\n", made.code, made.code)
        }
        Answer::Rooms { rooms } => lines(rooms.iter().map(room_line).collect()),
        Answer::Room { room } => format!("{room}\n"),
        Answer::Imported(progress) => format!("{} lines are in room {}\n", progress.lines, progress.room),
        Answer::Exported(page) => format!("{} events of {}\n", page.events.len(), page.head),
        Answer::Said { lines, head, .. } => format!("{} messages up to event {head}\n", lines.len()),
        Answer::Backup { to, rows, bytes } => format!("{rows} rows, {bytes} bytes are in {}\n", to.display()),
    };
    text.extend(made.map(|made| format!("password {made}\n")));
    text
}

fn user_line(user: &UserEntry) -> String {
    let admin = if user.admin { "admin" } else { "" };
    format!("{}  {}  {:5}  {:32}  {}", user.id, date(user.created_at), admin, user.name, user.display)
}

fn room_line(room: &RoomEntry) -> String {
    let kind = format!("{:?}", room.kind).to_lowercase();
    format!("{}  {:9}  {}  {:8} messages  {:6} members  {}", room.room, kind, date(room.at), room.messages, room.members, room.name)
}

/// UTC, to the minute.
fn date(ms: u64) -> String {
    date_time(ms)[..16].replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00");
        assert_eq!(date(951_782_400_000), "2000-02-29 00:00");
        assert_eq!(date(1_795_251_600_000 + 59_000), "2026-11-21 09:00");
    }
}
