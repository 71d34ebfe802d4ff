//! Pure. One axis of a chart: where a value is, and which values are worth a label.

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    Even,
    /// Each step is ten times the last; values are above 0.
    Tenfold,
}

/// From `low` to `high`, as a part from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Axis {
    pub fn even(low: f64, high: f64) -> Self {
        Self { scale: Scale::Even, low, high: if high > low { high } else { low + 1.0 } }
    }

    /// From 0 up to a round number that no value is above.
    pub fn from_zero(values: impl Iterator<Item = f64>) -> Self {
        let most = values.fold(0.0, f64::max);
        let step = step_of(most);
        Self::even(0.0, (most / step).ceil() * step)
    }

    /// Whole powers of ten around all values above 0.
    pub fn tenfold(values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = values.filter(|value| *value > 0.0).fold((f64::MAX, f64::MIN_POSITIVE), |(a, b), it| (a.min(it), b.max(it)));
        let (least, most) = if least > most { (1.0, 10.0) } else { (least, most) };
        let (low, high) = (least.log10().floor(), most.log10().ceil());
        Self { scale: Scale::Tenfold, low: 10f64.powf(low), high: 10f64.powf(if high > low { high } else { low + 1.0 }) }
    }

    /// From 0 at `low` to 1 at `high`; what is beyond stays at the edge.
    pub fn part(&self, value: f64) -> f64 {
        let part = match self.scale {
            Scale::Even => (value - self.low) / (self.high - self.low),
            Scale::Tenfold => (value.max(self.low).log10() - self.low.log10()) / (self.high.log10() - self.low.log10()),
        };
        part.clamp(0.0, 1.0)
    }

    pub fn labels(&self) -> Vec<f64> {
        match self.scale {
            Scale::Even => {
                let step = step_of(self.high - self.low);
                let first = (self.low / step).ceil() as i64;
                (first..).map(|n| n as f64 * step).take_while(|value| *value <= self.high + step * 1e-9).collect()
            }
            Scale::Tenfold => {
                let (low, high) = (self.low.log10().round() as i32, self.high.log10().round() as i32);
                (low..=high).map(|power| 10f64.powi(power)).collect()
            }
        }
    }
}

/// A round step that divides so much into three to seven.
fn step_of(much: f64) -> f64 {
    let rough = much.max(1e-9) / 5.0;
    let ten = 10f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| rough <= step * ten * 1.000_001);
    round.unwrap_or(10.0) * ten
}

/// As short as it can be told.
pub fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        v if v >= 1e9 => (value / 1e9, "G"),
        v if v >= 1e6 => (value / 1e6, "M"),
        v if v >= 10_000.0 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = format!("{value:.3}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_round_and_cover_the_values() {
        let axis = Axis::from_zero([3.0, 47.0].into_iter());
        assert_eq!(axis.labels(), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(Axis::tenfold([0.3, 250.0].into_iter()).labels(), [0.1, 1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(Axis::even(0.0, 60.0).labels(), [0.0, 20.0, 40.0, 60.0]);
    }

    #[test]
    fn a_run_without_values_has_an_axis_all_the_same() {
        for axis in [Axis::from_zero(std::iter::empty()), Axis::tenfold(std::iter::empty()), Axis::even(3.0, 3.0)] {
            let labels = axis.labels();
            assert!(labels.len() > 1 && labels.iter().all(|label| label.is_finite()), "{axis:?}: {labels:?}");
            assert!((0.0..=1.0).contains(&axis.part(0.0)));
        }
    }

    #[test]
    fn numbers_are_short() {
        let told: Vec<_> = [0.1, 1000.0, 12_500.0, 2_000_000.0, 0.0].into_iter().map(short).collect();
        assert_eq!(told, ["0.1", "1000", "12.5k", "2M", "0"]);
    }
}
