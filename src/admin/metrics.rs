//! The process's one recorder of metrics, and its page for Prometheus.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use parking_lot::Mutex;

static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Without upkeep histograms grow for ever.
const UPKEEP: Duration = Duration::from_secs(5);

const SECONDS: &[f64] =
    &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 1_048_576.0];

/// Before the first metric is touched: handles made earlier count into nothing. Again in the same process: the same one.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let mut installed = HANDLE.lock();
    if let Some(handle) = &*installed {
        return Ok(handle.clone());
    }
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?.set_buckets(SIZES)?;
    Ok(installed.insert(builder.install_recorder()?).clone())
}

/// Runs until it is dropped.
pub async fn upkeep(handle: PrometheusHandle) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tick.tick().await;
        handle.run_upkeep();
    }
}
