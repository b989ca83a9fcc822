//! Which trouble comes when: drawn from a seed, dealt in shuffled decks, so that every kind comes in every few minutes and
//! most of them are kills.

use std::fmt;

use signalpost_testkit::Rng;

/// The longest life before a trouble; some processes are killed before they are ready.
const LIFE_MS_MAX: u64 = 1_400;
/// The second kill of two in quick succession falls into the start.
const SECOND_LIFE_MS_MAX: u64 = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// SIGKILL.
    Kill,
    /// SIGKILL, and once more while the next process starts.
    KillTwice,
    /// SIGTERM; it must end in order.
    Stop,
    /// SIGTERM, and SIGKILL while it stops.
    StopKilled,
    /// SIGSTOP, and SIGCONT after a while.
    Freeze,
    /// SIGSTOP, and SIGKILL while it stands.
    FreezeKilled,
    /// The wall clock jumps, ahead or back, and jumps again.
    ClockStep,
    /// The wall clock runs five times as fast.
    ClockFast,
    /// Nobody listens where some webhooks lead.
    ReceiverGone,
    /// The disk has little room left: no new events, everything else goes on.
    DiskNearlyFull,
    /// The disk has no room at all, sometimes with a kill and a start in that state.
    DiskFull,
    /// The data directory cannot be written to when the server starts.
    Unwritable,
    /// A file of the data directory has a mode that shuts the server out.
    WrongMode,
}

/// How many of each a deck has. With these a cycle takes some 1.4 s and nine of ten end with a kill.
const DECK: [(Kind, usize); 13] = [
    (Kind::Kill, 42),
    (Kind::KillTwice, 5),
    (Kind::Stop, 2),
    (Kind::StopKilled, 2),
    (Kind::Freeze, 2),
    (Kind::FreezeKilled, 2),
    (Kind::ClockStep, 1),
    (Kind::ClockFast, 1),
    (Kind::ReceiverGone, 1),
    (Kind::DiskNearlyFull, 1),
    (Kind::DiskFull, 1),
    (Kind::Unwritable, 1),
    (Kind::WrongMode, 1),
];

/// A trouble with everything about it that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) kind: Kind,
    /// How long the process lives before.
    pub(super) life_ms: u64,
    /// How long it lasts, for kinds that last.
    pub(super) for_ms: u64,
    /// Decides between variants of a kind.
    pub(super) choice: u64,
}

/// How long a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Minutes(u32),
    Cycles(u32),
    /// Every kind once, and as many plain kills again.
    EachOnce,
}

/// Deals cards without end.
pub(super) struct Dealer {
    rng: Rng,
    deck: Vec<Kind>,
    composition: Vec<(Kind, usize)>,
}

impl Dealer {
    pub(super) fn new(seed: u64, length: Length) -> Self {
        let each_once = || DECK.map(|(kind, _)| (kind, if kind == Kind::Kill { DECK.len() } else { 1 }));
        let composition = if length == Length::EachOnce { each_once() } else { DECK };
        Self { rng: Rng::new(seed), deck: Vec::new(), composition: composition.to_vec() }
    }

    /// Cards of one deck.
    pub(super) fn deck_size(&self) -> usize {
        self.composition.iter().map(|(_, copies)| copies).sum()
    }

    pub(super) fn deal(&mut self) -> Card {
        if self.deck.is_empty() {
            self.shuffle();
        }
        let kind = self.deck.pop().unwrap_or(Kind::Kill);
        let longest = longest_ms(kind);
        Card {
            kind,
            life_ms: self.rng.below(LIFE_MS_MAX),
            for_ms: longest / 20 + self.rng.below(longest - longest / 20),
            choice: self.rng.next_u64(),
        }
    }

    fn shuffle(&mut self) {
        for (kind, copies) in &self.composition {
            self.deck.extend(std::iter::repeat_n(*kind, *copies));
        }
        for at in (1..self.deck.len()).rev() {
            let other = self.rng.below(at as u64 + 1);
            self.deck.swap(at, usize::try_from(other).expect("it is below the deck's size"));
        }
    }
}

/// How long a trouble may last, in milliseconds.
const fn longest_ms(kind: Kind) -> u64 {
    match kind {
        Kind::Freeze => 8_000,
        Kind::FreezeKilled | Kind::ClockFast => 3_000,
        Kind::ClockStep | Kind::ReceiverGone => 2_500,
        Kind::DiskFull | Kind::DiskNearlyFull => 1_500,
        Kind::KillTwice => SECOND_LIFE_MS_MAX,
        Kind::StopKilled => 200,
        Kind::Kill | Kind::Stop | Kind::Unwritable | Kind::WrongMode => 1_000,
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::KillTwice => "two kills",
            Self::Stop => "stop",
            Self::StopKilled => "stop, killed",
            Self::Freeze => "freeze",
            Self::FreezeKilled => "freeze, killed",
            Self::ClockStep => "clock steps",
            Self::ClockFast => "fast clock",
            Self::ReceiverGone => "receiver gone",
            Self::DiskNearlyFull => "disk nearly full",
            Self::DiskFull => "disk full",
            Self::Unwritable => "data unwritable",
            Self::WrongMode => "wrong mode",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_seed_deals_the_same_cards_and_every_kind() {
        let (mut one, mut other) = (Dealer::new(7, Length::Minutes(1)), Dealer::new(7, Length::Minutes(1)));
        let size = one.deck_size();
        let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
        for _ in 0..size {
            let card = one.deal();
            assert_eq!(card, other.deal());
            assert!(card.life_ms < LIFE_MS_MAX && card.for_ms < longest_ms(card.kind));
            *counts.entry(card.kind).or_default() += 1;
        }
        assert_eq!(counts, BTreeMap::from(DECK));
        let orders: Vec<Vec<Kind>> = (0..2)
            .map(|seed| {
                let mut dealer = Dealer::new(seed, Length::Minutes(1));
                (0..size).map(|_| dealer.deal().kind).collect()
            })
            .collect();
        assert_ne!(orders[0], orders[1]);
    }

    #[test]
    fn a_short_run_has_every_kind_once() {
        let mut dealer = Dealer::new(1, Length::EachOnce);
        let mut kinds: Vec<Kind> = (0..dealer.deck_size()).map(|_| dealer.deal().kind).collect();
        kinds.retain(|kind| *kind != Kind::Kill);
        kinds.sort_unstable();
        assert_eq!(kinds, DECK[1..].iter().map(|(kind, _)| *kind).collect::<Vec<_>>());
    }
}
