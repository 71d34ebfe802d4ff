//! The people and rooms of a run: signed up and put together before its clock begins. Decides nothing about who is in which
//! room: the plan does.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use schema::client::Act;
use schema::{DeviceId, RoomId, RoomKind, RoomSettings, UserId};
use uuid::Uuid;

use super::job::Account;
use crate::client::{Api, Client, Error, Outcome, Settings, Target, is_temporary};
use crate::history::{Clock, Recorder};
use crate::plan::Crowd;

pub const PASSWORD: &str = "a load test's password";
/// Connections of one loopback address: a node's default bounds are 60 sign-ups, and 20 that have not said hello yet.
const PER_ADDRESS: u32 = 20;
/// People named when a room is made; more are invited.
const CREATE_MEMBERS_MAX: usize = 200;
/// Without any progress for so long, preparing is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The address of the n-th user: many of them in 127.0.0.0/8, so that bounds by address mean what they mean elsewhere.
pub fn source(first: u32, n: u32) -> IpAddr {
    let block = (first + n / PER_ADDRESS) % (254 * 250 * 250);
    Ipv4Addr::new(127, (1 + block / 62_500) as u8, (block / 250 % 250) as u8, (1 + block % 250) as u8).into()
}

/// Signs up so many people, told of each. Errors: the node refuses for good, or for a minute.
pub async fn sign_up(target: Target, sources: Option<u32>, prefix: &str, count: u32, tell: &(dyn Fn(u32) + Sync)) -> Result<Vec<Account>> {
    let done = std::sync::atomic::AtomicU32::new(0);
    let people = stream::iter(0..count)
        .map(|n| {
            let (name, done) = (format!("{prefix}{n}"), &done);
            let target = Target { source: sources.map(|first| source(first, n)), ..target };
            async move {
                let account = sign_up_one(target, &name).await.with_context(|| format!("{name} could not be signed up"))?;
                tell(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
                anyhow::Ok(account)
            }
        })
        .buffered(8);
    people.try_collect().await
}

async fn sign_up_one(target: Target, name: &str) -> Result<Account> {
    let (device, begun) = (DeviceId(Uuid::now_v7()), Instant::now());
    loop {
        match Api::nobody(target).sign_up(name, PASSWORD, device).await {
            Ok(tokens) => return Ok(Account { name: name.to_owned(), device, tokens }),
            Err(error) if is_temporary(&error) && begun.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(Error::Connect(error)) => bail!("nobody answers at {}: {error}", target.node),
            Err(error) => bail!(
                "{error}. A node lets one address sign up 60 people and then one each 30 s: ask for fewer accounts, or raise `auth.signups_per_address_burst`"
            ),
        }
    }
}

/// Makes the plan's rooms; returns each with its head.
pub async fn make_rooms(
    target: Target,
    sources: Option<u32>,
    accounts: &[Account],
    crowd: &Crowd,
    tell: &(dyn Fn(u32) + Sync),
) -> Result<Vec<(RoomId, u64)>> {
    let mut by_owner: Vec<Vec<usize>> = vec![Vec::new(); accounts.len()];
    crowd.rooms.iter().enumerate().for_each(|(number, room)| by_owner[room.members[0] as usize].push(number));
    let (clock, done) = (Clock::start(), std::sync::atomic::AtomicU32::new(0));
    let owners = by_owner.into_iter().enumerate().filter(|(_, rooms)| !rooms.is_empty());
    let made = stream::iter(owners).map(|(owner, rooms)| {
        let done = &done;
        async move {
            let Account { device, tokens, .. } = &accounts[owner];
            let from = Target { source: sources.map(|first| source(first, owner as u32)), ..target };
            let client = Arc::new(Client::start(Settings::new(from, *device, tokens.clone()), clock, Recorder::nowhere()));
            let mut made = Vec::new();
            for number in rooms {
                let members: Vec<_> = crowd.rooms[number].members.iter().map(|member| accounts[*member as usize].tokens.user).collect();
                let room = make_room(&client, number, &members).await.with_context(|| format!("room number {number} could not be made"))?;
                made.push((number, room));
                tell(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
            }
            if let Some(client) = Arc::into_inner(client) {
                client.end().await?;
            }
            anyhow::Ok(made)
        }
    });
    let made: Vec<Vec<_>> = made.buffer_unordered(16).try_collect().await?;
    let mut rooms = vec![(RoomId::default(), 0); crowd.rooms.len()];
    made.into_iter().flatten().for_each(|(number, room)| rooms[number] = room);
    Ok(rooms)
}

async fn make_room(client: &Client, number: usize, members: &[UserId]) -> Result<(RoomId, u64)> {
    let (first, more) = members[1..].split_at((members.len() - 1).min(CREATE_MEMBERS_MAX));
    let id = RoomId(Uuid::now_v7());
    let settings = RoomSettings { name: format!("load {number}"), ..RoomSettings::default() };
    let create = Act::Create { kind: RoomKind::Group, settings, members: first.to_vec() };
    patient(client.ask(id, create)).await?;
    for some in more.chunks(200) {
        let mut invited = Vec::new();
        for user in some {
            invited.push(client.submit(id, Act::Invite { user: *user }).await?);
        }
        for answer in invited {
            if let Outcome::Refused(refusal) = patient(async { answer.await.map_err(|_| Error::Ended) }).await? {
                bail!("an invitation was refused: {}", refusal.message);
            }
        }
    }
    Ok((id, 1 + more.len() as u64))
}

async fn patient<T>(asking: impl Future<Output = Result<T, Error>>) -> Result<T> {
    let answer = tokio::time::timeout(PATIENCE, asking).await;
    Ok(answer.context("the node did not answer within a minute; its own bounds may be in the way (`limits.user_events_per_minute`)")??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_has_more_than_its_share_and_all_are_loopback() {
        for first in [0, 77, 15_000_000] {
            let mut counts = std::collections::HashMap::new();
            for n in 0..20_000 {
                let address = source(first, n);
                assert!(address.is_loopback());
                *counts.entry(address).or_insert(0) += 1;
            }
            assert!(counts.values().all(|count| *count == PER_ADDRESS));
        }
    }
}
