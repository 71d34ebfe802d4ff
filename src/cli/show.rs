//! Answers as text for a person, or as one line of JSON.

use std::io::Write;

use crate::admin::Answer;
use crate::admin::order::{RoomEntry, UserEntry};

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
        Answer::Done {} => "done\n".to_owned(),
        Answer::User(user) => format!("{} is made{}: {}\n", user.name, if user.admin { ", an administrator" } else { "" }, user.id),
        Answer::Users { users } => lines(users.iter().map(user_line).collect()),
        Answer::Token { access, expires_in_s, refresh, .. } => {
            format!("access   {access}\nrefresh  {refresh}\nthe access token expires in {expires_in_s} s\n")
        }
        Answer::Key { kid } => format!("access tokens are signed with key {kid} from now on\n"),
        Answer::Rooms { rooms } => lines(rooms.iter().map(room_line).collect()),
        Answer::Room { room } => format!("{room}\n"),
        Answer::Imported(progress) => format!("{} lines are in room {}\n", progress.lines, progress.room),
        Answer::Exported { events, head } => format!("{} events of {head}\n", events.len()),
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

/// UTC, to the minute; by the calendar algorithm of Hinnant ("days from civil", backwards).
fn date(ms: u64) -> String {
    let since = ms / 1000;
    let (days, minutes) = (since / 86_400, since % 86_400 / 60);
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
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
