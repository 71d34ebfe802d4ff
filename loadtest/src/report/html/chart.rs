//! Pure. A chart as inline SVG that stretches with the page, its labels beside it as text, so that they are as large on a
//! telephone as anywhere. No script, no outside resource.

use std::fmt::Write;

use super::axis::Axis;
use super::markup::Markup;

pub struct Chart<'a> {
    pub title: &'a str,
    /// Of the values upwards.
    pub unit: &'a str,
    pub x: Axis,
    pub y: Axis,
    pub x_label: fn(f64) -> String,
    pub x_title: &'a str,
    pub series: Vec<Series>,
    /// Stretches to shade: phases that are not measured.
    pub bands: Vec<(f64, f64)>,
    /// Faults: when, and until when if that is known.
    pub marks: Vec<(f64, Option<f64>)>,
    /// A bound to stay below.
    pub bound: Option<f64>,
}

pub struct Series {
    pub name: String,
    /// Rising by x; a value that is no number interrupts the line.
    pub points: Vec<(f64, f64)>,
}

/// Points of a line on the page: more than anybody sees.
pub const POINTS_MAX: usize = 500;
/// The drawing's own units.
const WIDE: f64 = 1000.0;
const HIGH: f64 = 200.0;

impl Chart<'_> {
    pub fn write(&self, out: &mut Markup) {
        out.open("figure", "").open("figcaption", "").element("b", "", self.title).text(format!(" {}", self.unit));
        self.legend(out);
        out.close("figcaption").open("div", "plot").open("div", "y");
        for label in self.y.labels() {
            out.raw(&format!("<span style=\"bottom:{:.2}%\">", self.y.part(label) * 100.0)).text(super::axis::short(label)).raw("</span>");
        }
        out.close("div");
        out.raw(&self.drawing());
        out.open("div", "x");
        for label in self.x.labels() {
            let part = self.x.part(label) * 100.0;
            out.raw(&format!("<span style=\"left:{part:.2}%\">")).text((self.x_label)(label)).raw("</span>");
        }
        out.close("div").close("div").element("p", "x-title", self.x_title).close("figure");
    }

    fn legend(&self, out: &mut Markup) {
        out.open("span", "legend");
        for (place, series) in self.series.iter().enumerate() {
            out.raw(&format!("<span><i class=\"key k{}\"></i>", place % SERIES_COLOURS)).text(&series.name).raw("</span>");
        }
        if self.bound.is_some() {
            out.raw("<span><i class=\"key kb\"></i>bound</span>");
        }
        if !self.marks.is_empty() {
            out.raw("<span><i class=\"key kf\"></i>fault</span>");
        }
        if !self.bands.is_empty() {
            out.raw("<span><i class=\"key kw\"></i>not measured</span>");
        }
        out.close("span");
    }

    fn drawing(&self) -> String {
        let mut svg = format!("<svg viewBox=\"0 0 {WIDE} {HIGH}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
        let mut named = Markup::default();
        named.text(self.title);
        svg.push_str(&named.into_string());
        svg.push_str("\">");
        self.draw(&mut svg).ok();
        svg.push_str("</svg>");
        svg
    }

    fn draw(&self, svg: &mut String) -> std::fmt::Result {
        let (x, y) = (|at: f64| self.x.part(at) * WIDE, |value: f64| HIGH - self.y.part(value) * HIGH);
        for (from, to) in &self.bands {
            let (from, to) = (x(*from), x(*to));
            write!(svg, "<rect class=\"band\" x=\"{from:.1}\" y=\"0\" width=\"{:.1}\" height=\"{HIGH}\"/>", to - from)?;
        }
        for label in self.y.labels() {
            write!(svg, "<path class=\"grid\" d=\"M0 {0:.1}H{WIDE}\"/>", y(label))?;
        }
        for (at, until) in &self.marks {
            let at = x(*at);
            if let Some(until) = until {
                let wide = (x(*until) - at).max(0.0);
                write!(svg, "<rect class=\"away\" x=\"{at:.1}\" y=\"0\" width=\"{wide:.1}\" height=\"{HIGH}\"/>")?;
            }
            write!(svg, "<path class=\"fault\" d=\"M{at:.1} 0V{HIGH}\"/>")?;
        }
        if let Some(bound) = self.bound {
            write!(svg, "<path class=\"bound\" d=\"M0 {:.1}H{WIDE}\"/>", y(bound))?;
        }
        for (place, series) in self.series.iter().enumerate().rev() {
            write!(svg, "<path class=\"line s{}\" d=\"", place % SERIES_COLOURS)?;
            let mut pen_down = false;
            for (at, value) in &series.points {
                if value.is_nan() {
                    pen_down = false;
                    continue;
                }
                write!(svg, "{}{:.1} {:.1}", if pen_down { 'L' } else { 'M' }, x(*at), y(*value))?;
                pen_down = true;
            }
            svg.push_str("\"/>");
        }
        Ok(())
    }
}

pub const SERIES_COLOURS: usize = 5;

/// No more points than are seen: of neighbours, what `fold` makes of them.
pub fn thin(points: Vec<(f64, f64)>, fold: fn(&[f64]) -> f64) -> Vec<(f64, f64)> {
    let each = points.len().div_ceil(POINTS_MAX).max(1);
    if each == 1 {
        return points;
    }
    let thinned = points.chunks(each).map(|some| {
        let values: Vec<_> = some.iter().map(|(_, value)| *value).filter(|value| !value.is_nan()).collect();
        (some[0].0, if values.is_empty() { f64::NAN } else { fold(&values) })
    });
    thinned.collect()
}

pub fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::MIN, f64::max)
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_is_thinned_and_its_worst_moment_stays() {
        let mut points: Vec<_> = (0..30_000).map(|n| (f64::from(n), 1.0)).collect();
        points[12_345].1 = 99.0;
        let thinned = thin(points, most);
        assert!(thinned.len() <= POINTS_MAX && thinned.iter().any(|(_, value)| *value == 99.0));
    }

    #[test]
    fn a_gap_interrupts_the_line_and_a_fault_is_drawn_across() {
        let chart = Chart {
            title: "t",
            unit: "ms",
            x: Axis::even(0.0, 10.0),
            y: Axis::even(0.0, 10.0),
            x_label: super::super::axis::short,
            x_title: "s",
            series: vec![Series { name: "a".into(), points: vec![(0.0, 0.0), (5.0, f64::NAN), (10.0, 10.0)] }],
            bands: Vec::new(),
            marks: vec![(5.0, None)],
            bound: None,
        };
        let drawing = chart.drawing();
        assert!(drawing.contains("d=\"M0.0 200.0M1000.0 0.0\""), "{drawing}");
        assert!(drawing.contains("<path class=\"fault\" d=\"M500.0 0V200\"/>"), "{drawing}");
    }
}
