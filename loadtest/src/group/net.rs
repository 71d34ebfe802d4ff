//! A network of its own for a group's processes: each in a namespace of its own with one address, all on one bridge in one
//! more, where the load comes from. What goes from one to another can be lost, all of it or a part. Linux, root, `ip` and
//! `nft`. Goes with this value; what a killed program left behind goes when the next one is made.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// One sentence: what this machine lacks, or what it said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// A process's place in the network, from 0.
pub type Host = usize;

/// How many of a hundred packets are lost on the way; by receiver and sender.
type Losses = BTreeMap<Host, BTreeMap<Host, u32>>;

#[derive(Debug)]
pub struct Net {
    /// Of its namespaces' names; `<prefix>hub` has the bridge.
    prefix: String,
    hosts: usize,
    losses: Mutex<Losses>,
}

const NAMES: &str = "hubbub-";
static MADE: AtomicU32 = AtomicU32::new(0);

impl Net {
    /// Errors: what is missing here, and how to get it.
    pub fn make(hosts: usize) -> Result<Self, Error> {
        lack()?;
        forget_the_dead()?;
        let prefix = format!("{NAMES}{}-{}-", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let net = Self { prefix, hosts, losses: Mutex::default() };
        let hub = net.hub();
        ip(&["netns", "add", &hub])?;
        for line in ["link set lo up", "link add bridge0 type bridge", "link set bridge0 up"] {
            ip(&within(&hub, line))?;
        }
        ip(&within(&hub, &format!("address add {}/24 dev bridge0", Ipv4Addr::new(198, 18, 0, 254))))?;
        for host in 0..hosts {
            let name = net.name(host);
            ip(&["netns", "add", &name])?;
            ip(&within(&hub, &format!("link add h{host} type veth peer name eth0 netns {name}")))?;
            ip(&within(&hub, &format!("link set h{host} master bridge0 up")))?;
            ip(&within(&name, "link set lo up"))?;
            ip(&within(&name, &format!("address add {}/24 dev eth0", Self::address(host))))?;
            ip(&within(&name, "link set eth0 up"))?;
        }
        Ok(net)
    }

    /// Of the range kept for measuring (RFC 2544): it leaves no machine.
    pub fn address(host: Host) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, 0, 1 + host as u8)
    }

    fn hub(&self) -> String {
        format!("{}hub", self.prefix)
    }
    fn name(&self, host: Host) -> String {
        format!("{}{host}", self.prefix)
    }

    /// This thread, and those that it makes from now on, are where the load comes from.
    pub fn enter(&self) -> Result<(), Error> {
        let said = |error: io::Error| Error(format!("the namespace of the load cannot be entered: {error}"));
        let file = File::open(format!("/run/netns/{}", self.hub())).map_err(said)?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).map_err(|error| said(error.into()))
    }

    /// What a program is started by to be there.
    pub fn at(&self, host: Host) -> Vec<String> {
        ["ip", "netns", "exec", &self.name(host)].map(str::to_owned).to_vec()
    }

    /// From now on so many of a hundred packets from one to the other are lost.
    pub fn lose(&self, from: Host, to: Host, percent: u32) -> Result<(), Error> {
        let mut losses = self.losses.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        losses.entry(to).or_default().insert(from, percent);
        self.set(to, &losses[&to])
    }

    /// Both ways.
    pub fn part(&self, one: Host, other: Host) -> Result<(), Error> {
        self.lose(one, other, 100)?;
        self.lose(other, one, 100)
    }

    /// Everything reaches everybody again.
    pub fn heal(&self) -> Result<(), Error> {
        let mut losses = self.losses.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for host in std::mem::take(&mut *losses).into_keys() {
            self.set(host, &BTreeMap::new())?;
        }
        Ok(())
    }

    /// All of a host's rules at once, as the kernel takes them.
    fn set(&self, host: Host, losses: &BTreeMap<Host, u32>) -> Result<(), Error> {
        let rules: String = losses.iter().map(|(from, percent)| rule(Self::address(*from), *percent)).collect();
        let table = format!("flush ruleset\ntable ip loss {{ chain in {{ type filter hook input priority 0\n{rules}}}\n}}\n");
        let mut nft = Command::new("ip");
        nft.args(["netns", "exec", &self.name(host), "nft", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let fed = nft.spawn().and_then(|mut child| {
            child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(table.as_bytes()))?;
            child.wait_with_output()
        });
        match fed {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                Err(Error(format!("nft does not take the rules of host {host}: {}", String::from_utf8_lossy(&output.stderr).trim())))
            }
            Err(error) => Err(Error(format!("nft: {error}"))),
        }
    }
}

fn rule(from: Ipv4Addr, percent: u32) -> String {
    match percent {
        0 => String::new(),
        100.. => format!("ip saddr {from} drop\n"),
        _ => format!("ip saddr {from} numgen random mod 100 < {percent} drop\n"),
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for host in 0..self.hosts {
            ip(&["netns", "delete", &self.name(host)]).ok();
        }
        ip(&["netns", "delete", &self.hub()]).ok();
    }
}

/// Whether namespaces can be made here. Errors: a sentence that says what is missing and how to get it.
pub fn lack() -> Result<(), Error> {
    if !rustix::process::geteuid().is_root() {
        return Err(Error("only root can make network namespaces: run it as root, or in a container with --privileged".into()));
    }
    for (program, package) in [("ip", "iproute2"), ("nft", "nftables")] {
        if !Command::new(program).arg("-V").output().is_ok_and(|output| output.status.success()) {
            return Err(Error(format!("{program} is missing: `apt-get install {package}`")));
        }
    }
    let tried = format!("{NAMES}{}-try", std::process::id());
    let made = ip(&["netns", "add", &tried]);
    let rules = made.and_then(|()| ip(&["netns", "exec", &tried, "nft", "add", "table", "ip", "try"]));
    ip(&["netns", "delete", &tried]).ok();
    rules.map_err(|Error(why)| Error(format!("this kernel or container makes no network namespaces with nftables: {why}")))
}

/// Namespaces of programs that are gone.
fn forget_the_dead() -> Result<(), Error> {
    let Ok(names) = std::fs::read_dir("/run/netns") else { return Ok(()) };
    for name in names.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let made_by = name.strip_prefix(NAMES).and_then(|rest| rest.split('-').next());
        if made_by.is_some_and(|pid| !std::path::Path::new("/proc").join(pid).exists()) {
            ip(&["netns", "delete", &name])?;
        }
    }
    Ok(())
}

fn within<'a>(namespace: &'a str, line: &'a str) -> Vec<&'a str> {
    ["-n", namespace].into_iter().chain(line.split(' ')).collect()
}

fn ip(arguments: &[&str]) -> Result<(), Error> {
    match Command::new("ip").args(arguments).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(Error(format!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))),
        Err(error) => Err(Error(format!("ip: {error}"))),
    }
}
