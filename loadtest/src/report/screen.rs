//! A report as one screen of plain lines. The numbers are the report's; nothing is decided here.

use std::fmt::Write;

use super::{Action, Latency, RunReport, Verdict};

/// Milliseconds with as many digits as help.
pub fn ms(us: u64) -> String {
    let ms = us as f64 / 1000.0;
    match us {
        0..=9_999 => format!("{ms:.2}"),
        10_000..=99_999 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

pub fn screen(report: &RunReport) -> String {
    let mut text = String::new();
    head(report, &mut text).ok();
    actions(report, &mut text).ok();
    integrity(report, &mut text).ok();
    certificate(report, &mut text).ok();
    verdict(report, &mut text).ok();
    text
}

fn head(report: &RunReport, out: &mut String) -> std::fmt::Result {
    let RunReport { scenario, server, machine, integrity, .. } = report;
    let version = server.version.as_deref().unwrap_or("unknown version");
    writeln!(out, "{} · {}", scenario.name, scenario.about)?;
    writeln!(
        out,
        "node {} ({version}) · {} processors, {} · {} GiB",
        server.address,
        machine.processors,
        machine.system,
        machine.memory_bytes >> 30
    )?;
    writeln!(out, "{} users in {} rooms · seed {} · {:.0} s", integrity.receivers, integrity.rooms, scenario.seed, report.elapsed_s)?;
    if !server.config.is_empty() {
        writeln!(out, "the node ran with {}", server.config.join(" "))?;
    }
    writeln!(out)
}

fn actions(report: &RunReport, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "{:9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  ms from when it was intended",
        "", "done", "per s", "p50", "p99", "p99.9", "max"
    )?;
    for action in &report.actions {
        let Action { name, done, per_second, from_intended, refused, put_off, .. } = action;
        let Latency { p50_us, p99_us, p999_us, max_us, .. } = from_intended.clone().unwrap_or_default();
        write!(out, "{name:9} {done:>9} {per_second:>9.1} {:>9} {:>9} {:>9} {:>9}", ms(p50_us), ms(p99_us), ms(p999_us), ms(max_us))?;
        match (refused, put_off) {
            (0, 0) => writeln!(out)?,
            (refused, put_off) => writeln!(out, "  {refused} refused, {put_off} put off")?,
        }
    }
    for node in &report.server.nodes {
        let each = node.cpu_us_per_delivery.map_or_else(String::new, |us| format!(", {us:.1} µs a delivery"));
        writeln!(
            out,
            "{}: {:.1} s of processor time{each}, at most {} MiB",
            node.name,
            node.cpu_us as f64 / 1e6,
            node.memory_bytes_max >> 20
        )?;
    }
    for fault in &report.faults {
        let until = fault.until_s.map_or_else(String::new, |until| format!(", over at {until:.2} s"));
        writeln!(out, "fault at {:.2} s: {} {}{until}", fault.at_s, fault.name, fault.detail)?;
    }
    for figure in &report.figures {
        writeln!(out, "{}: {:.2} {} {}", figure.name, figure.value, figure.unit, figure.detail)?;
    }
    writeln!(out)
}

fn integrity(report: &RunReport, out: &mut String) -> std::fmt::Result {
    let it = &report.integrity;
    writeln!(out, "asked {} · acknowledged {} · refused {} · without an answer {}", it.asked, it.acked, it.refused, it.unknown)?;
    writeln!(
        out,
        "deliveries due {} · arrived {}, {} of them by pages · rooms audited {} of {}",
        it.due, it.delivered, it.paged, it.rooms_audited, it.rooms
    )?;
    writeln!(
        out,
        "lost {} · doubled {} · reordered {} · unauthorised {} · wrong {}",
        it.lost, it.doubled, it.reordered, it.unauthorised, it.wrong
    )?;
    for offence in it.offences.iter().take(8) {
        writeln!(out, "  {:?} in room {}: {}", offence.kind, offence.room, offence.what)?;
    }
    if it.uncompared > 0 {
        writeln!(out, "  {} events came so late that their bytes were not compared with others'", it.uncompared)?;
    }
    if let (Some(history), said) = (&it.history, &it.checker) {
        let said = said.as_deref().unwrap_or("not judged").trim_end().replace('\n', "\n  ");
        writeln!(out, "history in {history}:\n  {said}")?;
    }
    Ok(())
}

fn certificate(report: &RunReport, out: &mut String) -> std::fmt::Result {
    let it = &report.generator;
    let (p99, most) = it.lag.as_ref().map_or((0, 0), |lag| (lag.p99_us, lag.max_us));
    writeln!(
        out,
        "harness: {} workers, busiest {:.0} % of a processor, own lag p99 {} ms, at most {} ms",
        it.workers,
        it.cpu_percent,
        ms(p99),
        ms(most)
    )?;
    if it.certified {
        return writeln!(out, "its times are certified");
    }
    it.reasons.iter().try_for_each(|reason| writeln!(out, "NOT CERTIFIED, do not quote the times: {reason}"))
}

fn verdict(report: &RunReport, out: &mut String) -> std::fmt::Result {
    for threshold in &report.thresholds {
        let found = threshold.found.map_or_else(|| "never happened".to_owned(), |found| format!("{found:.2}"));
        let met = match threshold.met {
            Some(true) => "kept",
            Some(false) => "MISSED",
            None => "not judged",
        };
        writeln!(out, "threshold {} {}: {found}, {met}", threshold.name, threshold.bound)?;
    }
    match report.verdict {
        Verdict::Green => writeln!(out, "GREEN: everything that was acknowledged arrived, once, in order, where it was due"),
        Verdict::Red => writeln!(out, "RED: a promise was broken"),
    }
}
