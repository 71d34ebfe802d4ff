//! Plays the demo's conversation through the REST API, as its people would: signs them up, makes the rooms, says the
//! lines. Knows no other way into the node than everybody has.

use std::collections::HashMap;
use std::sync::mpsc;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use schema::event::{RoomKind, RoomSettings};
use schema::id::{DeviceId, RoomId, UserId};
use schema::rest;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use uuid::Uuid;

use super::rest::{Api, Ask};
use super::talk::{self, Line, Room};

/// Everybody by name: who they are to the node, and the token to speak with.
struct People {
    ids: HashMap<String, UserId>,
    tokens: HashMap<String, String>,
}

struct Stage<'a> {
    api: &'a Api,
    people: People,
    bar: ProgressBar,
}

pub fn play(api: &Api, stop: &mpsc::Receiver<()>) -> Result<()> {
    let cast = talk::cast()?;
    let rooms = talk::rooms()?;
    let lines = rooms.iter().map(|room| room.say.len()).sum::<usize>() + cast.people.len();
    let bar = ProgressBar::new(lines as u64);
    bar.set_style(ProgressStyle::with_template("      people and rooms to look at {bar:32} {pos}/{len}")?);
    let people = sign_up(api, &cast, &bar)?;
    let stage = Stage { api, people, bar };
    let workspace = stage.make_workspace(&cast)?;
    for room in &rooms {
        stage.play_room(room, workspace, stop)?;
    }
    stage.bar.finish();
    Ok(())
}

fn sign_up(api: &Api, cast: &talk::Cast, bar: &ProgressBar) -> Result<People> {
    let mut people = People { ids: HashMap::new(), tokens: HashMap::new() };
    for person in &cast.people {
        let body = rest::SignUp {
            name: person.name.clone(),
            display: person.display.clone(),
            password: talk::PASSWORD.to_owned(),
            device: DeviceId(Uuid::now_v7()),
            label: "cargo xtask up".to_owned(),
            invite: None,
        };
        let ask = Ask { method: "POST", path: "/v1/auth/signup".to_owned(), token: "", key: None };
        let tokens: rest::Tokens = api.ask(&ask, &body)?;
        people.ids.insert(person.name.clone(), tokens.user);
        people.tokens.insert(person.name.clone(), tokens.access);
        bar.inc(1);
    }
    Ok(people)
}

impl Stage<'_> {
    fn id(&self, name: &str) -> Result<UserId> {
        self.people.ids.get(name).copied().with_context(|| format!("{name} is not in talk/people.toml"))
    }

    fn ids(&self, names: &[String]) -> Result<Vec<UserId>> {
        names.iter().map(|name| self.id(name)).collect()
    }

    fn ask<T: DeserializeOwned>(&self, by: &str, method: &str, path: String, body: &impl Serialize) -> Result<T> {
        let token = self.people.tokens.get(by).with_context(|| format!("{by} is not signed in"))?;
        self.api.ask(&Ask { method, path, token, key: Some(Uuid::now_v7()) }, body)
    }

    fn make_workspace(&self, cast: &talk::Cast) -> Result<RoomId> {
        let names: Vec<String> = cast.people.iter().map(|person| person.name.clone()).collect();
        let owner = names.first().context("nobody is in talk/people.toml")?;
        let settings = RoomSettings { name: cast.workspace.clone(), ..RoomSettings::default() };
        self.make_room(owner, RoomKind::Workspace, settings, self.ids(&names[1..])?)
    }

    fn make_room(&self, owner: &str, kind: RoomKind, settings: RoomSettings, members: Vec<UserId>) -> Result<RoomId> {
        let room = (kind != RoomKind::Direct).then(|| RoomId(Uuid::now_v7()));
        let landed: rest::Landed = self.ask(owner, "POST", "/v1/rooms".to_owned(), &rest::CreateRoom { room, kind, settings, members })?;
        Ok(landed.room)
    }

    fn play_room(&self, script: &Room, workspace: RoomId, stop: &mpsc::Receiver<()>) -> Result<()> {
        let is_channel = script.kind == RoomKind::Channel;
        let settings = RoomSettings {
            name: script.name.clone(),
            topic: script.topic.clone(),
            workspace: is_channel.then_some(workspace),
            public: is_channel,
            archived: false,
        };
        let owner = script.members.first().context("a room of the demo has no members")?;
        let room = self.make_room(owner, script.kind, settings, self.ids(&script.members[1..])?)?;
        let mut labels = HashMap::new();
        let mut last_words = HashMap::new();
        for line in &script.say {
            if stop.try_recv().is_ok() {
                bail!("stopped while the demo was being made: the next start makes it anew");
            }
            let landed = self.say(room, line, &labels)?;
            if let Some(label) = &line.label {
                labels.insert(label.as_str(), landed.seq);
            }
            last_words.insert(line.by.as_str(), (landed.seq, landed.ordinal));
            self.bar.inc(1);
        }
        // Who said something had read what came before; the rest is unread.
        for (name, (seq, ordinal)) in last_words {
            self.ask::<IgnoredAny>(name, "PUT", format!("/v1/rooms/{room}/read"), &rest::PutRead { seq, ordinal })?;
        }
        Ok(())
    }

    fn say(&self, room: RoomId, line: &Line, labels: &HashMap<&str, u64>) -> Result<rest::Landed> {
        let reply = line.to.as_deref().and_then(|label| labels.get(label).copied());
        let text = talk::with_mentions(&line.text, &self.people.ids);
        let post = rest::PostMessage { text, reply, after: None };
        let landed: rest::Landed = self.ask(&line.by, "POST", format!("/v1/rooms/{room}/messages"), &post)?;
        let message = format!("/v1/rooms/{room}/messages/{}", landed.seq);
        if let Some(text) = &line.edit {
            self.ask::<IgnoredAny>(
                &line.by,
                "PATCH",
                message.clone(),
                &rest::EditMessage { text: talk::with_mentions(text, &self.people.ids) },
            )?;
        }
        if line.delete {
            self.ask::<IgnoredAny>(&line.by, "DELETE", message.clone(), &())?;
        }
        if line.pin {
            self.ask::<IgnoredAny>(&line.by, "PUT", format!("{message}/pin"), &())?;
        }
        for reaction in &line.react {
            let (emoji, names) = reaction.split_first().context("a reaction without an emoji")?;
            for name in names {
                self.ask::<IgnoredAny>(name, "PUT", format!("{message}/reactions/{}", escaped(emoji)), &())?;
            }
        }
        Ok(landed)
    }
}

/// Percent-encoded for a path.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
