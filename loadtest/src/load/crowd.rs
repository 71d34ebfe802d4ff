//! People and rooms for a load run: signed up, put together, shown while it takes time.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use schema::rest::Tokens;
use schema::{DeviceId, LoginId, RoomId, UserId};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use uuid::Uuid;

use crate::client::{Api, Client, Error, Settings, Target, is_temporary};
use crate::history::{Clock, Recorder};
use crate::process::Process;

/// One person with one login.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub device: DeviceId,
    pub tokens: Tokens,
}

const PASSWORD: &str = "a load test's password";
/// Connections that come from one address.
const PER_ADDRESS: usize = 150;

/// The n-th connection's own address: 127.1.0.1 and up.
pub fn source(n: usize) -> IpAddr {
    let block = n / PER_ADDRESS;
    Ipv4Addr::new(127, 1 + (block / 62_500) as u8, (block / 250 % 250) as u8, 1 + (block % 250) as u8).into()
}

pub fn progress(what: &str, count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:28} {bar:30} {pos}/{len} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(count as u64).with_style(style).with_message(what.to_owned())
}

/// People on a node that this program started: made and signed in by its command line, without passwords, thousands a
/// second. Those who are there already are signed in again: their access tokens are good for ten minutes from here.
pub async fn enrol(node: &Process, prefix: &str, count: usize) -> Result<Vec<Person>, anyhow::Error> {
    let bar = progress("making people", count);
    let mut command = tokio::process::Command::from(node.command(&["user", "add-all", "-", "--tokens", "--label", "load"]));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let names: String = (0..count).map(|n| format!("{prefix}{n}\n")).collect();
    let said = tokio::spawn(async move { stdin.context("no stdin")?.write_all(names.as_bytes()).await.context("it does not listen") });
    let mut lines = BufReader::new(stdout.context("no stdout")?).lines();
    let mut people = Vec::with_capacity(count);
    while let Some(line) = lines.next_line().await? {
        people.push(serde_json::from_str::<Enrolled>(&line).with_context(|| format!("the node's command line said: {line}"))?.into());
        bar.inc(1);
    }
    let ended = child.wait_with_output().await?;
    ensure!(ended.status.success(), "no people could be made: {}", String::from_utf8_lossy(&ended.stderr).trim());
    said.await??;
    ensure!(people.len() == count, "{} people were made where {count} were wanted", people.len());
    bar.finish_and_clear();
    Ok(people)
}

/// A line of `hubbub user add-all --tokens`.
#[derive(Deserialize)]
struct Enrolled {
    id: UserId,
    name: String,
    device: DeviceId,
    login: LoginId,
    access: String,
    expires_in_s: u32,
    refresh: String,
}

impl From<Enrolled> for Person {
    fn from(enrolled: Enrolled) -> Self {
        let Enrolled { id: user, name, device, login, access, expires_in_s, refresh } = enrolled;
        Self { name, device, tokens: Tokens { user, login, access, expires_in_s, refresh: Some(refresh) } }
    }
}

/// Signs people up, a few at a time: each password is hashed with all the care the node takes.
pub async fn sign_up(target: Target, prefix: &str, count: usize) -> Result<Vec<Person>, Error> {
    let bar = progress("signing up", count);
    let people = stream::iter(0..count)
        .map(|n| {
            let bar = bar.clone();
            let name = format!("{prefix}{n}");
            async move {
                let person = sign_up_one(Target { source: Some(source(n)), ..target }, name).await?;
                bar.inc(1);
                Ok::<_, Error>(person)
            }
        })
        .buffered(8);
    let people = people.try_collect().await?;
    bar.finish_and_clear();
    Ok(people)
}

/// A node that is busy hashing, or just going down, is asked again.
pub async fn sign_up_one(target: Target, name: String) -> Result<Person, Error> {
    let device = DeviceId(Uuid::now_v7());
    loop {
        match Api::nobody(target).sign_up(&name, PASSWORD, device).await {
            Ok(tokens) => return Ok(Person { name, device, tokens }),
            Err(error) if is_temporary(&error) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => return Err(error),
        }
    }
}

impl Person {
    /// The API with a login made now: the access token of the sign-up is good for ten minutes, and a run may take longer.
    /// Its refresh token is the client's, who may have used it.
    pub async fn reader(&self, target: Target) -> Result<Api, Error> {
        let tokens = Api::nobody(target).log_in(&self.name, PASSWORD, DeviceId(Uuid::now_v7())).await?;
        Ok(Api::signed_in(target, &tokens.access))
    }

    pub fn settings(&self, target: Target) -> Settings {
        Settings::new(target, self.device, self.tokens.clone())
    }
}

/// Makes groups of the people that `members` names for each; the first of them owns it.
pub async fn make_groups(target: Target, people: &[Person], members: Vec<Vec<usize>>) -> Result<Vec<RoomId>, Error> {
    let bar = progress("making rooms", members.len());
    let clock = Clock::start();
    let mut by_owner: Vec<Vec<(usize, Vec<usize>)>> = vec![Vec::new(); people.len()];
    let count = members.len();
    for (number, group) in members.into_iter().enumerate() {
        by_owner[group[0]].push((number, group));
    }
    let people = Arc::new(people.to_vec());
    let made = stream::iter(by_owner.into_iter().enumerate().filter(|(_, groups)| !groups.is_empty())).map(|(owner, groups)| {
        let (people, bar) = (Arc::clone(&people), bar.clone());
        async move {
            let client = Client::start(people[owner].settings(target), clock, Recorder::nowhere());
            let mut rooms = Vec::new();
            for (number, group) in groups {
                let others = group[1..].iter().map(|n| people[*n].tokens.user).collect();
                rooms.push((number, client.make_group(&format!("load {number}"), others).await?));
                bar.inc(1);
            }
            client.end().await?;
            Ok::<_, Error>(rooms)
        }
    });
    let made: Vec<Vec<_>> = made.buffer_unordered(16).try_collect().await?;
    bar.finish_and_clear();
    let mut rooms = vec![RoomId::default(); count];
    made.into_iter().flatten().for_each(|(number, room)| rooms[number] = room);
    Ok(rooms)
}
