//! The conversation of the demo as data: who there is, and what is said in each room. All of it is made up for Hubbub;
//! the files beside this one hold the words.

use std::collections::HashMap;

use anyhow::{Context, Result};
use schema::event::RoomKind;
use schema::id::UserId;
use serde::Deserialize;

/// Of everybody in the demo. The node listens on the loopback address alone.
pub const PASSWORD: &str = "lighthouse-98.4";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    pub workspace: String,
    pub people: Vec<Person>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub name: String,
    pub display: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    pub kind: RoomKind,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub topic: String,
    /// The first one makes the room.
    pub members: Vec<String>,
    pub say: Vec<Line>,
}

/// Something said, and what came of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub by: String,
    pub text: String,
    /// What later lines of the room call this one.
    #[serde(default, rename = "as")]
    pub label: Option<String>,
    /// The line that this one answers.
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub edit: Option<String>,
    #[serde(default)]
    pub delete: bool,
    #[serde(default)]
    pub pin: bool,
    /// An emoji, and who chose it.
    #[serde(default)]
    pub react: Vec<Vec<String>>,
}

const ROOMS: &[&str] = &[
    include_str!("talk/1-general.toml"),
    include_str!("talk/2-studio.toml"),
    include_str!("talk/3-music.toml"),
    include_str!("talk/4-rota.toml"),
    include_str!("talk/5-kitchen.toml"),
    include_str!("talk/6-festival.toml"),
    include_str!("talk/7-ines-tomas.toml"),
    include_str!("talk/8-mira-aiko.toml"),
];

pub fn cast() -> Result<Cast> {
    toml::from_str(include_str!("talk/people.toml")).context("talk/people.toml")
}

pub fn rooms() -> Result<Vec<Room>> {
    ROOMS.iter().map(|text| toml::from_str(text).context("a file in talk/")).collect()
}

/// `@name` of the data as the wire has it, `<@user-id>`.
pub fn with_mentions(text: &str, people: &HashMap<String, UserId>) -> String {
    people.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("@{name}"), &format!("<@{id}>")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_speaks_is_a_member_and_every_answer_has_its_question() {
        let names: Vec<_> = cast().unwrap().people.into_iter().map(|person| person.name).collect();
        for room in rooms().unwrap() {
            let mut labels = Vec::new();
            assert!(room.members.iter().all(|member| names.contains(member)));
            for line in &room.say {
                assert!(room.members.contains(&line.by), "{} is not in {}", line.by, room.name);
                assert!(line.to.iter().all(|label| labels.contains(label)), "nobody said {:?} in {}", line.to, room.name);
                assert!(line.react.iter().flat_map(|one| &one[1..]).all(|name| room.members.contains(name)));
                labels.extend(line.label.clone());
            }
        }
    }

    #[test]
    fn a_name_becomes_a_mention() {
        let ann = UserId::from_bytes([1; 16]);
        let people = HashMap::from([("ann".to_owned(), ann)]);
        assert_eq!(with_mentions("@ann, hi", &people), format!("<@{ann}>, hi"));
    }
}
