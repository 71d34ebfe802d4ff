//! Whether the node has started, may get traffic, and lives: what probes ask. Told by wiring and by those who watch
//! something; decides nothing itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::RwLock;
use serde::Serialize;

/// Looks at one thing, at once and without waiting: what is wrong with it, in a sentence.
pub type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The store is being opened, slots are taken over: may take a minute after a crash.
    Starting,
    Serving,
    Draining,
}

#[derive(Clone, Default)]
pub struct Health(Arc<Inner>);

#[derive(Default)]
struct Inner {
    phase: AtomicU8,
    ready: RwLock<Vec<(&'static str, Check)>>,
    live: RwLock<Vec<(&'static str, Check)>>,
    notes: RwLock<Vec<(&'static str, Check)>>,
}

/// An answer to a probe: what is wrong, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub ok: bool,
    pub phase: Phase,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<String>,
    /// What is not as it should be and no reason to send people elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Health {
    pub fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Serving,
            _ => Phase::Draining,
        }
    }
    pub fn serving(&self) {
        self.0.phase.store(1, Ordering::Release);
    }
    pub fn draining(&self) {
        self.0.phase.store(2, Ordering::Release);
    }

    /// While this fails the node should get no new traffic.
    pub fn ready_while(&self, what: &'static str, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.0.ready.write().push((what, Box::new(check)));
    }
    /// Once this fails only a restart helps.
    pub fn live_while(&self, what: &'static str, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.0.live.write().push((what, Box::new(check)));
    }

    /// While this fails it is said to whoever asks whether the node is ready, which it is all the same.
    pub fn note_while(&self, what: &'static str, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.0.notes.write().push((what, Box::new(check)));
    }

    pub fn started(&self) -> Report {
        self.report(self.phase() != Phase::Starting, Vec::new())
    }
    pub fn ready(&self) -> Report {
        let notes = wrong(&self.0.notes.read());
        Report { notes, ..self.report(self.phase() == Phase::Serving, wrong(&self.0.ready.read())) }
    }
    pub fn live(&self) -> Report {
        self.report(true, wrong(&self.0.live.read()))
    }

    fn report(&self, phase_fits: bool, wrong: Vec<String>) -> Report {
        Report { ok: phase_fits && wrong.is_empty(), phase: self.phase(), wrong, notes: Vec::new() }
    }
}

fn wrong(checks: &[(&'static str, Check)]) -> Vec<String> {
    checks.iter().filter_map(|(what, check)| check().err().map(|why| format!("{what}: {why}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_ready_only_while_it_serves_and_nothing_is_wrong() {
        let health = Health::default();
        assert!(!health.started().ok && !health.ready().ok && health.live().ok);
        health.serving();
        assert!(health.started().ok && health.ready().ok);
        health.ready_while("store", || Err("the disk is nearly full".into()));
        assert_eq!(health.ready().wrong, ["store: the disk is nearly full"]);
        assert!(health.live().ok, "not ready is no reason to be killed");
        health.note_while("group", || Err("no quorum".into()));
        assert_eq!((health.ready().wrong.len(), health.ready().notes), (1, vec!["group: no quorum".to_owned()]));
        health.draining();
        assert!(health.started().ok && !health.ready().ok);
    }
}
