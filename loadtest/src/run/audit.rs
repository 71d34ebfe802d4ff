//! The end of a run: every room is read whole through the history API and held against what was acknowledged and seen.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use schema::rest::Page;
use schema::{ErrorCode, Event};
use tokio::time::Instant;

use super::job::Job;
use super::user::Shared;
use crate::client::{Error, Target, is_temporary};
use crate::history::Entry;
use crate::people::Person;
use crate::plan::{Crowd, Room};
use crate::report::Offending;

const PAGE: usize = 200;
/// Rooms that are read at a time.
const ROOMS_AT_A_TIME: usize = 8;
/// A page that a node in trouble does not give within this time fails the run.
const PATIENCE: Duration = Duration::from_secs(60);

/// The heads of the rooms that this worker's accounts made.
pub async fn heads(job: &Job, shared: &Shared) -> Result<Vec<(u32, u64)>> {
    let crowd = Crowd::of(&job.scenario);
    let own: HashSet<_> = job.accounts.iter().map(|(account, _)| *account).collect();
    let asking = (0..).zip(&crowd.rooms).filter(|(_, plan)| own.contains(&plan.members[0])).map(|(room, plan)| {
        let (owner, target) = (plan.members[0], shared.places.of(&crowd, plan.members[0]));
        async move { anyhow::Ok((room, page(room, job.rooms[room as usize].1, 1, owner, target, job, shared).await?.head)) }
    });
    stream::iter(asking).buffer_unordered(ROOMS_AT_A_TIME).try_collect().await
}

/// Reads the rooms of these users; returns which there were.
pub async fn audit(job: &Job, users: &[u32], shared: &Shared) -> Result<BTreeSet<u32>> {
    let crowd = Crowd::of(&job.scenario);
    // One reader for each room.
    let mut rooms: HashMap<u32, u32> = HashMap::new();
    for user in users {
        rooms.extend(crowd.rooms_of(*user).iter().map(|room| (*room, *user)));
    }
    let audited = RefCell::new(BTreeSet::new());
    let reading = stream::iter(&rooms).map(|(room, user)| {
        let (target, account) = (shared.places.of(&crowd, *user), crowd.account(*user));
        let (audited, crowd) = (&audited, &crowd);
        async move {
            read(job, crowd, *room, account, target, shared).await?;
            audited.borrow_mut().insert(*room);
            anyhow::Ok(())
        }
    });
    reading.buffer_unordered(ROOMS_AT_A_TIME).try_collect::<()>().await?;
    Ok(audited.into_inner())
}

async fn read(job: &Job, crowd: &Crowd, room: u32, account: u32, target: Target, shared: &Shared) -> Result<()> {
    let (id, base) = job.rooms[room as usize];
    let recording = job.history.is_some();
    // A history has the whole room; the ledger knows what the run itself made.
    let mut after = if recording { 0 } else { base };
    let mut whole: Vec<Event> = Vec::new();
    let head = loop {
        let page = page(room, after, PAGE, account, target, job, shared).await?;
        let Page { events, head, .. } = page;
        let mut books = shared.books.borrow_mut();
        if events.is_empty() && after < head {
            let what = format!("the history gives nothing after seq {after}, and says that its head is {head}");
            books.ledger.offences.add(Offending::Lost, id, Some(after + 1), what);
            break head;
        }
        for event in events {
            if event.seq != after + 1 {
                let what = format!("the history has seq {} after {after}", event.seq);
                books.ledger.offences.add(Offending::Lost, id, Some(after + 1), what);
            }
            after = event.seq;
            books.ledger.audited(room, &event);
            if recording {
                whole.push(event);
            }
        }
        if after >= head {
            break head;
        }
    };
    shared.books.borrow_mut().ledger.closed(room, head);
    knock(job, crowd, room, target, shared).await;
    if recording {
        let entry = Entry::Final { room: id, base, head, events: whole };
        shared.recorder.borrow_mut().write(shared.clock.now_us(), &entry);
    }
    Ok(())
}

/// Somebody who is no member asks for the room. Any page is one too many; whatever else is answered is fine.
async fn knock(job: &Job, crowd: &Crowd, room: u32, target: Target, shared: &Shared) {
    let Room { members, node, .. } = &crowd.rooms[room as usize];
    let members: HashSet<_> = members.iter().collect();
    let is_stranger = |account: &u32| crowd.node(*account) == *node && !members.contains(account);
    let Some((stranger, Person { name, .. })) = job.accounts.iter().find(|(account, _)| is_stranger(account)) else { return };
    let Ok(api) = shared.accounts.api(*stranger, target).await else { return };
    let id = job.rooms[room as usize].0;
    if let Ok(page) = api.page_after(id, 0, 1).await {
        let what = format!("{name} is no member and was given {} events of the history", page.events.len());
        shared.books.borrow_mut().ledger.offences.add(Offending::Unauthorised, id, Some(page.from), what);
    }
}

async fn page(room: u32, after: u64, limit: usize, account: u32, mut target: Target, job: &Job, shared: &Shared) -> Result<Page> {
    let begun = Instant::now();
    loop {
        let api = shared.accounts.api(account, target).await;
        let page = match api {
            Ok(api) => api.page_after(job.rooms[room as usize].0, after, limit).await,
            Err(error) => Err(error),
        };
        match page {
            // By a clock that is ahead of the one that made the token.
            Err(Error::Problem(problem)) if problem.code == ErrorCode::TokenExpired.text() && begun.elapsed() < PATIENCE => {
                shared.accounts.renew(account, target).await?;
            }
            Err(error) if is_temporary(&error) && begun.elapsed() < PATIENCE => {
                target = shared.places.after(target);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            page => return page.with_context(|| format!("room number {room} could not be read")),
        }
    }
}
