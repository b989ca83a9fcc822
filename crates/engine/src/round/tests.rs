//! Who gets a core's slots, and for how long.

use super::*;

const FREE: PerClass<bool> = PerClass { free: true, ..PerClass::NONE };
const AGAIN: PerClass<bool> = PerClass { again: true, ..PerClass::NONE };
const SLOW: PerClass<bool> = PerClass { slow: true, ..PerClass::NONE };
const BOTH: PerClass<bool> = PerClass { again: true, ..FREE };
const MS: u64 = 1_000;

/// A core whose attempts take as long as their lane's do, on a clock that jumps from end to end.
struct Bench {
    round: Round,
    now_us: u64,
    /// By when they end.
    underway: std::collections::BTreeMap<(u64, u64), (Slot, u64)>,
    started: u64,
}

fn workspace(raw: i64) -> WorkspaceId {
    WorkspaceId::from_raw(raw)
}

fn lane(raw: i64) -> WebhookId {
    WebhookId::from_raw(raw)
}

impl Bench {
    fn new(slots: usize) -> Self {
        Self { round: Round::new(slots), now_us: 0, underway: Default::default(), started: 0 }
    }

    /// Starts whatever may be started, each lasting as `takes_us` says.
    fn start(&mut self, takes_us: impl Fn(Turn) -> u64) {
        while let Some(turn) = self.round.turn() {
            let takes_us = takes_us(turn);
            // What is expected may be wrong in either direction.
            let expected_us = takes_us * (1 + self.started % 3) / 2;
            let slot = self.round.take(turn, expected_us);
            self.started += 1;
            self.underway.insert((self.now_us + takes_us, self.started), (slot, takes_us));
        }
    }

    fn end_one(&mut self) -> (Turn, u64) {
        let ((at_us, _), (slot, took_us)) = self.underway.pop_first().expect("something is under way");
        self.now_us = at_us;
        let turn = slot.turn;
        self.round.give_back(slot, took_us);
        (turn, took_us)
    }

    /// Runs until a moment, and says how much worker time went to whom.
    fn run<K: Ord>(
        &mut self,
        until_us: u64,
        takes_us: impl Fn(Turn) -> u64,
        whose: impl Fn(Turn) -> K,
    ) -> std::collections::BTreeMap<K, u64> {
        let mut used = std::collections::BTreeMap::new();
        loop {
            self.start(&takes_us);
            if self.now_us >= until_us {
                return used;
            }
            let (turn, took_us) = self.end_one();
            *used.entry(whose(turn)).or_default() += took_us;
        }
    }
}

fn share(part: u64, of: impl Iterator<Item = u64>) -> f64 {
    part as f64 / of.sum::<u64>() as f64
}

#[test]
fn a_workspace_alone_leaves_half_of_the_slots_and_each_further_one_takes_its_part() {
    let mut bench = Bench::new(120);
    for (count, held) in [(1, 60), (2, 40), (3, 30), (5, 20)] {
        for raw in 0..count {
            bench.round.stand(workspace(raw), lane(raw), FREE);
        }
        // Each attempt takes as long as the next, so that slots change hands.
        bench.run(bench.now_us + 1_000 * MS, |_| MS, |_| ());
        let held_by: Vec<usize> =
            (0..count).map(|raw| bench.round.tenants[&workspace(raw)].in_flight.sum()).collect();
        assert!(held_by.iter().all(|now| now.abs_diff(held) <= 1), "{count} workspaces: {held_by:?}");
    }
}

#[test]
fn workspaces_share_worker_time_whatever_they_have_to_do() {
    let mut bench = Bench::new(64);
    (0..10).for_each(|raw| bench.round.stand(workspace(1), lane(raw), FREE));
    bench.round.stand(workspace(2), lane(100), FREE);
    let takes = |turn: Turn| if turn.workspace == workspace(1) { 200 * MS } else { 2 * MS };
    let used = bench.run(10_000 * MS, takes, |turn| turn.workspace.raw());
    let of_second = share(used[&2], used.values().copied());
    assert!((0.45..0.55).contains(&of_second), "{used:?}");
}

#[test]
fn lanes_of_a_workspace_share_its_part() {
    let mut bench = Bench::new(64);
    (0..4).for_each(|raw| bench.round.stand(workspace(1), lane(raw), FREE));
    let takes = |turn: Turn| if turn.webhook == lane(0) { 500 * MS } else { 5 * MS };
    let used = bench.run(10_000 * MS, takes, |turn| turn.webhook.raw());
    for part in used.values() {
        let part = share(*part, used.values().copied());
        assert!((0.2..0.3).contains(&part), "{used:?}");
    }
}

