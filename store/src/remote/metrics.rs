//! What both sides count, through handles that are looked up once.

use std::sync::OnceLock;

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

pub struct Metrics {
    pub connected: Counter,
    pub lost: Counter,
    pub unknown: Counter,
    pub repeated: Counter,
    pub refused: Counter,
    pub waiting_calls: Gauge,
    pub waiting_bytes: Gauge,
    pub sent_calls: Gauge,
    pub sent_bytes: Gauge,
    pub away: Gauge,
    pub nodes: Gauge,
    pub turned_away: Counter,
    pub served: Counter,
    pub overflowed: Counter,
}

pub fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| {
        describe_counter!("hubbub_store_remote_connected_total", "Connections to the store process that were made");
        describe_counter!("hubbub_store_remote_lost_total", "Connections to the store process that broke");
        describe_counter!("hubbub_store_remote_unknown_total", "Writes whose outcome nobody could tell, which are repeated");
        describe_counter!("hubbub_store_remote_repeated_total", "Reads that were sent again after a connection broke");
        describe_counter!("hubbub_store_remote_refused_total", "Calls that were not taken because too much waited");
        describe_gauge!("hubbub_store_remote_waiting_calls", "Calls that wait to be sent to the store process");
        describe_gauge!("hubbub_store_remote_waiting_bytes", "Bytes of calls that wait to be sent to the store process");
        describe_gauge!("hubbub_store_remote_sent_calls", "Calls that the store process has not answered yet");
        describe_gauge!("hubbub_store_remote_sent_bytes", "Bytes of calls that the store process has not answered yet");
        describe_gauge!("hubbub_store_remote_away", "1 while there is no connection to the store process");
        describe_gauge!("hubbub_store_remote_nodes", "Connections of nodes to this store process");
        describe_counter!("hubbub_store_remote_turned_away_total", "Connections to this store process that were not let in");
        describe_counter!("hubbub_store_remote_served_total", "Calls of nodes that this store process answered");
        describe_counter!("hubbub_store_remote_overflowed_total", "Connections that this store process ended over their bounds");
        Metrics {
            connected: counter!("hubbub_store_remote_connected_total"),
            lost: counter!("hubbub_store_remote_lost_total"),
            unknown: counter!("hubbub_store_remote_unknown_total"),
            repeated: counter!("hubbub_store_remote_repeated_total"),
            refused: counter!("hubbub_store_remote_refused_total"),
            waiting_calls: gauge!("hubbub_store_remote_waiting_calls"),
            waiting_bytes: gauge!("hubbub_store_remote_waiting_bytes"),
            sent_calls: gauge!("hubbub_store_remote_sent_calls"),
            sent_bytes: gauge!("hubbub_store_remote_sent_bytes"),
            away: gauge!("hubbub_store_remote_away"),
            nodes: gauge!("hubbub_store_remote_nodes"),
            turned_away: counter!("hubbub_store_remote_turned_away_total"),
            served: counter!("hubbub_store_remote_served_total"),
            overflowed: counter!("hubbub_store_remote_overflowed_total"),
        }
    })
}
