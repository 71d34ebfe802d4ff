//! The README's first command, as somebody meets it who tries Hubbub: it starts, says who may log in, stops on Ctrl-C, keeps
//! its data, drops it when told to, and says in a sentence what stands in its way.

use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use schema::event::{RoomKind, RoomSettings};
use schema::id::{DeviceId, RoomId};
use schema::rest::{CreateRoom, Landed, LogIn, PostMessage, SignUp, Tokens};
use uuid::Uuid;

use super::tally::Tally;
use crate::run;
use crate::up::node::{self, free_port, is_free};
use crate::up::rest::{Api, Ask};
use crate::up::talk;

/// What it promises, and the look at it.
type Step = (&'static str, fn(&Place) -> Result<()>);

const STEPS: &[Step] = &[
    ("the first start answers, and the demo's people can log in", first_start),
    ("the second start has what was there, and a taken port is named", second_start),
    ("with a store process it has what was there, and names that process when it is killed", store_process),
    ("a node that is killed ends it with a sentence", killed),
    ("three nodes share the rooms, and two go on when the third is killed", three_nodes),
    ("the three come up again", three_again),
    ("of three one is drained and removed, and the next start has a new one in its place", replaced),
    ("one node does not open the data of three, and says so", of_three),
    ("a fresh start has dropped what was there", fresh_start),
];

/// Which program is started where.
struct Place {
    node: PathBuf,
    home: PathBuf,
    port: u16,
}

impl Place {
    fn address(&self) -> String {
        self.address_of(1)
    }
    fn address_of(&self, node: u16) -> String {
        format!("http://127.0.0.1:{}", self.port + (node - 1))
    }
}

/// With the program that the tests built. The steps build on each other: the first that fails is the last.
pub fn prove(node: PathBuf) -> Result<Tally> {
    let home = std::path::absolute(run::target_folder()?.join("up"))?;
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    let place = Place { node, home, port: free_ports()? };
    let mut tally = Tally::default();
    for (promise, step) in STEPS {
        step(&place).with_context(|| format!("broken: {promise}"))?;
        println!("ok: {promise}");
        tally.add(Tally::success());
    }
    Ok(tally)
}

/// The first of three that nobody has, one after the other.
fn free_ports() -> Result<u16> {
    let runs = (30_000..32_000).step_by(3);
    let start = usize::from(free_port()? % 600);
    runs.skip(start).find(|port| (*port..port + 3).all(is_free)).context("no three ports in a row are free")
}

/// A `cargo xtask up` of which every line is read, so that nothing is waited for but what it says.
struct Up {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    api: Api,
}

impl Up {
    fn spawn(place: &Place, more: &[&str]) -> Result<Self> {
        let mut up = Command::new(std::env::current_exe()?);
        up.args(["up", "--port", &place.port.to_string(), "--home"]).arg(&place.home).arg("--node").arg(&place.node).args(more);
        let mut child = up.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("its output")?;
        Ok(Self { child, lines: BufReader::new(stdout).lines(), api: Api::new(place.address()) })
    }

    fn start(place: &Place, more: &[&str]) -> Result<Self> {
        let mut up = Self::spawn(place, more)?;
        let said = up.until("Ctrl-C stops it")?;
        ensure!(said.iter().any(|line| line.contains(&place.address())), "it does not say its address: {said:?}");
        ensure!(said.iter().any(|line| line.contains(talk::PASSWORD)), "it does not say how to log in: {said:?}");
        Ok(up)
    }

    fn until(&mut self, sentence: &str) -> Result<Vec<String>> {
        let mut said = Vec::new();
        for line in self.lines.by_ref() {
            said.push(line?);
            if said.last().is_some_and(|line| line.contains(sentence)) {
                return Ok(said);
            }
        }
        let mut error = String::new();
        std::io::Read::read_to_string(&mut self.child.stderr.take().context("its errors")?, &mut error)?;
        anyhow::bail!("it ended before it said \"{sentence}\":\n{}\n{error}", said.join("\n"))
    }

    /// What it says on its way out, and whether it counts as a success.
    fn end(mut self) -> Result<(bool, String)> {
        let mut said = String::new();
        for line in self.lines.by_ref() {
            said += &line?;
        }
        std::io::Read::read_to_string(&mut self.child.stderr.take().context("its errors")?, &mut said)?;
        Ok((self.child.wait()?.success(), said))
    }

    fn ctrl_c(self) -> Result<()> {
        signal(self.child.id(), Signal::INT)?;
        let (success, said) = self.end()?;
        ensure!(success && said.contains("stopped"), "Ctrl-C did not end it in order: {said}");
        Ok(())
    }

    fn log_in(&self, name: &str) -> Result<Tokens> {
        let (device, label) = (DeviceId(Uuid::now_v7()), String::new());
        let ask = Ask { method: "POST", path: "/v1/auth/login".into(), token: "", key: None };
        self.api.ask(&ask, &LogIn { name: name.into(), password: talk::PASSWORD.into(), device, label })
    }

    /// In a new room of that person, or the one given.
    fn post(&self, name: &str, text: &str, room: Option<RoomId>) -> Result<RoomId> {
        let token = &self.log_in(name)?.access;
        let ask = |path: String| Ask { method: "POST", path, token, key: Some(Uuid::now_v7()) };
        let room = match room {
            Some(room) => room,
            None => {
                let (room, kind, members) = (Some(RoomId(Uuid::now_v7())), RoomKind::Group, Vec::new());
                let settings = RoomSettings { name: text.into(), ..RoomSettings::default() };
                let made: Landed = self.api.ask(&ask("/v1/rooms".into()), &CreateRoom { room, kind, settings, members })?;
                made.room
            }
        };
        let said = PostMessage { text: text.into(), reply: None, after: None };
        let _: Landed = self.api.ask(&ask(format!("/v1/rooms/{room}/messages")), &said)?;
        Ok(room)
    }
}

fn signal(process: u32, signal: Signal) -> Result<()> {
    Ok(kill_process(Pid::from_raw(process.cast_signed()).context("a process")?, signal)?)
}

fn first_start(place: &Place) -> Result<()> {
    let up = Up::start(place, &[])?;
    for person in talk::cast()?.people {
        up.log_in(&person.name)?;
    }
    let ask = Ask { method: "POST", path: "/v1/auth/signup".into(), token: "", key: None };
    let (name, password, device) = ("guest".into(), talk::PASSWORD.into(), DeviceId(Uuid::now_v7()));
    let _: Tokens = up.api.ask(&ask, &SignUp { name, display: String::new(), password, device, label: String::new(), invite: None })?;
    up.ctrl_c()
}

fn second_start(place: &Place) -> Result<()> {
    let up = Up::start(place, &[])?;
    up.log_in("guest").context("who signed up is forgotten")?;
    let (success, said) = Up::spawn(place, &["--fresh"])?.end()?;
    ensure!(!success && said.contains(&format!("port {} is taken", place.port)), "a second one beside it said: {said}");
    up.log_in("guest").context("the one beside it dropped the data of the first")?;
    up.ctrl_c()
}

/// The next step opens the same data without it.
fn store_process(place: &Place) -> Result<()> {
    let up = Up::start(place, &["--store", "remote"])?;
    up.log_in("guest").context("the store process does not have what was there")?;
    up.ctrl_c()?;
    let up = Up::start(place, &["--store", "remote"])?;
    let store = std::fs::read_to_string(place.home.join("data/store/lock"))?;
    signal(store.trim().parse().context("the lock names its process")?, Signal::KILL)?;
    let (success, said) = up.end()?;
    ensure!(!success && said.contains("the store process ended by itself"), "it said: {said}");
    Ok(())
}

fn killed(place: &Place) -> Result<()> {
    let up = Up::start(place, &[])?;
    up.log_in("guest").context("what was in the store process is not there without it")?;
    let node = std::fs::read_to_string(place.home.join("data/store/lock"))?;
    signal(node.trim().parse().context("the lock names its process")?, Signal::KILL)?;
    let (success, said) = up.end()?;
    ensure!(!success && said.contains("the node ended by itself"), "it said: {said}");
    Ok(())
}

/// Through each of them, and then through those that are left.
fn three_nodes(place: &Place) -> Result<()> {
    let mut up = Up::spawn(place, &["--nodes", "3"])?;
    let said = up.until("Ctrl-C stops it")?;
    let mut rooms = Vec::new();
    for node in 1..=3 {
        ensure!(said.iter().any(|line| line.contains(&place.address_of(node))), "it does not say where node {node} is: {said:?}");
        ensure!(node::answers(place.port + (node - 1)), "node {node} has no page");
        up.api = Api::new(place.address_of(node));
        rooms.push(up.post("guest", &format!("made by node {node}"), None)?);
    }
    let kill = said.iter().find_map(|line| line.strip_prefix("kill -9 ")?.split(' ').next()).context("it does not say what to kill")?;
    signal(kill.parse()?, Signal::KILL)?;
    let third = numbers_called(&said).pop().context("it does not say what the group calls the third")?;
    up.until(&format!("node {third} ended"))?;
    for node in 1..=2 {
        up.api = Api::new(place.address_of(node));
        for room in &rooms {
            up.post("guest", "still here", Some(*room)).with_context(|| format!("node {node} without node 3"))?;
        }
    }
    up.ctrl_c()
}

/// The last step left the third behind.
fn three_again(place: &Place) -> Result<()> {
    let mut up = Up::start(place, &["--nodes", "3"])?;
    for node in 1..=3 {
        up.api = Api::new(place.address_of(node));
        up.log_in("guest").with_context(|| format!("node {node}"))?;
    }
    up.ctrl_c()
}

fn replaced(place: &Place) -> Result<()> {
    let mut up = Up::spawn(place, &["--nodes", "3"])?;
    let said = up.until("Ctrl-C stops it")?;
    let second = numbers_called(&said).get(1).copied().context("it does not say what the group calls the second")?;
    let ask = |words: &[&str]| {
        let data = place.home.join("node-1/data");
        Command::new(&place.node).arg("cluster").args(words).arg(second.to_string()).env("HUBBUB_NODE_DATA_DIR", data).output()
    };
    let drained = ask(&["drain"])?;
    ensure!(drained.status.success(), "{}", String::from_utf8_lossy(&drained.stderr));
    // Refused while it has slots.
    while !ask(&["remove"])?.status.success() {
        std::thread::sleep(std::time::Duration::from_millis(100)); // poll
    }
    up.until(&format!("node {second} ended"))?;
    up.ctrl_c()?;
    let mut up = Up::spawn(place, &["--nodes", "3"])?;
    let said = up.until("Ctrl-C stops it")?;
    ensure!(said.iter().any(|line| line.contains("a new one takes its place")), "it does not say that one is new: {said:?}");
    let now = numbers_called(&said);
    ensure!(now.len() == 3 && !now.contains(&second), "the group calls them {now:?}, and {second} was removed");
    for node in 1..=3 {
        up.api = Api::new(place.address_of(node));
        up.log_in("guest").with_context(|| format!("the node at {}", place.address_of(node)))?;
    }
    up.ctrl_c()
}

/// What the group calls the nodes, in their order.
fn numbers_called(said: &[String]) -> Vec<u64> {
    let line = said.iter().find_map(|line| line.strip_prefix("Their group calls them "));
    let names = line.into_iter().flat_map(|line| line.split(", ")).filter_map(|name| name.strip_prefix("node "));
    names.filter_map(|number| number.parse().ok()).collect()
}

fn of_three(place: &Place) -> Result<()> {
    let (success, said) = Up::spawn(place, &[])?.end()?;
    ensure!(!success && said.contains("`--nodes 3` or more"), "it said: {said}");
    Ok(())
}

fn fresh_start(place: &Place) -> Result<()> {
    let up = Up::start(place, &["--fresh"])?;
    ensure!(up.log_in("guest").is_err(), "somebody of the dropped data can still log in");
    up.ctrl_c()
}

impl Drop for Up {
    /// An early return leaves no node behind: `up` stops its own.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = signal(self.child.id(), Signal::TERM);
            let _ = self.child.wait();
        }
    }
}
