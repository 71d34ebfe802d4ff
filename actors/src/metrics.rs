//! Metrics of this crate: handles are looked up once, since a look-up by name costs eight times an increment.

use std::sync::OnceLock;

use ::metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::admission::Full;
use crate::shed::Class;

pub struct Metrics {
    pub admitted: Counter,
    pub refused: Counter,
    busy: [Counter; 3],
    pub waiting_bytes: Gauge,
    pub waiting_slot_bytes: Gauge,
    pub tail_bytes: Gauge,
    pub tail_slot_bytes: Gauge,
    pub appends_waiting: Gauge,
    pub pages_kept_bytes: Gauge,
    pub pages_read: Counter,
    shed: [Counter; 3],
    pub applied: Counter,
    pub shown: Counter,
    pub held_events: Gauge,
    pub held_bytes: Gauge,
    pub held_overflows: Counter,
    pub append_unknown: Counter,
    pub slot_stops: Counter,
    pub block_events: Histogram,
    pub project_seconds: Histogram,
    /// Requests to rooms of other nodes, and those that nobody answered in time.
    pub forwarded: Counter,
    pub forwards_lost: Counter,
    pub shown_abroad: Counter,
    pub follows_lost: Counter,
    pub words_unknown: Counter,
    pub rooms_awake: Gauge,
    pub rooms_woken: Counter,
    pub sessions_awake: Gauge,
    pub sessions_woken: Counter,
}

impl Metrics {
    pub fn busy(&self, full: Full) -> &Counter {
        &self.busy[full as usize]
    }
    pub fn shed(&self, class: Class) -> &Counter {
        &self.shed[class as usize]
    }
}

pub fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| Metrics {
        admitted: counter!("hubbub_actors_requests_admitted_total"),
        refused: counter!("hubbub_actors_requests_refused_total"),
        busy: ["room", "slot", "node"].map(|full| counter!("hubbub_actors_requests_busy_total", "full" => full)),
        waiting_bytes: gauge!("hubbub_actors_waiting_bytes"),
        waiting_slot_bytes: gauge!("hubbub_actors_waiting_slot_bytes"),
        tail_bytes: gauge!("hubbub_actors_tail_bytes"),
        tail_slot_bytes: gauge!("hubbub_actors_tail_slot_bytes"),
        appends_waiting: gauge!("hubbub_actors_appends_waiting"),
        pages_kept_bytes: gauge!("hubbub_actors_pages_kept_bytes"),
        pages_read: counter!("hubbub_actors_pages_read_total"),
        shed: ["presence", "history", "send"].map(|class| counter!("hubbub_actors_shed_total", "class" => class)),
        applied: counter!("hubbub_actors_events_applied_total"),
        shown: counter!("hubbub_actors_events_shown_total"),
        held_events: gauge!("hubbub_actors_reactions_held"),
        held_bytes: gauge!("hubbub_actors_reactions_held_bytes"),
        held_overflows: counter!("hubbub_actors_reactions_held_overflows_total"),
        append_unknown: counter!("hubbub_actors_appends_unknown_total"),
        slot_stops: counter!("hubbub_actors_slot_stops_total"),
        block_events: histogram!("hubbub_actors_block_events"),
        project_seconds: histogram!("hubbub_actors_project_seconds"),
        forwarded: counter!("hubbub_actors_requests_forwarded_total"),
        forwards_lost: counter!("hubbub_actors_requests_forwarded_lost_total"),
        shown_abroad: counter!("hubbub_actors_frames_shown_abroad_total"),
        follows_lost: counter!("hubbub_actors_rooms_lost_total"),
        words_unknown: counter!("hubbub_actors_words_unknown_total"),
        rooms_awake: gauge!("hubbub_actors_rooms_awake"),
        rooms_woken: counter!("hubbub_actors_rooms_woken_total"),
        sessions_awake: gauge!("hubbub_actors_sessions_awake"),
        sessions_woken: counter!("hubbub_actors_sessions_woken_total"),
    })
}
