//! Which trouble comes when: drawn from a seed, dealt in shuffled decks, so that every kind comes in every few minutes and
//! most of them are kills.

use std::fmt;
use std::ops::Range;

use signalpost_testkit::Rng;

use super::stopwatch::Ms;

/// Lives before a trouble; some processes are killed before they are ready.
const LIFE_MS: Range<u64> = 0..1_000;
/// Lives in which most of what happens is far from any kill: nothing excuses what comes twice then.
const LONG_LIFE_MS: Range<u64> = 5_000..20_000;
/// The second kill of two in quick succession falls into the start.
const SECOND_LIFE_MS_MAX: u64 = 60;
/// A lease lives ten seconds from its last renewal: some of these freezes end just before, most long after.
const BEYOND_LEASE_MS: u64 = 9_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// SIGKILL.
    Kill,
    /// SIGKILL after a long life.
    KillLate,
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
    /// The database's server ends at once, without a word to anybody, and is started again.
    DatabaseCrash,
    /// The database's server is restarted.
    DatabaseStop,
    /// SIGKILL of every node but one.
    KillAllButOne,
    /// SIGSTOP for longer than a lease lives: others take over, sometimes with a kill of one of them meanwhile.
    FreezeBeyondLease,
}

/// Where the server keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    Sqlite,
    Postgres,
}

impl StoreKind {
    pub(crate) fn from_name(name: &str) -> Result<Self, String> {
        match name {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            other => Err(format!("`{other}` is no store; there are `sqlite` and `postgres`")),
        }
    }
}

/// How many of each a deck has. With these there are some forty kills in a minute, and more than a third of the time belongs
/// to long lives.
const DECK: [(Kind, usize); 16] = [
    (Kind::Kill, 60),
    (Kind::KillLate, 4),
    (Kind::KillTwice, 8),
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
    (Kind::DatabaseCrash, 3),
    (Kind::DatabaseStop, 2),
];

/// What comes to a deck when several servers work on one database.
const AMONG_NODES: [(Kind, usize); 2] = [(Kind::KillAllButOne, 3), (Kind::FreezeBeyondLease, 2)];

/// Whether a trouble can befall data that are kept so.
const fn befalls(kind: Kind, store: StoreKind) -> bool {
    let of_directory =
        matches!(kind, Kind::DiskNearlyFull | Kind::DiskFull | Kind::Unwritable | Kind::WrongMode);
    let of_database = matches!(kind, Kind::DatabaseCrash | Kind::DatabaseStop);
    match store {
        StoreKind::Sqlite => !of_database,
        StoreKind::Postgres => !of_directory,
    }
}

/// A trouble with everything about it that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) kind: Kind,
    /// The server that it befalls, or the one that is spared.
    pub(super) node: usize,
    /// How long the process lives before.
    pub(super) life_ms: u64,
    /// How long it lasts, for kinds that last.
    pub(super) for_ms: u64,
    /// Decides between variants of a kind.
    pub(super) choice: u64,
}

impl Card {
    /// Whether servers that are down are launched before. Otherwise they stay away for some troubles of others, which take over.
    pub(super) const fn wakes_others(self) -> bool {
        (self.choice >> 32).is_multiple_of(2)
    }
}

/// How long a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Minutes(u32),
    Cycles(u32),
    /// Every kind once, long lives twice, and as many plain kills again.
    EachOnce,
}

/// Deals cards without end.
pub(super) struct Dealer {
    rng: Rng,
    deck: Vec<Kind>,
    composition: Vec<(Kind, usize)>,
    nodes: usize,
}

/// How long after an unanswered call what was asked for may still be done: whoever has it in a queue may stand still.
pub(super) const fn done_late_ms(nodes: usize) -> Ms {
    if nodes > 1 { 16_000 } else { 10_000 }
}

