//! What the link counts, through handles that are looked up once.

use std::sync::OnceLock;

use metrics::{Counter, Gauge, counter, gauge};

use super::frame::Lane;

pub struct Metrics {
    /// Connections of ours that were greeted.
    pub connected: Counter,
    /// Connections of ours that ended after that.
    pub lost: Counter,
    /// Those of them that ended because too much waited.
    pub overflowed: Counter,
    pub sent_bytes: Counter,
    pub received_bytes: Counter,
    /// Said or asked and not sent yet, by all links of this process.
    pub queue_bytes: Gauge,
    pub refused: Counter,
    /// What was said, asked and answered; what only keeps a connection is not in it.
    words: [Counter; 2],
}

impl Metrics {
    pub fn words(&self, lane: Lane) -> &Counter {
        &self.words[lane as usize]
    }
}

pub fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| Metrics {
        connected: counter!("hubbub_cluster_link_connected_total"),
        lost: counter!("hubbub_cluster_link_lost_total"),
        overflowed: counter!("hubbub_cluster_link_overflowed_total"),
        sent_bytes: counter!("hubbub_cluster_link_sent_bytes_total"),
        received_bytes: counter!("hubbub_cluster_link_received_bytes_total"),
        queue_bytes: gauge!("hubbub_cluster_link_queue_bytes"),
        refused: counter!("hubbub_cluster_link_refused_total"),
        words: ["group", "chat"].map(|lane| counter!("hubbub_cluster_link_words_total", "lane" => lane)),
    })
}
