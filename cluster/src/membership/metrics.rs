//! What a node knows of its group, as figures.

use std::sync::OnceLock;

use metrics::{Gauge, gauge};

use crate::state::{State, Status};

pub struct Metrics {
    nodes: Gauge,
    down: Gauge,
    moving: Gauge,
    led: Gauge,
}

pub fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| Metrics {
        nodes: gauge!("hubbub_cluster_group_nodes"),
        down: gauge!("hubbub_cluster_group_down"),
        moving: gauge!("hubbub_cluster_group_moving"),
        led: gauge!("hubbub_cluster_group_led"),
    })
}

impl Metrics {
    pub fn show(&self, state: &State, is_led: bool) {
        let down = state.nodes.values().filter(|node| node.status == Status::Down).count();
        self.nodes.set(state.nodes.len() as f64);
        self.down.set(down as f64);
        self.moving.set(state.slots.iter().filter(|slot| slot.moving.is_some()).count() as f64);
        self.led.set(f64::from(is_led));
    }
}