impl Dealer {
    pub(super) fn new(seed: u64, length: Length, store: StoreKind, nodes: usize) -> Self {
        let copies = |(kind, copies)| match kind {
            _ if length != Length::EachOnce => (kind, copies),
            Kind::Kill => (kind, DECK.len()),
            Kind::KillLate => (kind, 2),
            _ => (kind, 1),
        };
        let among_nodes = AMONG_NODES.into_iter().filter(|_| nodes > 1);
        let composition = DECK.into_iter().filter(|(kind, _)| befalls(*kind, store)).chain(among_nodes);
        Self { rng: Rng::new(seed), deck: Vec::new(), composition: composition.map(copies).collect(), nodes }
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
        let (life, lasts) = (lives_ms(kind), lasts_ms(kind));
        Card {
            kind,
            life_ms: life.start + self.rng.below(life.end - life.start),
            for_ms: lasts.start + self.rng.below(lasts.end - lasts.start),
            choice: self.rng.next_u64(),
            node: self.draw_node(),
        }
    }

    /// Where there is one only, nothing is drawn: a seed deals what it always dealt.
    fn draw_node(&mut self) -> usize {
        if self.nodes > 1 { usize::try_from(self.rng.below(self.nodes as u64)).unwrap_or(0) } else { 0 }
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

const fn lives_ms(kind: Kind) -> Range<u64> {
    if matches!(kind, Kind::KillLate) { LONG_LIFE_MS } else { LIFE_MS }
}

/// How long a trouble lasts.
const fn lasts_ms(kind: Kind) -> Range<u64> {
    let longest = longest_ms(kind);
    if matches!(kind, Kind::FreezeBeyondLease) { BEYOND_LEASE_MS..longest } else { longest / 20..longest }
}

/// How long a trouble may last, in milliseconds.
const fn longest_ms(kind: Kind) -> u64 {
    match kind {
        Kind::Freeze => 8_000,
        Kind::FreezeBeyondLease => 14_000,
        Kind::FreezeKilled | Kind::ClockFast => 3_000,
        Kind::ClockStep | Kind::ReceiverGone => 2_500,
        Kind::DiskFull | Kind::DiskNearlyFull => 1_500,
        Kind::DatabaseCrash | Kind::DatabaseStop => 2_000,
        Kind::KillTwice => SECOND_LIFE_MS_MAX,
        Kind::StopKilled => 200,
        Kind::Kill
        | Kind::KillLate
        | Kind::KillAllButOne
        | Kind::Stop
        | Kind::Unwritable
        | Kind::WrongMode => 1_000,
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::KillLate => "kill after a long life",
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
            Self::DatabaseCrash => "database crash",
            Self::DatabaseStop => "database restart",
            Self::KillAllButOne => "kill of all but one",
            Self::FreezeBeyondLease => "freeze beyond the lease",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_seed_deals_the_same_cards_and_every_kind() {
        let dealer = |seed| Dealer::new(seed, Length::Minutes(1), StoreKind::Sqlite, 1);
        let (mut one, mut other) = (dealer(7), dealer(7));
        let size = one.deck_size();
        let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
        for _ in 0..size {
            let card = one.deal();
            assert_eq!(card, other.deal());
            assert!(lives_ms(card.kind).contains(&card.life_ms) && card.for_ms < longest_ms(card.kind));
            *counts.entry(card.kind).or_default() += 1;
        }
        let befall = |store| DECK.into_iter().filter(move |(kind, _)| befalls(*kind, store));
        assert_eq!(counts, befall(StoreKind::Sqlite).collect());
        let databases = befall(StoreKind::Postgres).filter(|(kind, _)| *kind >= Kind::DiskNearlyFull);
        assert_eq!(
            databases.map(|(kind, _)| kind).collect::<Vec<_>>(),
            [Kind::DatabaseCrash, Kind::DatabaseStop]
        );
        let orders: Vec<Vec<Kind>> = (0..2)
            .map(|seed| {
                let mut dealer = dealer(seed);
                (0..size).map(|_| dealer.deal().kind).collect()
            })
            .collect();
        assert_ne!(orders[0], orders[1]);
    }

    #[test]
    fn much_of_a_run_is_far_from_any_kill_and_half_an_hour_has_a_thousand() {
        /// Until a killed process is gone and the next one runs, and the work of other troubles.
        const BESIDES_MS: u64 = 200;
        const DECKS: usize = 20;
        let mut dealer = Dealer::new(3, Length::Minutes(30), StoreKind::Sqlite, 1);
        let (mut kills, mut all_ms, mut late_ms) = (0, 0, 0);
        for _ in 0..dealer.deck_size() * DECKS {
            let card = dealer.deal();
            let lasts_ms = if matches!(card.kind, Kind::Kill | Kind::KillLate) { 0 } else { card.for_ms };
            all_ms += card.life_ms + lasts_ms + BESIDES_MS;
            match card.kind {
                Kind::Kill | Kind::FreezeKilled | Kind::ClockStep | Kind::ClockFast => kills += 1,
                Kind::KillLate => (kills, late_ms) = (kills + 1, late_ms + card.life_ms),
                Kind::KillTwice => kills += 2,
                _ => {}
            }
        }
        assert!(late_ms * 3 > all_ms, "{late_ms} of {all_ms} ms are long lives");
        let in_half_an_hour = kills * 30 * 60_000 / all_ms;
        assert!(in_half_an_hour > 1_150, "{in_half_an_hour} kills");
    }

    #[test]
    fn a_short_run_has_every_kind_once() {
        let mut dealer = Dealer::new(1, Length::EachOnce, StoreKind::Sqlite, 1);
        let mut kinds: Vec<Kind> = (0..dealer.deck_size()).map(|_| dealer.deal().kind).collect();
        kinds.retain(|kind| *kind != Kind::Kill);
        kinds.sort_unstable();
        kinds.dedup();
        let expected =
            DECK[1..].iter().map(|(kind, _)| *kind).filter(|kind| befalls(*kind, StoreKind::Sqlite));
        assert_eq!(kinds, expected.collect::<Vec<_>>());
    }

    #[test]
    fn one_server_is_dealt_what_it_always_was() {
        let mut alone = Dealer::new(7, Length::Minutes(1), StoreKind::Postgres, 1);
        let first: Vec<(Kind, u64, u64, usize)> = (0..3)
            .map(|_| alone.deal())
            .map(|card| (card.kind, card.life_ms, card.for_ms, card.node))
            .collect();
        let expected = [
            (Kind::FreezeKilled, 637, 330, 0),
            (Kind::DatabaseCrash, 960, 1_577, 0),
            (Kind::KillTwice, 10, 5, 0),
        ];
        assert_eq!(first, expected);
        let more = AMONG_NODES.map(|(kind, _)| kind);
        assert!(alone.composition.iter().all(|(kind, _)| !more.contains(kind)));
    }

    #[test]
    fn several_servers_are_all_befallen() {
        const NODES: usize = 3;
        let mut dealer = Dealer::new(7, Length::Minutes(1), StoreKind::Postgres, NODES);
        let cards: Vec<Card> = (0..dealer.deck_size()).map(|_| dealer.deal()).collect();
        assert!((0..NODES).all(|node| cards.iter().any(|card| card.node == node)));
        assert!(
            cards.iter().any(|card| card.wakes_others()) && !cards.iter().all(|card| card.wakes_others())
        );
        for (kind, copies) in AMONG_NODES {
            assert_eq!(cards.iter().filter(|card| card.kind == kind).count(), copies, "{kind}");
        }
        let long = cards.iter().filter(|card| card.kind == Kind::FreezeBeyondLease);
        assert!(long.into_iter().all(|card| card.for_ms >= BEYOND_LEASE_MS));
        assert!(done_late_ms(NODES) > 14_000, "longer than the longest freeze");
    }
}
