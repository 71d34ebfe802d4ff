//! The people and rooms of a run, put on its nodes before its clock begins, and each worker's part of them.

use anyhow::Result;
use schema::RoomId;

use super::job::Job;
use super::nodes::Watched;
use super::places::Places;
use super::{News, Options, Tell};
use crate::people::{Person, make_rooms, sign_up};
use crate::plan::Crowd;
use crate::scenario::Scenario;

pub struct Prepared {
    accounts: Vec<Person>,
    pub rooms: Vec<(RoomId, u64)>,
    pub places: Places,
}

/// Nodes that share nothing have the accounts and rooms that the plan gives each; a group is asked by its first.
pub async fn prepare(scenario: &Scenario, options: &Options, tell: Tell<'_>) -> Result<Prepared> {
    let crowd = Crowd::of(scenario);
    // Runs one after the other come from other addresses: sign-ups are bounded by address for hours.
    let is_here = options.addresses.iter().all(|address| address.ip().is_loopback());
    let sources = is_here.then(|| rand::random_range(0..10_000_000));
    let places = Places { nodes: options.addresses.clone(), together: options.group.is_some(), sources, trust: options.trust.clone() };
    let open = places.open()?;
    let prefix = format!("load-{:08x}-", rand::random::<u32>());
    let mut accounts = vec![None; crowd.accounts() as usize];
    let mut rooms = vec![(RoomId::default(), 0); crowd.rooms.len()];
    let (mut signed_up, mut made) = (0, 0);
    for (node, address) in (0..).zip(&options.addresses).take(crowd.nodes() as usize) {
        let here: Vec<_> = (0..crowd.accounts()).filter(|account| crowd.node(*account) == node).collect();
        let signing_up = |done| tell(News::Preparing { what: "signing up", done: signed_up + done, all: crowd.accounts() });
        let started = options.nodes.get(node as usize).filter(|_| options.nodes.iter().all(Watched::is_breakable));
        let people = match started {
            Some(node) => node.enrol(&prefix, here.len() as u32, &signing_up).await?,
            None => sign_up(open.node(*address), sources, &prefix, here.len() as u32, &signing_up).await?,
        };
        signed_up += here.len() as u32;
        let place = |account: &u32| here.binary_search(account).unwrap_or_default();
        let rooms_here: Vec<_> = (0..).zip(&crowd.rooms).filter(|(_, room)| room.node == node).collect();
        let members: Vec<Vec<_>> = rooms_here.iter().map(|(_, room)| room.members.iter().map(place).collect()).collect();
        let making = |done| tell(News::Preparing { what: "making rooms", done: made + done, all: crowd.rooms.len() as u32 });
        let ids = make_rooms(open.node(*address), sources, &people, &members, &making).await?;
        made += ids.len() as u32;
        rooms_here.iter().zip(ids).for_each(|((number, _), room): (&(usize, _), _)| rooms[*number] = room);
        here.into_iter().zip(people).for_each(|(account, person)| accounts[account as usize] = Some(person));
    }
    Ok(Prepared { accounts: accounts.into_iter().flatten().collect(), rooms, places })
}

impl Prepared {
    /// What the worker of this number is to do.
    pub fn job(&self, scenario: &Scenario, options: &Options, worker: u32, workers: u32, epoch_us: u64) -> Job {
        let accounts = (0..).zip(&self.accounts).filter(|(number, _)| number % workers == worker);
        Job {
            scenario: scenario.clone(),
            worker,
            workers,
            places: self.places.clone(),
            accounts: accounts.map(|(number, account)| (number, account.clone())).collect(),
            rooms: self.rooms.clone(),
            history: options.history.clone(),
            epoch_us,
            connecting_max: options.connecting_max,
            reconnecting_max: options.reconnecting_max,
            converge_us: options.converge.as_micros() as u64,
        }
    }
}
