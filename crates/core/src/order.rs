//! Order by key: deliveries of events with the same key to one webhook go one after the other.

use sha2::{Digest, Sha256};

use crate::event::Sequence;

/// What stands for an ordering key wherever only its likeness counts: the first 64 bits of its SHA-256. Two keys that share
/// them are kept in order together, which delays and never reorders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey(i64);

impl OrderKey {
    /// Of a key as its producer gave it.
    pub fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        Self(i64::from_be_bytes(*digest.first_chunk().expect("a digest has 32 bytes")))
    }

    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }

    pub const fn raw(self) -> i64 {
        self.0
    }
}

/// Where a delivery stands among those of its webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderPlace {
    pub key: OrderKey,
    /// Of its event. A delivery that is sent once more before it has ended keeps its place.
    pub sequence: Sequence,
}

/// What a webhook says about the order of its deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderRule {
    /// Whether deliveries of events with the same key that are accepted from now on go one after the other.
    pub by_key: bool,
    /// Means nothing while they do not.
    pub on_exhausted: OnExhausted,
}

/// A change of it; `None` leaves a part as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderChange {
    pub by_key: Option<bool>,
    pub on_exhausted: Option<OnExhausted>,
}

/// What becomes of a key when one of its deliveries is given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExhausted {
    /// The next one goes.
    #[default]
    Skip,
    /// Nothing of the key goes until the delivery was sent once more with success, or nothing is held up any more by the rule.
    Block,
}

impl OrderRule {
    #[must_use]
    pub fn after(self, change: OrderChange) -> Self {
        Self {
            by_key: change.by_key.unwrap_or(self.by_key),
            on_exhausted: change.on_exhausted.unwrap_or(self.on_exhausted),
        }
    }

    /// Whether a delivery that is given up holds up its key.
    pub fn blocks(self) -> bool {
        self.by_key && self.on_exhausted == OnExhausted::Block
    }
}

impl OnExhausted {
    pub const ALL: [Self; 2] = [Self::Skip, Self::Block];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Block => "block",
        }
    }

    /// The error says what may be given.
    pub fn from_name(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        found.ok_or_else(|| "must be `skip` or `block`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is stored must mean the same in the next version.
    #[test]
    fn keys_stand_for_the_same_for_ever() {
        // SHA-256 of "abc" begins with ba7816bf 8f01cfea (FIPS 180-2, appendix B.1).
        assert_eq!(OrderKey::of("abc").raw().cast_unsigned(), 0xba78_16bf_8f01_cfea);
        assert_ne!(OrderKey::of("a"), OrderKey::of("b"));
    }

    #[test]
    fn a_rule_blocks_when_both_parts_say_so() {
        let rule = OrderRule::default();
        let block = OrderChange { on_exhausted: Some(OnExhausted::Block), by_key: None };
        let ordered = OrderChange { by_key: Some(true), on_exhausted: None };
        assert!(!rule.blocks() && !rule.after(block).blocks() && !rule.after(ordered).blocks());
        assert!(rule.after(block).after(ordered).blocks());
        for name in OnExhausted::ALL {
            assert_eq!(OnExhausted::from_name(name.name()), Ok(name));
        }
        assert!(OnExhausted::from_name("Block").is_err());
    }
}
