//! Pure. What a run has done so far in the text format of Prometheus (version 0.0.4): counters and histograms by action, the
//! harness's own lag, the nodes as seen from here.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::measure::{Deed, Latencies, Tally, Timed};
use crate::report::Moment;
use crate::run::News;

/// Upper bounds of the histograms' buckets, in microseconds.
const BUCKETS_US: [u64; 15] =
    [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000];

type Count = fn(&Timed) -> u64;

#[derive(Debug, Default)]
pub struct Exposition {
    so_far: Tally,
    moment: Moment,
    faults: BTreeMap<String, u64>,
    is_running: bool,
}

impl Exposition {
    pub fn hear(&mut self, news: &News) {
        match news {
            News::Begun { .. } => self.is_running = true,
            News::Second(second) => {
                self.so_far.merge(&second.1);
                self.moment = second.0.clone();
            }
            // One that is over was told when it began.
            News::Fault(fault) if fault.until_s.is_none() => *self.faults.entry(fault.name.clone()).or_default() += 1,
            News::Converging => self.is_running = false,
            News::Fault(_) | News::Preparing { .. } | News::Wanted(_) | News::Auditing => {}
        }
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing into memory does not fail.
        self.write(&mut out).ok();
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let counters: [(&str, &str, Count); 4] = [
            ("begun", "Actions that were sent, or arrived.", |timed| timed.begun),
            ("done", "Actions that were answered, or arrived.", |timed| timed.done),
            ("refused", "Actions that were refused for good.", |timed| timed.refused),
            ("put_off", "Actions that were refused for now, and sent again.", |timed| timed.put_off),
        ];
        for (name, help, value) in counters {
            head(out, &format!("hubbub_bench_actions_{name}_total"), "counter", help)?;
            for deed in Deed::ALL {
                let value = value(self.so_far.of(*deed));
                writeln!(out, "hubbub_bench_actions_{name}_total{{action=\"{}\"}} {value}", deed.text())?;
            }
        }
        head(out, "hubbub_bench_latency_seconds", "histogram", "From when an action was intended until it was done.")?;
        for deed in Deed::ALL {
            let timed = self.so_far.of(*deed);
            if timed.done > 0 {
                histogram(out, "hubbub_bench_latency_seconds", &format!("action=\"{}\"", deed.text()), &timed.from_intended)?;
            }
        }
        head(out, "hubbub_bench_lag_seconds", "histogram", "Between when an action was intended and when it was sent.")?;
        histogram(out, "hubbub_bench_lag_seconds", "", &self.so_far.lag)?;
        self.write_gauges(out)
    }

    fn write_gauges(&self, out: &mut String) -> fmt::Result {
        head(out, "hubbub_bench_faults_total", "counter", "Faults that were made on purpose.")?;
        for (name, count) in &self.faults {
            writeln!(out, "hubbub_bench_faults_total{{fault=\"{}\"}} {count}", escaped(name))?;
        }
        let it = &self.moment;
        let gauges = [
            ("running", "Whether a phase is under way.", f64::from(u8::from(self.is_running))),
            ("run_seconds", "How far the run is.", it.at_s),
            ("connections", "Open connections.", it.connections as f64),
            ("unanswered", "Ordered requests without an answer yet.", it.unanswered as f64),
            ("broken_promises", "Lost, doubled, reordered, unauthorised or otherwise wrong, so far.", it.offences as f64),
            ("processor_ratio", "Of one processor, the busiest worker.", it.generator_cpu_percent / 100.0),
        ];
        for (name, help, value) in gauges {
            head(out, &format!("hubbub_bench_{name}"), "gauge", help)?;
            writeln!(out, "hubbub_bench_{name} {value}")?;
        }
        head(out, "hubbub_bench_node_processor_ratio", "gauge", "Of one processor, by node.")?;
        for (place, node) in it.nodes.iter().enumerate() {
            writeln!(out, "hubbub_bench_node_processor_ratio{{node=\"{place}\"}} {}", node.cpu_percent / 100.0)?;
        }
        head(out, "hubbub_bench_node_memory_bytes", "gauge", "Private memory, by node.")?;
        for (place, node) in it.nodes.iter().enumerate() {
            writeln!(out, "hubbub_bench_node_memory_bytes{{node=\"{place}\"}} {}", node.memory_bytes)?;
        }
        Ok(())
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn histogram(out: &mut String, name: &str, label: &str, of: &Latencies) -> fmt::Result {
    let comma = if label.is_empty() { "" } else { "," };
    for us in BUCKETS_US {
        writeln!(out, "{name}_bucket{{{label}{comma}le=\"{}\"}} {}", us as f64 / 1e6, of.count_up_to(us))?;
    }
    let (all, sum) = (of.count(), if of.is_empty() { 0.0 } else { of.mean() * of.count() as f64 / 1e6 });
    writeln!(out, "{name}_bucket{{{label}{comma}le=\"+Inf\"}} {all}")?;
    let labels = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
    writeln!(out, "{name}_sum{labels} {sum}\n{name}_count{labels} {all}")
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
#[path = "exposition_tests.rs"]
mod tests;
