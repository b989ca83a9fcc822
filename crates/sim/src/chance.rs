//! Everything that is left to chance, drawn from one seed: a stream of its own for each user, so that a draw more
//! in one place does not change what another place draws.

use std::sync::{Mutex, MutexGuard};

use signalpost_core::ports::Random;
use signalpost_testkit::Rng;

/// One stream of draws.
#[derive(Clone, Debug)]
pub(crate) struct Chance(Rng);

impl Chance {
    /// The stream of the user called `name` under this seed.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let mut rng = Rng::new(seed);
        let salt = name.bytes().fold(rng.next_u64(), |salt, byte| (salt ^ u64::from(byte)).rotate_left(9));
        Self(Rng::new(salt.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    /// A place in a list of this length.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).expect("a length fits");
        usize::try_from(self.0.below(length)).expect("below a length")
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.index(list.len())]
    }

    /// True in this many of a thousand cases.
    pub(crate) fn permille(&mut self, odds: u64) -> bool {
        self.0.below(1_000) < odds
    }

    /// A waiting time around `mean`: from nothing to three times as long, short ones more often.
    pub(crate) fn around(&mut self, mean: u64) -> u64 {
        let (one, other) = (self.between(0, 1_000), self.between(0, 1_000));
        mean.saturating_mul(one * other * 4) / 1_000_000
    }

    /// The place of one of several weights; a weight of zero is never chosen. Not all are zero.
    pub(crate) fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.0.below(weights.iter().sum());
        for (place, weight) in weights.iter().enumerate() {
            if left < *weight {
                return place;
            }
            left -= weight;
        }
        weights.len() - 1
    }
}

/// A stream shared by whoever holds it, also as the engine's source of randomness.
#[derive(Debug)]
pub(crate) struct SharedChance(Mutex<Chance>);

impl SharedChance {
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        Self(Mutex::new(Chance::new(seed, name)))
    }

    pub(crate) fn draw(&self) -> MutexGuard<'_, Chance> {
        self.0.lock().expect("nobody panics while drawing")
    }
}

impl Random for SharedChance {
    fn fill(&self, bytes: &mut [u8]) {
        let mut chance = self.draw();
        for byte in bytes {
            *byte = chance.0.next_u64().to_le_bytes()[0];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_name_and_repeat_by_seed() {
        let draw = |seed, name| {
            let mut chance = Chance::new(seed, name);
            (0..8).map(|_| chance.between(0, 1_000_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
    }

    #[test]
    fn a_weight_of_zero_is_never_chosen() {
        let mut chance = Chance::new(3, "weights");
        let drawn: Vec<usize> = (0..500).map(|_| chance.weighted(&[0, 3, 0, 1])).collect();
        assert!(drawn.iter().all(|place| [1, 3].contains(place)));
        assert!(drawn.contains(&1) && drawn.contains(&3));
    }
}
