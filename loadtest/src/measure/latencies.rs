//! Pure. A histogram of microseconds that can be sent, merged and told. Values above an hour count as an hour.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer, V2Serializer};
use serde::{Deserialize, Serialize};

use crate::report::Latency;

const DIGITS: u8 = 3;
const HOUR_US: u64 = 3_600_000_000;

#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new(DIGITS);
        Self(histogram.expect("three digits are within what a histogram takes"))
    }
}

impl Latencies {
    pub fn record(&mut self, us: u64) {
        // It grows by itself up to the largest value: the one error it knows cannot be.
        self.0.record(us.min(HOUR_US)).ok();
    }
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).ok();
    }
    pub fn clear(&mut self) {
        self.0.reset();
    }
    pub fn count(&self) -> u64 {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Microseconds at a quantile from 0 to 1.
    pub fn at(&self, quantile: f64) -> u64 {
        self.0.value_at_quantile(quantile)
    }
    pub fn max(&self) -> u64 {
        self.0.max()
    }

    pub fn told(&self) -> Option<Latency> {
        if self.0.is_empty() {
            return None;
        }
        let rounded = |quantile: f64| (quantile * 1e9).round() / 1e9;
        let spectrum = self.0.iter_quantiles(5).map(|step| (rounded(step.quantile_iterated_to()), step.value_iterated_to())).collect();
        Some(Latency {
            count: self.0.len(),
            min_us: self.0.min(),
            mean_us: self.0.mean(),
            p50_us: self.at(0.5),
            p90_us: self.at(0.9),
            p99_us: self.at(0.99),
            p999_us: self.at(0.999),
            max_us: self.0.max(),
            spectrum,
            hdr: self.hdr(),
        })
    }

    /// The whole histogram as text: V2 deflate, in base64.
    pub fn hdr(&self) -> String {
        STANDARD.encode(self.bytes(V2DeflateSerializer::new()))
    }

    /// Value and count of every step that has any, rising.
    pub fn steps(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
    }

    /// How many took at most so long.
    pub fn count_up_to(&self, us: u64) -> u64 {
        self.0.count_between(0, us)
    }

    pub fn mean(&self) -> f64 {
        self.0.mean()
    }

    /// Back from a report's `hdr`.
    pub fn from_told(hdr: &str) -> Option<Self> {
        Self::from_bytes(&STANDARD.decode(hdr).ok()?)
    }

    fn bytes<S: Serializer>(&self, mut serializer: S) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing into memory does not fail.
        serializer.serialize(&self.0, &mut bytes).ok();
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Deserializer::new().deserialize(&mut &*bytes).ok().map(Self)
    }
}

impl Serialize for Latencies {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.bytes(V2Serializer::new()))
    }
}

impl<'de> Deserialize<'de> for Latencies {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = bytes::Bytes::deserialize(deserializer)?;
        Self::from_bytes(&bytes).ok_or_else(|| serde::de::Error::custom("not a histogram"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::wire::{from_msgpack, to_msgpack};

    fn of(values: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        values.into_iter().for_each(|us| latencies.record(us));
        latencies
    }

    #[test]
    fn merged_parts_that_were_sent_are_the_one_histogram_of_all() {
        let all = of((1..20_000).map(|n| n * n % 1_000_003));
        let mut merged = Latencies::default();
        for part in 0..4 {
            let part = of((1..20_000).filter(|n| n % 4 == part).map(|n| n * n % 1_000_003));
            merged.merge(&from_msgpack(&to_msgpack(&part)).unwrap());
        }
        assert_eq!(merged.0, all.0);
        assert_eq!(merged.told().map(|told| told.spectrum), all.told().map(|told| told.spectrum));
    }

    #[test]
    fn what_is_told_can_be_read_back() {
        let all = of([5, 1000, 70_000, 70_001]);
        let told = all.told().unwrap();
        assert_eq!((told.count, told.min_us, told.max_us), (4, 5, 70_015));
        assert_eq!(Latencies::from_told(&told.hdr).unwrap().told(), Some(told));
        assert_eq!(Latencies::default().told(), None);
    }

    #[test]
    fn no_time_is_too_long_to_be_counted() {
        assert_eq!(of([u64::MAX]).count(), 1);
    }
}
