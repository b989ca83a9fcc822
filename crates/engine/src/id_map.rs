//! Hash maps keyed by our own ids: quick, and the same order of iteration in every run.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use signalpost_core::id::WebhookId;

pub(crate) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;
pub(crate) type IdSet<K> = HashSet<K, BuildHasherDefault<IdHasher>>;

/// Multiplies by a large odd number. Ids are minted here, so nobody can choose them to collide.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(SPREAD).rotate_left(26);
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value.cast_unsigned());
    }
}

/// A number below `count` for an id, spread evenly.
pub(crate) fn slot_of(raw: i64, count: usize) -> usize {
    let mixed = raw.cast_unsigned().wrapping_mul(SPREAD) >> 32;
    let count = u64::try_from(count).expect("a count of cores");
    usize::try_from(mixed % count).expect("below a count of cores")
}

/// The delivery core, of so many, that a webhook falls to as long as nobody moves it.
pub fn core_of(webhook: WebhookId, cores: usize) -> usize {
    slot_of(webhook.raw(), cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_ids_spread_over_slots() {
        let mut per_slot = [0u32; 4];
        for sequence in 0..4_000i64 {
            per_slot[slot_of((1_777_975_606_150 + sequence) << 22, 4)] += 1;
        }
        assert!(per_slot.iter().all(|count| (800..1_200).contains(count)), "{per_slot:?}");
    }
}
