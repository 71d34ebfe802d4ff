//! People on a node that this program started: made and signed in by its command line, without passwords, thousands a second.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use schema::rest::Tokens;
use schema::{DeviceId, LoginId, UserId};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::{Person, Tell};
use crate::process::Process;

/// Those who are there already are signed in again: their access tokens are good for ten minutes from here.
pub async fn enrol(node: &Process, prefix: &str, count: u32, tell: Tell<'_>) -> Result<Vec<Person>> {
    let mut command = tokio::process::Command::from(node.command(&["user", "add-all", "-", "--tokens", "--label", "load"]));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let names: String = (0..count).map(|n| format!("{prefix}{n}\n")).collect();
    let said = tokio::spawn(async move { stdin.context("no stdin")?.write_all(names.as_bytes()).await.context("it does not listen") });
    let mut lines = BufReader::new(stdout.context("no stdout")?).lines();
    let mut people = Vec::with_capacity(count as usize);
    while let Some(line) = lines.next_line().await? {
        people.push(serde_json::from_str::<Enrolled>(&line).with_context(|| format!("the node's command line said: {line}"))?.into());
        tell(people.len() as u32);
    }
    let ended = child.wait_with_output().await?;
    ensure!(ended.status.success(), "no people could be made: {}", String::from_utf8_lossy(&ended.stderr).trim());
    said.await??;
    ensure!(people.len() == count as usize, "{} people were made where {count} were wanted", people.len());
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
