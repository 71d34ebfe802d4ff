//! Pure. The words and tables of a report's page.

use super::markup::{Cell, Markup};
use crate::report::screen::ms;
use crate::report::{Figure, Latency, Offending, RunReport, Threshold, Verdict};

/// What was broken comes before all else, with its messages.
pub fn offences(report: &RunReport, out: &mut Markup) {
    let it = &report.integrity;
    if report.verdict == Verdict::Green {
        return;
    }
    out.open("section", "offences").element("h3", "", "What was broken").raw("<ul>");
    for offence in &it.offences {
        let seq = offence.seq.map_or_else(String::new, |seq| format!(", seq {seq}"));
        out.open("li", "")
            .element("b", "", word(offence.kind))
            .text(format!(" in room {}{seq}: {}", offence.room, offence.what))
            .close("li");
    }
    let counted = it.lost + it.doubled + it.reordered + it.unauthorised + it.wrong;
    let more = counted.saturating_sub(it.offences.len() as u64);
    if more > 0 {
        out.element("li", "", format!("{more} more of these kinds were counted and are not named"));
    }
    if it.delivered != it.due {
        out.element(
            "li",
            "",
            format!("{} of {} deliveries that were due did not arrive", grouped(it.due.saturating_sub(it.delivered)), grouped(it.due)),
        );
    }
    if it.unknown > 0 {
        out.element("li", "", format!("{} requests never got an answer", it.unknown));
    }
    if it.rooms_audited != it.rooms {
        out.element("li", "", format!("{} of {} rooms could not be audited", it.rooms - it.rooms_audited.min(it.rooms), it.rooms));
    }
    out.raw("</ul>");
    if let Some(said) = &it.checker {
        out.element("h3", "", "What the checker of histories said").element("pre", "", said.trim_end());
    }
    out.close("section");
}

fn word(kind: Offending) -> &'static str {
    match kind {
        Offending::Lost => "Lost",
        Offending::Doubled => "Doubled",
        Offending::Reordered => "Reordered",
        Offending::Unauthorised => "Unauthorised",
        Offending::Wrong => "Wrong",
    }
}

pub fn notes(report: &RunReport, out: &mut Markup) {
    if !report.generator.certified {
        out.open("div", "note").element("b", "", "Not certified: do not quote the times. ");
        out.text(report.generator.reasons.join("; ")).text(". Counts and findings stand.").close("div");
    }
    if let Some(at_s) = report.stopped_s {
        out.element("div", "note", format!("It was ended by hand after {at_s:.0} s, before its phases were over."));
    }
    if report.integrity.uncompared > 0 {
        let late = report.integrity.uncompared;
        out.element("div", "note", format!("{late} events came so late that their bytes were not compared with those that others got."));
    }
}

/// What the mode is about, and the numbers everybody asks for.
pub fn tiles(report: &RunReport, out: &mut Markup) {
    out.open("div", "tiles");
    for Figure { name, value, unit, detail, .. } in &report.figures {
        tile(out, "tile", name, &number(*value), unit, detail);
    }
    for (action, name) in [("deliver", "Delivery"), ("post", "Acknowledgement")] {
        let Some(latency) = report.action(action).and_then(|it| it.from_intended.as_ref()) else { continue };
        let detail = format!("p50 {} ms, p99.9 {} ms, at most {} ms", ms(latency.p50_us), ms(latency.p999_us), ms(latency.max_us));
        tile(out, "tile", &format!("{name}, p99"), &ms(latency.p99_us), "ms", &detail);
    }
    for (action, name) in [("deliver", "Deliveries"), ("post", "Posts")] {
        let Some(it) = report.action(action) else { continue };
        let refused = match (it.refused, it.put_off) {
            (0, 0) => String::new(),
            (refused, put_off) => format!(", {refused} refused, {put_off} put off"),
        };
        tile(out, "tile", name, &grouped(it.per_second.round() as u64), "a second", &format!("{} in all{refused}", grouped(it.done)));
    }
    let it = &report.integrity;
    let lost = it.due.saturating_sub(it.delivered);
    tile(
        out,
        if lost > 0 { "tile missed" } else { "tile" },
        "Due and not delivered",
        &grouped(lost),
        "",
        &format!("of {}", grouped(it.due)),
    );
    if let Some((node, each)) = report.server.nodes.iter().find_map(|node| Some((node, node.cpu_us_per_delivery?))) {
        let detail = format!("at most {} MiB of memory", node.memory_bytes_max >> 20);
        tile(out, "tile", "Node, for a delivery", &number(each), "µs of processor", &detail);
    }
    out.close("div");
}

