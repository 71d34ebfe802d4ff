//! Pure. Numbers that follow from a seed, the same on every machine and for ever: SplitMix64 (Steele, Lea, Flood, "Fast
//! splittable pseudorandom number generators", 2014). A library's generator may change between versions; a plan must not.

#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each (seed, place).
    pub fn of(seed: u64, place: u64) -> Self {
        let mut random = Self(seed ^ place.wrapping_mul(0xd134_2543_de82_ef95));
        random.number();
        random
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to but not including 1.
    pub fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From `least` to `most`, both included.
    pub fn between(&mut self, least: u32, most: u32) -> u32 {
        least + (self.unit() * (f64::from(most - least) + 1.0)) as u32
    }

    /// With a mean of 1.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.between(0, last as u32) as usize);
        }
    }
}

/// Places chosen by weight.
#[derive(Clone, Debug, Default)]
pub struct Weights(Vec<f64>);

impl Weights {
    pub fn of(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let sums = weights.into_iter().map(|weight| {
            sum += weight;
            sum
        });
        Self(sums.collect())
    }

    /// `None` when there is nothing to choose from.
    pub fn choose(&self, random: &mut Random) -> Option<usize> {
        let sum = self.0.last().copied().filter(|sum| *sum > 0.0)?;
        let at = random.unit() * sum;
        Some(self.0.partition_point(|until| *until <= at).min(self.0.len() - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_never_change() {
        let mut random = Random::of(1, 2);
        assert_eq!([random.number(), random.number()], [14_199_616_709_479_013_707, 4_642_066_642_205_891_920]);
    }

    #[test]
    fn choices_follow_their_weights_and_nothing_of_weight_0_is_chosen() {
        let (mut random, weights) = (Random::of(7, 0), Weights::of([1.0, 0.0, 3.0]));
        let mut counts = [0; 3];
        (0..40_000).for_each(|_| counts[weights.choose(&mut random).unwrap()] += 1);
        assert!((9_600..10_400).contains(&counts[0]) && counts[1] == 0, "{counts:?}");
        assert_eq!(Weights::of([0.0]).choose(&mut random), None);
        assert_eq!(Weights::default().choose(&mut random), None);
    }

    #[test]
    fn a_shuffle_keeps_everybody() {
        let mut items: Vec<_> = (0..100).collect();
        Random::of(3, 3).shuffle(&mut items);
        assert_ne!(items[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
