//! What kind of world a seed gives: each seed leaves some faults out altogether and gives the rest very different
//! odds, because a world in which everything fails a little never gets to the rare states.

use std::time::Duration;

use signalpost_core::retention::RetentionRules;
use signalpost_store::batch::BatchLimits;

use crate::chance::Chance;
use crate::conduct::FAULTS;
use crate::store::StorePace;
use crate::trouble::TroubleOdds;

/// A drawn configuration. Printed with the seed when something was found.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) cores: usize,
    pub(crate) workspaces: usize,
    pub(crate) webhooks_a_workspace: usize,
    pub(crate) hosts_a_workspace: usize,
    /// Length of the load in virtual milliseconds.
    pub(crate) load_ms: u64,
    pub(crate) publish: PublishOptions,
    /// Mean pause between management actions of one workspace; `None` when there are none.
    pub(crate) manage_pause_ms: Option<u64>,
    pub(crate) erase_permille: u64,
    pub(crate) network: NetworkOptions,
    /// Mean time in one mood of a receiver; `None` when moods do not change.
    pub(crate) mood_ms: Option<u64>,
    pub(crate) store: StorePace,
    pub(crate) trouble: TroubleOdds,
    /// Mean time between outages of the store.
    pub(crate) outage_pause_ms: Option<u64>,
    pub(crate) process: ProcessOptions,
    /// Largest jump of the wall clock.
    pub(crate) jump_ms_max: Option<u64>,
    /// The server's rules of retention; `None` in worlds that keep everything.
    pub(crate) retention: Option<RetentionRules>,
}

#[derive(Clone, Debug)]
pub(crate) struct PublishOptions {
    pub(crate) publishers: usize,
    pub(crate) pause_ms: u64,
    pub(crate) batch_permille: u64,
    pub(crate) batch_max: u64,
    pub(crate) with_id_permille: u64,
    pub(crate) repeat_permille: u64,
    /// Calls that carry an idempotency key.
    pub(crate) keyed_permille: u64,
    /// Events that arrive all at once, more than a lane holds in memory.
    pub(crate) flood: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct NetworkOptions {
    pub(crate) latency_us_max: u64,
    /// Weight of success, then of each of [`FAULTS`].
    pub(crate) weights: Vec<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct ProcessOptions {
    /// Mean life of a process; `None` when it lives as long as the load.
    pub(crate) life_ms: Option<u64>,
    /// Share of ends that are asked for and waited for.
    pub(crate) graceful_permille: u64,
    pub(crate) down_ms: u64,
}

impl Options {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed, "options");
        let chance = &mut chance;
        let flood =
            maybe(chance, 120, |chance| usize::try_from(chance.between(1_200, 1_900)).expect("small"));
        Self {
            cores: chance.index(3) + 1,
            workspaces: chance.index(3) + 1,
            webhooks_a_workspace: chance.index(4) + 1,
            hosts_a_workspace: chance.index(3) + 1,
            load_ms: *chance.pick(&[5_000, 30_000, 120_000, 600_000]),
            publish: PublishOptions::draw(chance, seed, flood),
            manage_pause_ms: maybe(chance, 700, |chance| *chance.pick(&[300, 2_000, 15_000])),
            erase_permille: maybe(chance, 300, |_| 30).unwrap_or(0),
            network: NetworkOptions::draw(chance),
            mood_ms: maybe(chance, 600, |chance| *chance.pick(&[500, 5_000, 60_000])),
            store: draw_pace(chance),
            trouble: TroubleOdds {
                before_permille: maybe(chance, 400, |chance| *chance.pick(&[2, 30, 200])).unwrap_or(0),
                after_permille: maybe(chance, 400, |chance| *chance.pick(&[2, 30, 200])).unwrap_or(0),
                read_permille: maybe(chance, 400, |chance| *chance.pick(&[2, 30, 200])).unwrap_or(0),
            },
            outage_pause_ms: maybe(chance, 300, |chance| *chance.pick(&[10_000, 60_000])),
            process: ProcessOptions {
                life_ms: maybe(chance, 600, |chance| *chance.pick(&[400, 5_000, 40_000])),
                graceful_permille: *chance.pick(&[0, 300, 1_000]),
                down_ms: *chance.pick(&[1, 200, 10_000]),
            },
            jump_ms_max: maybe(chance, 250, |chance| *chance.pick(&[1_500, 60_000, 3_600_000])),
            retention: maybe(chance, 300, draw_retention),
        }
    }
}

impl PublishOptions {
    fn draw(chance: &mut Chance, seed: u64, flood: Option<usize>) -> Self {
        // Drawn apart, so that the rest of a world does not depend on it.
        let keyed_permille = *Chance::new(seed, "keys").pick(&[0, 0, 300, 1_000]);
        Self {
            publishers: chance.index(4) + 1,
            pause_ms: *chance.pick(&[20, 300, 3_000]),
            batch_permille: *chance.pick(&[0, 100, 700]),
            batch_max: *chance.pick(&[3, 40]),
            with_id_permille: *chance.pick(&[0, 500, 1_000]),
            repeat_permille: *chance.pick(&[0, 50, 400]),
            keyed_permille,
            flood,
        }
    }
}

impl NetworkOptions {
    fn draw(chance: &mut Chance) -> Self {
        let mut weights = vec![*chance.pick(&[100, 400, 2_000])];
        let rare = *chance.pick(&[100, 500, 900]);
        for _ in FAULTS {
            weights.push(if chance.permille(rare) { 0 } else { *chance.pick(&[1, 10, 60]) });
        }
        Self { latency_us_max: *chance.pick(&[900, 30_000, 400_000]), weights }
    }
}

fn draw_pace(chance: &mut Chance) -> StorePace {
    let queue = *chance.pick(&[4, 64, 16_384]);
    StorePace {
        read_us_max: *chance.pick(&[10, 3_000, 300_000]),
        commit_us_max: *chance.pick(&[100, 9_000, 500_000]),
        limits: BatchLimits {
            operations_max: *chance.pick(&[1, 8, 1_024]),
            bytes_max: *chance.pick(&[4_000, 4_000_000]),
            waiting_operations_max: queue,
            waiting_bytes_max: *chance.pick(&[100_000, 128_000_000]),
        },
    }
}

/// Ages that pass within a run, some of them while deliveries are still tried.
fn draw_retention(chance: &mut Chance) -> RetentionRules {
    RetentionRules {
        event_age_max: maybe(chance, 800, |chance| Duration::from_secs(*chance.pick(&[1, 20, 300]))),
        payload_age_max: maybe(chance, 500, |chance| Duration::from_secs(*chance.pick(&[1, 10, 100]))),
        bytes_max: None,
    }
}

/// A value in so many of a thousand worlds.
fn maybe<T>(chance: &mut Chance, permille: u64, draw: impl FnOnce(&mut Chance) -> T) -> Option<T> {
    chance.permille(permille).then(|| draw(chance))
}