fn tile(out: &mut Markup, class: &'static str, name: &str, value: &str, unit: &str, detail: &str) {
    out.open("div", class).element("div", "name", name).open("div", "value").text(value);
    if !unit.is_empty() {
        out.raw(" ").element("small", "", unit);
    }
    out.close("div").element("div", "detail", detail).close("div");
}

pub fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => grouped(value.round() as u64),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// 1,234,567.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub fn thresholds(report: &RunReport, out: &mut Markup) {
    if report.thresholds.is_empty() {
        return;
    }
    out.element("h2", "", "Thresholds");
    let rows: Vec<_> =
        report.thresholds.iter().map(|it| (it, number(it.bound), it.found.map_or_else(|| "never happened".to_owned(), number))).collect();
    out.table(
        &["figure", "goal", "found", ""],
        rows.iter().map(|(Threshold { name, met, .. }, bound, found)| {
            let met = match met {
                Some(true) => Cell::Mark("kept", "word kept"),
                Some(false) => Cell::Mark("missed", "word missed"),
                None => Cell::Mark("not judged", "word open"),
            };
            vec![Cell::Text(name), Cell::Number(bound), Cell::Number(found), met]
        }),
    );
}

pub fn latencies(report: &RunReport, out: &mut Markup) {
    out.element("h2", "", "Times");
    out.element(
        "p",
        "soft",
        "Milliseconds from when each was intended; the last column from when it was really sent. Measured phases only.",
    );
    let rows: Vec<_> = report
        .actions
        .iter()
        .map(|action| {
            let Latency { p50_us, p90_us, p99_us, p999_us, max_us, .. } = action.from_intended.clone().unwrap_or_default();
            let actual = action.from_actual.as_ref().map_or(0, |latency| latency.p99_us);
            let mut cells = vec![action.name.clone(), grouped(action.done), number(action.per_second)];
            cells.extend([p50_us, p90_us, p99_us, p999_us, max_us, actual].map(ms));
            cells.extend([grouped(action.refused), grouped(action.put_off)]);
            cells
        })
        .collect();
    let heads = ["", "done", "a second", "p50", "p90", "p99", "p99.9", "max", "sent p99", "refused", "put off"];
    out.table(&heads, rows.iter().map(|row| cells(row)));
}

fn cells(row: &[String]) -> Vec<Cell<'_>> {
    row.iter().enumerate().map(|(place, text)| if place == 0 { Cell::Text(text) } else { Cell::Number(text) }).collect()
}

pub fn nodes(report: &RunReport, out: &mut Markup) {
    out.element("h2", "", "Nodes");
    if report.server.nodes.is_empty() {
        out.element("p", "soft", "No node's process could be watched from the machine that made the load.");
        return;
    }
    let rows: Vec<_> = report
        .server
        .nodes
        .iter()
        .map(|node| {
            let each = node.cpu_us_per_delivery.map_or_else(|| "–".to_owned(), number);
            vec![node.name.clone(), format!("{:.1}", node.cpu_us as f64 / 1e6), each, format!("{}", node.memory_bytes_max >> 20)]
        })
        .collect();
    out.table(&["", "s of processor", "µs a delivery", "MiB at most"], rows.iter().map(|row| cells(row)));
    if !report.faults.is_empty() {
        out.element("h3", "", "Faults");
        let rows: Vec<_> = report
            .faults
            .iter()
            .map(|fault| {
                let name = if fault.detail.is_empty() { fault.name.clone() } else { format!("{}, {}", fault.name, fault.detail) };
                vec![name, format!("{:.2}", fault.at_s), fault.until_s.map_or_else(|| "–".to_owned(), |until| format!("{until:.2}"))]
            })
            .collect();
        out.table(&["", "at s", "over at s"], rows.iter().map(|row| cells(row)));
    }
}

