//! The numbers that an operator sees are the numbers of what happened.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use parking_lot::Mutex;
use schema::SlotId;
use schema::record::Table;
use store::{Append, Appended, Embedded, EmbeddedConfig, Fenced, Journal, Records, Write};
use uuid::Uuid;

/// Counters as they are, gauges as the bits of an `f64`, histograms by how often they were recorded.
#[derive(Default)]
struct Numbers(Mutex<HashMap<String, Arc<AtomicU64>>>);

impl Numbers {
    fn cell(&self, key: &Key) -> Arc<AtomicU64> {
        self.0.lock().entry(key.name().to_owned()).or_default().clone()
    }
    fn count(&self, name: &str) -> u64 {
        self.0.lock()[name].load(Ordering::Relaxed)
    }
    fn gauge(&self, name: &str) -> f64 {
        f64::from_bits(self.count(name))
    }
}

struct Times(Arc<AtomicU64>);

impl HistogramFn for Times {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Recorder for Numbers {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Times(self.cell(key))))
    }
}

#[tokio::test]
async fn the_numbers_are_of_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let free = Arc::new(AtomicU64::new(1 << 40));
    let told = free.clone();
    let config = EmbeddedConfig {
        cache_bytes: 8 << 20,
        reserve_bytes: 1 << 30,
        ballast_bytes: 0,
        disk_interval: Duration::ZERO,
        free_bytes: Box::new(move |_| Ok(told.load(Ordering::Relaxed))),
        ..EmbeddedConfig::default()
    };
    let numbers = Numbers::default();
    let store = metrics::with_local_recorder(&numbers, || Embedded::open(folder.path(), config)).unwrap();
    let slot = SlotId(1);
    let append = |head| Append { slot, epoch: 1, head, batch: Uuid::from_u128(u128::from(head) + 1), block: Bytes::from_static(b"block") };
    assert_eq!(store.fence(slot, 1).await.unwrap(), Fenced::Ok { head: 0 });
    assert_eq!(store.append(append(0)).await.unwrap(), Appended::Applied);
    assert_eq!(store.append(append(1)).await.unwrap(), Appended::Applied);
    assert!(matches!(store.append(append(0)).await.unwrap(), Appended::Moved { .. }));
    let row =
        |sort: &[u8]| Write { key: schema::record::Key::new(Table::Members, &[b"room"], &[sort]), stamp: 1, value: Some(Bytes::new()) };
    store.put_many(vec![row(b"a"), row(b"b"), row(b"a")]).await.unwrap();
    store.read(slot, 1, 1).await.unwrap();
    free.store(1 << 29, Ordering::Relaxed);
    store.append(append(2)).await.unwrap_err();
    drop(store);
    assert_eq!(numbers.count("hubbub_store_appends_total"), 2);
    assert_eq!(numbers.count("hubbub_store_appends_refused_total"), 1);
    assert_eq!(numbers.count("hubbub_store_rows_total"), 2);
    assert_eq!(numbers.count("hubbub_store_fsync_seconds"), 3);
    assert_eq!(numbers.count("hubbub_store_group_ops"), 4);
    assert_eq!(numbers.count("hubbub_store_group_bytes"), 4);
    assert_eq!(numbers.count("hubbub_store_read_seconds"), 1);
    assert_eq!(numbers.gauge("hubbub_store_disk_free_bytes"), f64::from(1 << 29));
    assert_eq!(numbers.gauge("hubbub_store_read_only"), 1.0);
}
