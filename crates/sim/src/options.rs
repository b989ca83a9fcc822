//! What kind of world a seed gives: each seed leaves some faults out altogether and gives the rest very different
//! odds, because a world in which everything fails a little never gets to the rare states.

use std::time::Duration;

use signalpost_core::limits::RETRY_DELAY_MAX;
use signalpost_core::retention::RetentionRules;
use signalpost_store::batch::BatchLimits;

use crate::chance::Chance;
use crate::conduct::{FAULTS, Fault, LATER_FAULTS, RETRY_AFTER_MAX_S};
use crate::store::StorePace;
use crate::trouble::TroubleOdds;

/// A drawn configuration. Printed with the seed when something was found.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) nodes: NodeOptions,
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
    /// Mean pause of consumers who follow the feeds.
    pub(crate) read_pause_ms: Option<u64>,
    /// Webhooks with a filter.
    pub(crate) filter_permille: u64,
    /// Webhooks whose owner permits so many requests at once, or in a second, and no more.
    pub(crate) ceilings_permille: u64,
    /// Webhooks that keep an order by key.
    pub(crate) ordered_permille: u64,
    /// Workspaces whose webhooks are signed with keys that they share.
    pub(crate) shared_keys_permille: u64,
    pub(crate) network: NetworkOptions,
    /// Mean time in one mood of a receiver; `None` when moods do not change.
    pub(crate) mood_ms: Option<u64>,
    pub(crate) store: StorePace,
    pub(crate) trouble: TroubleOdds,
    /// Mean time between outages of the store.
    pub(crate) outage_pause_ms: Option<u64>,
    /// Mean time between shortages of disk.
    pub(crate) full_disk_pause_ms: Option<u64>,
    pub(crate) process: ProcessOptions,
    /// Largest jump of the wall clock.
    pub(crate) jump_ms_max: Option<u64>,
    /// The most by which the wall clock runs fast or slow, in thousandths.
    pub(crate) drift_permille: Option<i64>,
    /// The server's rules of retention; `None` in worlds that keep everything.
    pub(crate) retention: Option<RetentionRules>,
}

/// With how many others a node shares the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    /// As the seed draws it.
    Drawn,
    Alone,
}

/// Processes that share the store.
#[derive(Clone, Debug)]
pub(crate) struct NodeOptions {
    pub(crate) count: u16,
    /// Mean time until the process of a node stands still for a while.
    pub(crate) freeze_pause_ms: Option<u64>,
    /// The same until a node is cut off from the store.
    pub(crate) cut_pause_ms: Option<u64>,
    /// The most by which the wall clock of a node is off.
    pub(crate) wall_off_ms_max: u64,
}

impl NodeOptions {
    pub(crate) const ALONE: Self =
        Self { count: 1, freeze_pause_ms: None, cut_pause_ms: None, wall_off_ms_max: 0 };

    /// The most by which the wall clocks of two nodes differ, and theirs and the world's.
    pub(crate) const fn apart_ms(&self) -> u64 {
        2 * self.wall_off_ms_max
    }
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
    /// Webhooks for which events come all at once while everything hangs: more than a core has room for in flight.
    pub(crate) crowd: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct NetworkOptions {
    pub(crate) latency_us_max: u64,
    /// Weight of success, then of each of [`FAULTS`] and of [`LATER_FAULTS`].
    pub(crate) weights: Vec<u64>,
    /// Faults of which a receiver may have nothing else for a while.
    pub(crate) moods: Vec<Fault>,
    /// Mean time between stalls, in which every request hangs.
    pub(crate) stall_pause_ms: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct ProcessOptions {
    /// Mean life of a process; `None` when it lives as long as the load.
    pub(crate) life_ms: Option<u64>,
    /// Share of ends that are asked for and waited for.
    pub(crate) graceful_permille: u64,
    pub(crate) down_ms: u64,
    /// Share of ends, be they asked for or not, that come at an await drawn among all of a process, and of starts that do
    /// not get far.
    pub(crate) fuse_permille: u64,
}

impl Options {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed, "options");
        let chance = &mut chance;
        let flood =
            maybe(chance, 120, |chance| usize::try_from(chance.between(1_200, 1_900)).expect("small"));
        let mut options = Self {
            nodes: NodeOptions::ALONE,
            cores: chance.index(3) + 1,
            workspaces: chance.index(3) + 1,
            webhooks_a_workspace: chance.index(4) + 1,
            hosts_a_workspace: chance.index(3) + 1,
            load_ms: *chance.pick(&[5_000, 30_000, 120_000, 600_000]),
            publish: PublishOptions::draw(chance, seed, flood),
            read_pause_ms: None,
            filter_permille: 0,
            ceilings_permille: 0,
            ordered_permille: 0,
            shared_keys_permille: 0,
            full_disk_pause_ms: None,
            drift_permille: None,
            manage_pause_ms: maybe(chance, 700, |chance| *chance.pick(&[300, 2_000, 15_000])),
            erase_permille: maybe(chance, 300, |_| 30).unwrap_or(0),
            network: NetworkOptions::draw(chance),
            mood_ms: maybe(chance, 600, |chance| *chance.pick(&[500, 5_000, 60_000])),
            store: draw_pace(chance),
            trouble: TroubleOdds {
                before_permille: maybe(chance, 400, |chance| *chance.pick(&[2, 30, 200])).unwrap_or(0),
                after_permille: maybe(chance, 400, |chance| *chance.pick(&[2, 30, 200])).unwrap_or(0),
                read_permille: maybe(chance, 400, |chance| *chance.pick(&[2, 30, 200])).unwrap_or(0),
                deaf_permille: 0,
                bells_lost_permille: 0,
            },
            outage_pause_ms: maybe(chance, 300, |chance| *chance.pick(&[10_000, 60_000])),
            process: ProcessOptions {
                life_ms: maybe(chance, 600, |chance| *chance.pick(&[400, 5_000, 40_000])),
                graceful_permille: *chance.pick(&[0, 300, 1_000]),
                down_ms: *chance.pick(&[1, 200, 10_000]),
                fuse_permille: 0,
            },
            jump_ms_max: maybe(chance, 250, |chance| *chance.pick(&[1_500, 60_000, 3_600_000])),
            retention: maybe(chance, 300, draw_retention),
        };
        options.draw_more(seed);
        options
    }

