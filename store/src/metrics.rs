//! The store's numbers, as handles made once: the writer counts a group, never looks a name up.

use metrics::{Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

#[derive(Clone)]
pub struct Metrics {
    pub appends: Counter,
    pub appends_refused: Counter,
    pub rows: Counter,
    pub group_ops: Histogram,
    pub group_bytes: Histogram,
    pub fsync_seconds: Histogram,
    pub read_seconds: Histogram,
    pub queue_ops: Gauge,
    pub queue_bytes: Gauge,
    pub disk_free_bytes: Gauge,
    pub read_only: Gauge,
}

impl Metrics {
    pub fn new() -> Self {
        describe_counter!("hubbub_store_appends_total", "Blocks appended to journals");
        describe_counter!("hubbub_store_appends_refused_total", "Appends refused because the epoch or the head had moved");
        describe_counter!("hubbub_store_rows_total", "Rows written to records");
        describe_histogram!("hubbub_store_group_ops", "Calls that shared one commit");
        describe_histogram!("hubbub_store_group_bytes", "Bytes of one commit");
        describe_histogram!("hubbub_store_fsync_seconds", "One commit with its fsync");
        describe_histogram!("hubbub_store_read_seconds", "One read, from its start on a reader thread");
        describe_gauge!("hubbub_store_queue_ops", "Calls that wait for the writer");
        describe_gauge!("hubbub_store_queue_bytes", "Bytes that wait for the writer or are being written");
        describe_gauge!("hubbub_store_disk_free_bytes", "Free bytes on the data's disk");
        describe_gauge!("hubbub_store_read_only", "1 while appends are refused because the disk is nearly full");
        Self {
            appends: counter!("hubbub_store_appends_total"),
            appends_refused: counter!("hubbub_store_appends_refused_total"),
            rows: counter!("hubbub_store_rows_total"),
            group_ops: histogram!("hubbub_store_group_ops"),
            group_bytes: histogram!("hubbub_store_group_bytes"),
            fsync_seconds: histogram!("hubbub_store_fsync_seconds"),
            read_seconds: histogram!("hubbub_store_read_seconds"),
            queue_ops: gauge!("hubbub_store_queue_ops"),
            queue_bytes: gauge!("hubbub_store_queue_bytes"),
            disk_free_bytes: gauge!("hubbub_store_disk_free_bytes"),
            read_only: gauge!("hubbub_store_read_only"),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
