//! Pure. A comparison as a page.

use super::begin;
use super::markup::{Cell, Markup};
use super::sections::number;
use crate::report::RunReport;
use crate::report::compare::{Change, Comparison, METHOD, Row, interval};

pub fn page(comparison: &Comparison, first: &[RunReport], second: &[RunReport]) -> String {
    let mut out = Markup::default();
    begin(&mut out, "Two sides of Hubbub load runs");
    let count = |change: Change| comparison.rows.iter().filter(|row| row.change == change).count();
    let (worse, better) = (count(Change::Worse), count(Change::Better));
    out.raw(if worse > 0 { "<header class=\"red\"><div>" } else { "<header><div>" });
    out.element(
        "h1",
        "",
        match (worse, better) {
            (0, 0) => "No difference beyond chance".to_owned(),
            (0, better) => format!("{better} figures are better, none is worse"),
            (worse, better) => format!("{worse} figures are worse, {better} are better"),
        },
    );
    let (none, unknown) = (count(Change::None), count(Change::Unknown));
    out.element("p", "", format!("Of {} figures {none} do not differ beyond chance, and {unknown} cannot be told.", comparison.rows.len()));
    out.raw("</div></header><main>");
    if !comparison.caveats.is_empty() {
        out.open("div", "note").element("b", "", "Beware: ").text(comparison.caveats.join(" · ")).close("div");
    }
    rows(comparison, &mut out);
    out.element("p", "soft", METHOD).element("h2", "", "The runs");
    for (side, runs) in [("first", first), ("second", second)] {
        out.element("h3", "", side).raw("<ul>");
        for run in runs {
            let version = run.server.version.as_deref().unwrap_or("version unknown");
            let said = format!(
                "{} of {}, {:?}, {version}, {}, run {}",
                run.scenario.name,
                super::moment(run.started_ms),
                run.verdict,
                run.machine.system,
                run.id
            );
            out.element("li", "", said);
        }
        out.raw("</ul>");
    }
    out.raw("</main></body></html>\n");
    out.into_string()
}

fn rows(comparison: &Comparison, out: &mut Markup) {
    let told: Vec<_> = comparison
        .rows
        .iter()
        .map(|row| {
            let Row { name, unit, first, second, .. } = row;
            (
                format!("{name} {unit}"),
                number(*first),
                number(*second),
                format!("{:+.1} %", row.change_percent()),
                interval(row),
                row.change,
            )
        })
        .collect();
    out.element("h2", "", "Figures");
    out.table(
        &["", "first", "second", "change", "95 % of changes", ""],
        told.iter().map(|(name, first, second, percent, interval, change)| {
            let class = match change {
                Change::Better => "better",
                Change::Worse => "worse",
                Change::None | Change::Unknown => "soft",
            };
            let numbers = [first, second, percent, interval].map(|text| Cell::Number(text));
            [Cell::Text(name)].into_iter().chain(numbers).chain([Cell::Mark(change.text(), class)]).collect()
        }),
    );
}