    /// More virtual time than a run can need: the load, and twice the longest wait of whatever is owed then.
    pub(crate) fn longest_us(&self) -> u64 {
        let days = if self.network.retry_after_max_s() > RETRY_AFTER_MAX_S { 4 } else { 1 };
        days * 24 * 3_600 * 1_000_000
    }

    /// A time by the wall clock, as long as it can be by the true one.
    pub(crate) fn by_any_clock_us(&self, us: u64) -> u64 {
        let slowest = 1_000 - self.drift_permille.map_or(0, i64::unsigned_abs);
        us * 1_000 / slowest
    }

    /// What came later is drawn apart, each from a stream of its own, so that a world without it stays what it was.
    fn draw_more(&mut self, seed: u64) {
        let more = |name: &str| Chance::new(seed, name);
        self.read_pause_ms = maybe(&mut more("readers"), 300, |chance| *chance.pick(&[50, 1_000, 20_000]));
        self.filter_permille =
            maybe(&mut more("filters"), 300, |chance| *chance.pick(&[200, 800])).unwrap_or(0);
        self.ceilings_permille =
            maybe(&mut more("ceilings"), 300, |chance| *chance.pick(&[300, 900])).unwrap_or(0);
        self.ordered_permille =
            maybe(&mut more("order"), 300, |chance| *chance.pick(&[400, 1_000])).unwrap_or(0);
        self.shared_keys_permille = maybe(&mut more("shared keys"), 250, |_| 700).unwrap_or(0);
        self.full_disk_pause_ms = maybe(&mut more("full disk"), 150, |chance| *chance.pick(&[5_000, 40_000]));
        self.trouble.deaf_permille =
            maybe(&mut more("deafness"), 200, |chance| *chance.pick(&[50, 400, 1_000])).unwrap_or(0);
        self.process.fuse_permille =
            maybe(&mut more("fuses"), 300, |chance| *chance.pick(&[300, 1_000])).unwrap_or(0);
        if self.process.fuse_permille > 0 && self.process.life_ms.is_none() {
            self.process.life_ms = Some(20_000);
        }
        self.drift_permille = maybe(&mut more("drift"), 200, |chance| *chance.pick(&[1, 20, 50]));
        self.network.draw_more(seed);
        self.publish.crowd = maybe(&mut more("a crowd"), 30, |chance| chance.index(8) + 36);
        if self.publish.crowd.is_some() {
            // The bound of a core is then that of the process, and can be seen from outside.
            self.cores = 1;
        }
        let mut chance = more("nodes");
        let count = *chance.pick(&[1, 1, 1, 2, 3]);
        // What makes a process full is about that process.
        if count > 1 && self.publish.crowd.is_none() {
            self.draw_nodes(count, &mut chance);
        }
    }

    /// Several nodes, each with troubles of its own.
    fn draw_nodes(&mut self, count: u16, chance: &mut Chance) {
        let pause_ms = self.load_ms / 3 + 2_000;
        self.nodes = NodeOptions {
            count,
            freeze_pause_ms: maybe(chance, 600, |_| pause_ms),
            cut_pause_ms: maybe(chance, 400, |_| pause_ms),
            wall_off_ms_max: maybe(chance, 300, |chance| *chance.pick(&[200, 3_000, 30_000])).unwrap_or(0),
        };
        self.trouble.bells_lost_permille =
            maybe(chance, 500, |chance| *chance.pick(&[50, 400, 1_000])).unwrap_or(0);
        // Of a workspace that is gone the other nodes cannot be told here.
        self.erase_permille = 0;
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
            crowd: None,
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
        let latency_us_max = *chance.pick(&[900, 30_000, 400_000]);
        Self { latency_us_max, weights, moods: FAULTS.to_vec(), stall_pause_ms: None }
    }

    fn draw_more(&mut self, seed: u64) {
        let mut chance = Chance::new(seed, "later faults");
        let some = chance.permille(300);
        // A world in which receivers ask for a day takes days.
        let ages = Chance::new(seed, "odd wishes").permille(25);
        for fault in LATER_FAULTS {
            let is_drawn = some && chance.permille(500);
            let may_be = if matches!(fault, Fault::BusyForAges(_)) { ages } else { is_drawn };
            let weight = if may_be { *chance.pick(&[1, 10, 60]) } else { 0 };
            self.weights.push(weight);
            self.moods.extend((weight > 0).then_some(fault));
        }
        self.stall_pause_ms =
            maybe(&mut Chance::new(seed, "stalls"), 150, |chance| *chance.pick(&[10_000, 60_000]));
    }

    /// The longest wish for more time that a receiver has and that counts, in seconds.
    pub(crate) fn retry_after_max_s(&self) -> u64 {
        let for_ages = |fault: &Fault| matches!(fault, Fault::BusyForAges(_));
        if self.moods.iter().any(for_ages) { RETRY_DELAY_MAX.as_secs() } else { RETRY_AFTER_MAX_S }
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