pub fn generator(report: &RunReport, out: &mut Markup) {
    let it = &report.generator;
    out.element("h2", "", "The harness itself");
    let (p99, most) = it.lag.as_ref().map_or((0, 0), |lag| (lag.p99_us, lag.max_us));
    out.open("p", "");
    match it.certified {
        true => out.element("span", "word kept", "Certified"),
        false => out.element("span", "word open", "Not certified"),
    };
    out.text(format!(
        ": {} with {} connections, the busiest at {:.0} % of a processor, own lag p99 {} ms, at most {} ms.",
        if it.workers == 1 { "one worker".to_owned() } else { format!("{} workers", it.workers) },
        it.connections,
        it.cpu_percent,
        ms(p99),
        ms(most)
    ));
    out.close("p").element("p", "soft", format!("The rule: {}.", it.rule));
}

pub fn integrity(report: &RunReport, out: &mut Markup) {
    let it = &report.integrity;
    out.element("h2", "", "Every message, counted");
    let rows = [
        (
            "requests asked · acknowledged · refused · without an answer",
            [it.asked, it.acked, it.refused, it.unknown].map(grouped).join(" · "),
        ),
        ("deliveries due · arrived · of them by pages", [it.due, it.delivered, it.paged].map(grouped).join(" · ")),
        (
            "lost · doubled · reordered · unauthorised · wrong",
            [it.lost, it.doubled, it.reordered, it.unauthorised, it.wrong].map(grouped).join(" · "),
        ),
        ("rooms audited through the history API · of", [it.rooms_audited, it.rooms].map(grouped).join(" · ")),
    ];
    out.raw("<dl>");
    for (name, value) in &rows {
        out.element("dt", "", name).element("dd", "", value);
    }
    if let Some(history) = &it.history {
        out.element("dt", "", "history").element("dd", "", history);
    }
    out.raw("</dl>");
    if let (Some(said), Verdict::Green) = (&it.checker, report.verdict) {
        out.element("h3", "", "What the checker of histories said").element("pre", "", said.trim_end());
    }
}

pub fn circumstances(report: &RunReport, out: &mut Markup) {
    let RunReport { machine, server, scenario, .. } = report;
    out.element("h2", "", "Where and how").raw("<dl>");
    let config = if server.config.is_empty() { "as the node had it".to_owned() } else { server.config.join("\n") };
    let rows = [
        ("machine", format!("{} × {}, {} GiB, {}", machine.processors, machine.model, machine.memory_bytes >> 30, machine.system)),
        ("node", format!("{} at {}", server.version.as_deref().unwrap_or("version unknown"), server.address)),
        ("scenario", format!("{}: {}", scenario.name, scenario.about)),
        ("seed", scenario.seed.to_string()),
        ("run", report.id.clone()),
    ];
    for (name, value) in &rows {
        out.element("dt", "", name).element("dd", "", value);
    }
    out.raw("</dl><details><summary>What the node's configuration differs in</summary>").element("pre", "", config).raw("</details>");
    out.raw("<details><summary>The whole scenario</summary>").element("pre", "", scenario.toml.trim_end()).raw("</details>");
    out.element("p", "soft", "Made by hubbub-bench from this run's run.json; `hubbub-bench report` makes it again.");
}
