//! Groups of people, made by their owners: each owner comes once and makes all of theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use schema::client::Act;
use schema::{RoomId, UserId};

use super::{PATIENCE, Person, Tell, source};
use crate::client::{Client, Error, Outcome, Target};
use crate::history::{Clock, Recorder};

/// People named when a room is made; more are invited, so many at a time.
const CREATE_MEMBERS_MAX: usize = 200;
/// Owners at a time.
const PARALLEL: usize = 16;

/// A group for each list of people, by their places in `people`; the first of a list owns it. Returns each with its head.
pub async fn make_rooms(
    target: Target,
    sources: Option<u32>,
    people: &[Person],
    rooms: &[Vec<usize>],
    tell: Tell<'_>,
) -> Result<Vec<(RoomId, u64)>> {
    let mut by_owner: Vec<Vec<usize>> = vec![Vec::new(); people.len()];
    rooms.iter().enumerate().for_each(|(number, members)| by_owner[members[0]].push(number));
    let (clock, done) = (Clock::start(), AtomicU32::new(0));
    let owners = by_owner.into_iter().enumerate().filter(|(_, numbers)| !numbers.is_empty());
    let made = stream::iter(owners).map(|(owner, numbers)| {
        let done = &done;
        async move {
            let from = Target { source: sources.map(|first| source(first, owner as u32)), ..target };
            let client = Arc::new(Client::start(people[owner].settings(from), clock, Recorder::nowhere()));
            let mut made = Vec::new();
            for number in numbers {
                let members: Vec<_> = rooms[number][1..].iter().map(|place| people[*place].tokens.user).collect();
                let room = make_room(&client, number, &members).await.with_context(|| format!("room number {number} could not be made"))?;
                made.push((number, room));
                tell(done.fetch_add(1, Ordering::Relaxed) + 1);
            }
            if let Some(client) = Arc::into_inner(client) {
                client.end().await?;
            }
            anyhow::Ok(made)
        }
    });
    let made: Vec<Vec<_>> = made.buffer_unordered(PARALLEL).try_collect().await?;
    let mut all = vec![(RoomId::default(), 0); rooms.len()];
    made.into_iter().flatten().for_each(|(number, room)| all[number] = room);
    Ok(all)
}

/// `members`: without the owner.
async fn make_room(client: &Client, number: usize, members: &[UserId]) -> Result<(RoomId, u64)> {
    let (first, more) = members.split_at(members.len().min(CREATE_MEMBERS_MAX));
    let room = patient(client.make_group(&format!("load {number}"), first.to_vec())).await?;
    for some in more.chunks(CREATE_MEMBERS_MAX) {
        let mut invited = Vec::new();
        for user in some {
            invited.push(client.submit(room, Act::Invite { user: *user }).await?);
        }
        for answer in invited {
            if let Outcome::Refused(refusal) = patient(async { answer.await.map_err(|_| Error::Ended) }).await? {
                bail!("an invitation was refused: {}", refusal.message);
            }
        }
    }
    Ok((room, 1 + more.len() as u64))
}

async fn patient<T>(asking: impl Future<Output = Result<T, Error>>) -> Result<T> {
    let answer = tokio::time::timeout(PATIENCE, asking).await;
    Ok(answer.context("the node did not answer within a minute; its own bounds may be in the way (`limits.user_events_per_minute`)")??)
}
