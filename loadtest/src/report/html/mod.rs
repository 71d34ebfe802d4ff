//! Pure. A report as one page that needs nothing else: no script, no font, no picture from anywhere. What it says is the
//! report's; nothing is decided here.

mod axis;
mod chart;
mod charts;
mod compared;
mod markup;
mod sections;

use markup::Markup;
use sections::grouped;

use super::{RunReport, Verdict, judge};

pub use compared::page as comparison;

/// The whole document.
pub fn page(report: &RunReport) -> String {
    let mut out = Markup::default();
    let colour = if report.verdict == Verdict::Green { "GREEN" } else { "RED" };
    begin(&mut out, &format!("{colour}: {} · Hubbub load run", report.scenario.name));
    banner(report, &mut out);
    out.raw("<main>");
    sections::offences(report, &mut out);
    sections::notes(report, &mut out);
    sections::tiles(report, &mut out);
    sections::thresholds(report, &mut out);
    sections::latencies(report, &mut out);
    charts::latencies(report, &mut out);
    charts::loads(report, &mut out);
    sections::nodes(report, &mut out);
    charts::nodes(report, &mut out);
    sections::generator(report, &mut out);
    charts::generator(report, &mut out);
    sections::integrity(report, &mut out);
    sections::circumstances(report, &mut out);
    out.raw("</main></body></html>\n");
    out.into_string()
}

fn begin(out: &mut Markup, title: &str) {
    out.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    // Not even by mistake: nothing is loaded, nothing is run.
    out.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    out.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.element("title", "", title).raw("\n<style>").raw(include_str!("style.css")).raw("</style></head><body>\n");
}

fn banner(report: &RunReport, out: &mut Markup) {
    let it = &report.integrity;
    let missed = report.thresholds.iter().filter(|threshold| threshold.met == Some(false)).count();
    out.raw(if report.verdict == Verdict::Red { "<header class=\"red\"><div>" } else { "<header><div>" });
    match report.verdict {
        Verdict::Red => out.element("h1", "", "RED: a promise was broken"),
        Verdict::Green if missed > 0 => out.element("h1", "", "GREEN, and a threshold was missed"),
        Verdict::Green => out.element("h1", "", "GREEN: nothing was lost"),
    };
    let said = match report.verdict {
        Verdict::Green => format!(
            "All {} deliveries that were due arrived: once, in order, where they were due. {} requests were acknowledged.",
            grouped(it.due),
            grouped(it.acked)
        ),
        Verdict::Red => format!(
            "Lost {}, doubled {}, reordered {}, unauthorised {}, otherwise wrong {}. Of {} deliveries due {} arrived.",
            it.lost,
            it.doubled,
            it.reordered,
            it.unauthorised,
            it.wrong,
            grouped(it.due),
            grouped(it.delivered)
        ),
    };
    out.element("p", "", said);
    let version = report.server.version.as_deref().unwrap_or("version unknown");
    let meta = format!(
        "{} ({}) · {} · {} users in {} rooms · {} · {:.0} s · exit code {}",
        report.scenario.name,
        report.mode,
        version,
        it.receivers,
        it.rooms,
        moment(report.started_ms),
        report.elapsed_s,
        report.exit_code
    );
    out.element("p", "meta", meta);
    if report.exit_code == judge::NOT_CERTIFIED {
        out.element("p", "", "Its thresholds on times could not be judged: the harness itself was too slow.");
    }
    out.raw("</div></header>\n");
}

/// Day and time of the world's clock, by the civil-from-days algorithm (H. Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
fn moment(ms: u64) -> String {
    let (days, seconds) = ((ms / 86_400_000) as i64, ms / 1000 % 86_400);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
