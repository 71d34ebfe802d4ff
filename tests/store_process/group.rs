//! Nodes of one group on one store process; one alone is one too.

use std::path::Path;

use loadtest::process::{self, Process};

use super::{BINARY, Store};

pub struct Group(Vec<Process>);

impl Group {
    /// When all of them serve: the first founds the group, and lets the others in.
    pub async fn start(folder: &Path, store: &Store, count: usize) -> Self {
        let mut group = Self(Vec::new());
        for n in 0..count {
            let mut keys = store.keys();
            if count > 1 {
                keys.push(("cluster", "listen", format!("\"{}\"", process::free_address().unwrap())));
            }
            if let Some(first) = group.0.first() {
                keys.push(("cluster", "token", format!("\"{}\"", token(first))));
            }
            group.0.push(Process::start(Path::new(BINARY), &folder.join(n.to_string()), &keys, None).await.unwrap());
        }
        group
    }

    /// They go round.
    pub fn node(&mut self, n: u32) -> &mut Process {
        let count = self.0.len();
        &mut self.0[n as usize % count]
    }
    pub fn last_words(&self) -> String {
        self.0.iter().enumerate().map(|(n, node)| format!("node {n}:\n{}\n", node.last_words())).collect()
    }
}

fn token(node: &Process) -> String {
    let told = node.command(&["cluster", "token"]).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout).unwrap().trim().to_owned()
}
