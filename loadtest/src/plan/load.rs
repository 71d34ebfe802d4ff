//! Pure. How the phases bend time: a person acts at an even pace in units of load, and the curve says at which moment of
//! the run so much load has gone by. Ramps are exact, not steps.

use crate::scenario::Phase;

/// One phase: from `from_us` on, the load goes evenly from `load` to `load_to`.
#[derive(Clone, Copy, Debug)]
struct Piece {
    from_us: f64,
    lasts_us: f64,
    load: f64,
    load_to: f64,
    /// Load gone by before it, in microseconds at load 1.
    before: f64,
}

#[derive(Clone, Debug, Default)]
pub struct LoadCurve(Vec<Piece>);

impl LoadCurve {
    pub fn of(phases: &[Phase]) -> Self {
        let (mut from_us, mut before) = (0.0, 0.0);
        let pieces = phases.iter().map(|phase| {
            let (lasts_us, load) = (phase.lasts.us() as f64, phase.load);
            let load_to = phase.load_to.unwrap_or(load);
            let piece = Piece { from_us, lasts_us, load, load_to, before };
            from_us += lasts_us;
            before += lasts_us * (load + load_to) / 2.0;
            piece
        });
        Self(pieces.collect())
    }

    /// How much load there is at a moment; none after the last phase.
    pub fn load_at(&self, at_us: f64) -> f64 {
        let piece = self.0.iter().find(|piece| at_us >= piece.from_us && at_us < piece.from_us + piece.lasts_us);
        piece.map_or(0.0, |piece| piece.load + (piece.load_to - piece.load) * (at_us - piece.from_us) / piece.lasts_us)
    }

    /// When so much load has gone by; `None`: not within the phases.
    pub fn when(&self, load_us: f64) -> Option<u64> {
        let piece = self.0.iter().rev().find(|piece| piece.before <= load_us)?;
        let part = piece.part(load_us - piece.before)?;
        Some((piece.from_us + part) as u64)
    }
}

impl Piece {
    /// How far into the phase its load sums up to this: load·t + (load_to − load)·t²/2·lasts, solved for t.
    fn part(&self, load_us: f64) -> Option<f64> {
        let slope = (self.load_to - self.load) / self.lasts_us;
        let root = self.load * self.load + 2.0 * slope * load_us;
        // The form that also holds for no slope.
        let down = self.load + root.max(0.0).sqrt();
        let part = if load_us <= 0.0 { 0.0 } else { 2.0 * load_us / down };
        (root >= 0.0 && part < self.lasts_us).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Span;

    fn phase(lasts_s: u64, load: f64, load_to: Option<f64>) -> Phase {
        Phase { name: String::new(), lasts: Span::of_us(lasts_s * 1_000_000), load, load_to, measured: true }
    }

    /// Actions in each second when one would happen each millisecond at load 1.
    fn seconds(phases: &[Phase]) -> Vec<usize> {
        let curve = LoadCurve::of(phases);
        let mut seconds = vec![0; phases.iter().map(|phase| phase.lasts.us() as usize / 1_000_000).sum()];
        for n in 0.. {
            let Some(at_us) = curve.when(f64::from(n) * 1000.0) else { break };
            seconds[at_us as usize / 1_000_000] += 1;
        }
        seconds
    }

    #[test]
    fn a_steady_phase_keeps_its_pace_and_a_spike_its_own() {
        assert_eq!(seconds(&[phase(2, 1.0, None), phase(1, 3.0, None), phase(1, 0.5, None)]), [1000, 1000, 3000, 500]);
    }

    #[test]
    fn a_ramp_rises_evenly_and_falls_as_evenly() {
        let up = seconds(&[phase(4, 0.0, Some(4.0))]);
        assert!(up.iter().zip([500, 1500, 2500, 3500]).all(|(is, due)| is.abs_diff(due) <= 1), "{up:?}");
        let down = seconds(&[phase(4, 4.0, Some(0.0))]);
        assert!(down.iter().zip([3500, 2500, 1500, 500]).all(|(is, due)| is.abs_diff(due) <= 1), "{down:?}");
    }

    #[test]
    fn nothing_happens_in_a_phase_without_load() {
        assert_eq!(seconds(&[phase(1, 1.0, None), phase(2, 0.0, None), phase(1, 1.0, None)]), [1000, 0, 0, 1000]);
    }
}