#[test]
fn first_attempts_keep_four_fifths_in_a_storm_of_further_ones() {
    let (slots, until_us) = (100, 30_000 * MS);
    for takes in [[30 * MS, 30 * MS], [30 * MS, 900 * MS], [900 * MS, 30 * MS]] {
        let mut bench = Bench::new(slots);
        (0..50).for_each(|raw| bench.round.stand(workspace(raw % 5), lane(raw), AGAIN));
        (5..25).for_each(|raw| bench.round.stand(workspace(raw), lane(100 + raw), BOTH));
        let takes_us = |turn: Turn| takes[usize::from(turn.class == Class::Again)];
        let used = bench.run(until_us, takes_us, |turn| turn.class == Class::Free);
        let first = share(used[&true], used.values().copied());
        assert!((0.78..0.9).contains(&first), "{takes:?}: {first}");
        let of_capacity = used[&false] as f64 / (slots as u64 * until_us) as f64;
        assert!((0.15..=0.201).contains(&of_capacity), "{takes:?}: {of_capacity}");
    }
}

/// Half of the pool for one alone, and less for each that comes after it: nobody finds it full.
#[test]
fn the_pools_are_shared_as_the_core_is() {
    for (wants, pool) in [(AGAIN, 1_000 / AGAIN_PARTS), (SLOW, 1_000 / SLOW_PARTS)] {
        let mut bench = Bench::new(1_000);
        let mut held = 0;
        for raw in 0..4 {
            (0..9).for_each(|n| bench.round.stand(workspace(raw), lane(10 * raw + n), wants));
            bench.start(|_| 20_000 * MS);
            let more = bench.round.in_flight() - held;
            assert!(more.abs_diff((pool - held) / 2) <= 1, "{more} more of {pool}, {held} taken");
            held += more;
        }
        bench.round.stand(workspace(99), lane(999), FREE);
        bench.start(|_| MS);
        assert!(bench.round.in_flight() >= held + (1_000 - held) / 2 - 1, "the rest is for whoever is quick");
    }
}

/// The turn of a workspace is its lanes' in turn, whatever class they are of.
#[test]
fn slow_lanes_have_their_part_beside_quick_ones_of_the_same_workspace() {
    let mut bench = Bench::new(64);
    (0..4).for_each(|raw| bench.round.stand(workspace(1), lane(raw), FREE));
    bench.round.stand(workspace(1), lane(9), SLOW);
    let takes = |turn: Turn| if turn.class == Class::Slow { 1_200 * MS } else { 500 * MS };
    let used = bench.run(20_000 * MS, takes, |turn| turn.class == Class::Slow);
    let slow = share(used[&true], used.values().copied());
    assert!((0.15..0.25).contains(&slow), "one of five lanes: {used:?}");
}

#[test]
fn a_storm_does_not_shut_newcomers_out() {
    let mut bench = Bench::new(1_000);
    (0..20).for_each(|raw| bench.round.stand(workspace(raw), lane(raw), FREE));
    bench.round.stand(workspace(50), lane(50), AGAIN);
    // As when the processor is what all wait for: few are under way at once.
    let turns = |bench: &mut Bench, count: usize| {
        let mut served = 0;
        for _ in 0..count {
            let turn = bench.round.turn().expect("somebody waits");
            let slot = bench.round.take(turn, 30 * MS);
            served += usize::from(turn.workspace == workspace(99));
            bench.round.give_back(slot, 30 * MS);
        }
        served
    };
    turns(&mut bench, 10_000);
    bench.round.stand(workspace(99), lane(99), FREE);
    let served = turns(&mut bench, 2_100);
    assert!((70..=110).contains(&served), "{served} of its 80 turns");
}

#[test]
fn a_turn_that_is_given_back_unused_costs_nothing() {
    let mut round = Round::new(100);
    round.stand(workspace(1), lane(1), BOTH);
    let before = (round.credit_us, round.workspaces.first(Class::Free));
    for class in [Class::Free, Class::Again] {
        let turn = Turn { workspace: workspace(1), webhook: lane(1), class };
        let slot = round.take(turn, 50 * MS);
        assert_ne!(round.credit_us, before.0);
        round.give_back(slot, 0);
        assert_eq!((round.credit_us, round.workspaces.first(Class::Free)), before);
    }
}

#[test]
fn what_leaves_is_forgotten() {
    let mut round = Round::new(4);
    round.stand(workspace(1), lane(1), FREE);
    let turn = round.turn().expect("it wants to");
    let slot = round.take(turn, MS);
    round.stand(workspace(1), lane(1), PerClass::NONE);
    assert_eq!(round.turn(), None);
    round.give_back(slot, 7 * MS);
    round.leave(workspace(1), lane(1));
    round.leave(workspace(1), lane(1));
    assert!(round.tenants.is_empty() && round.workspaces.is_empty() && round.crowded.is_empty());
    assert!(Class::ALL.iter().all(|class| round.crowded_in.of(*class).is_empty()));
    assert_eq!(round.in_flight(), 0);
}
