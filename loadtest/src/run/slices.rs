//! Pure. The measured part of a run in slices of equal length, each with its own histograms: what a comparison needs to know
//! how much a run differs from itself. Bounded, however long a run is.

use std::collections::BTreeMap;

use crate::measure::{Deed, Tally};
use crate::report::{Slice, Sliced};

/// Of a run.
pub const SLICES_MAX: u32 = 60;

#[derive(Debug, Default)]
pub struct Slices {
    lasts_s: u32,
    /// The seconds of it that are in, the first of them, and what they brought.
    open: Option<(u32, u32, Tally)>,
    slices: Vec<Slice>,
}

impl Slices {
    /// Of a run that is measured for so long.
    pub fn of(measured_s: f64) -> Self {
        Self { lasts_s: (measured_s.ceil() as u32).div_ceil(SLICES_MAX).max(1), open: None, slices: Vec::new() }
    }

    /// A second of a measured phase; seconds come in order, with gaps where other phases were.
    pub fn second(&mut self, number: u32, tally: &Tally) {
        if self.open.as_ref().is_some_and(|(first, seconds, _)| *seconds >= self.lasts_s || number != first + seconds) {
            self.close();
        }
        let (_, seconds, open) = self.open.get_or_insert_with(|| (number, 0, Tally::default()));
        *seconds += 1;
        open.merge(tally);
    }

    /// What came after the last phase, and was asked for in it.
    pub fn late(&mut self, tally: &Tally) {
        if let Some((_, _, open)) = &mut self.open {
            open.merge(tally);
        }
    }

    fn close(&mut self) {
        let Some((first, seconds, tally)) = self.open.take() else { return };
        let actions = Deed::ALL.iter().map(|deed| (deed, tally.of(*deed))).filter(|(_, timed)| timed.done > 0);
        let actions: BTreeMap<_, _> =
            actions.map(|(deed, timed)| (deed.text().to_owned(), Sliced { count: timed.done, hdr: timed.from_intended.hdr() })).collect();
        self.slices.push(Slice { from_s: f64::from(first), to_s: f64::from(first + seconds), actions });
    }

    pub fn into_slices(mut self) -> Vec<Slice> {
        self.close();
        self.slices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Latencies;

    fn second(us: u64) -> Tally {
        let mut tally = Tally::default();
        tally.done(Deed::Post, us, us);
        tally
    }

    #[test]
    fn slices_are_the_whole_and_no_more_than_their_bound() {
        let mut slices = Slices::of(150.0);
        (10..160).for_each(|number| slices.second(number, &second(u64::from(number))));
        slices.late(&second(9_000));
        let slices = slices.into_slices();
        assert_eq!((slices.len(), slices[0].from_s, slices[0].to_s), (50, 10.0, 13.0));
        let mut whole = Latencies::default();
        slices.iter().for_each(|slice| whole.merge(&Latencies::from_told(&slice.actions["post"].hdr).unwrap()));
        assert_eq!((whole.count(), slices.iter().map(|slice| slice.actions["post"].count).sum::<u64>()), (151, 151));
        assert!(whole.max() >= 9_000);
    }

    #[test]
    fn a_phase_that_is_not_measured_ends_a_slice() {
        let mut slices = Slices::of(120.0);
        [0, 1, 2, 5, 6].into_iter().for_each(|number| slices.second(number, &second(10)));
        let bounds: Vec<_> = slices.into_slices().iter().map(|slice| (slice.from_s, slice.to_s)).collect();
        assert_eq!(bounds, [(0.0, 2.0), (2.0, 3.0), (5.0, 7.0)]);
    }
}
