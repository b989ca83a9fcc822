//! What the receiver does with deliveries, told for all webhooks or for some of them.

use std::collections::HashMap;
use std::ops::Range;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) enum Conduct {
    #[default]
    Answer,
    /// Takes requests and leaves them without an answer.
    Hold,
    /// Takes requests and answers byte by byte, without an end.
    Drip,
    /// Answers with this status, which is no success.
    Status(u16),
}

/// The conduct towards each webhook, by its number.
#[derive(Default)]
pub(super) struct Conducts {
    usual: Conduct,
    special: HashMap<u32, Conduct>,
}

impl Conduct {
    /// The word that stands for it on the receiver's input.
    pub(in super::super) fn word(self) -> String {
        match self {
            Self::Answer => "answer".to_owned(),
            Self::Hold => "hold".to_owned(),
            Self::Drip => "drip".to_owned(),
            Self::Status(status) => status.to_string(),
        }
    }

    pub(super) fn of_word(word: &str) -> Option<Self> {
        match word {
            "answer" => Some(Self::Answer),
            "hold" => Some(Self::Hold),
            "drip" => Some(Self::Drip),
            status => status.parse().ok().filter(|status| (300..600).contains(status)).map(Self::Status),
        }
    }
}

impl Conducts {
    pub(super) fn of(&self, target: u32) -> Conduct {
        self.special.get(&target).copied().unwrap_or(self.usual)
    }

    /// Towards every webhook, whatever was said of it before.
    pub(super) fn set_all(&mut self, conduct: Conduct) {
        *self = Self { usual: conduct, special: HashMap::new() };
    }

    pub(super) fn set(&mut self, targets: Range<u32>, conduct: Conduct) {
        self.special.extend(targets.map(|target| (target, conduct)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_understood() {
        for conduct in [Conduct::Answer, Conduct::Hold, Conduct::Drip, Conduct::Status(503)] {
            assert_eq!(Conduct::of_word(&conduct.word()), Some(conduct));
        }
        for word in ["", "200", "99", "600", "jump"] {
            assert_eq!(Conduct::of_word(word), None, "{word}");
        }
    }

    #[test]
    fn the_last_word_counts() {
        let mut conducts = Conducts::default();
        assert_eq!(conducts.of(1), Conduct::Answer);
        conducts.set(1..3, Conduct::Hold);
        conducts.set(2..3, Conduct::Status(500));
        assert_eq!(
            [0, 1, 2, 3].map(|target| conducts.of(target)),
            [Conduct::Answer, Conduct::Hold, Conduct::Status(500), Conduct::Answer]
        );
        conducts.set_all(Conduct::Drip);
        assert_eq!(conducts.of(2), Conduct::Drip);
    }
}
