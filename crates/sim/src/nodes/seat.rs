//! What the processes of a world share when there are several, and what each of them has of it.

use std::rc::Rc;
use std::sync::Arc;

use signalpost_store::Ownership;
use signalpost_store::ledger::{CommitListener, Finished};

use super::{Bells, Fence, Keeper, Line, Manner, NodeClock, Rows, Told};
use crate::chance::{Chance, SharedChance};
use crate::executor::Group;
use crate::ground::Ground;
use crate::options::NodeOptions;
use crate::plant::Plant;
use crate::trouble::Trouble;

/// How far apart the monotonic clocks of processes begin.
const BEGAN_US_MAX: u64 = 3_600_000_000;

pub(crate) struct Nodes {
    pub(crate) rows: Arc<Rows>,
    bells: Arc<Bells>,
    lines: Vec<Arc<Line>>,
    chance: Arc<SharedChance>,
    manner: Manner,
    options: NodeOptions,
    seed: u64,
}

/// What one process has of the store that it shares.
pub(crate) struct Seat {
    pub(crate) process: u32,
    pub(crate) rows: Arc<Rows>,
    bells: Arc<Bells>,
    pub(crate) line: Arc<Line>,
    pub(crate) ownership: Arc<Ownership>,
}

impl Nodes {
    /// `None` when there is one node alone, which has every lane group for ever.
    pub(crate) fn of(
        ground: &Rc<Ground>,
        trouble: &Arc<Trouble>,
        seed: u64,
        options: &NodeOptions,
        plant: Plant,
    ) -> Option<Self> {
        if options.count == 1 {
            return None;
        }
        let fence = if plant == Plant::BlindFence { Fence::LetsThrough } else { Fence::Stands };
        let manner = match plant {
            Plant::TrustForAges => Manner::TrustsForAges,
            Plant::GiveBusy => Manner::GivesBusy,
            Plant::GiveNothing => Manner::GivesNothing,
            _ => Manner::Right,
        };
        let bells = Arc::new(Bells::default());
        let carried =
            Arc::clone(&bells).carry(Rc::clone(ground), Arc::clone(trouble), Chance::new(seed, "bells"));
        ground.spawn(Group::WORLD, carried);
        Some(Self {
            rows: Arc::new(Rows::new(fence, Arc::clone(&ground.tally))),
            bells,
            lines: (0..options.count).map(|_| Arc::default()).collect(),
            chance: Arc::new(SharedChance::new(seed, "leases")),
            manner,
            options: options.clone(),
            seed,
        })
    }

    pub(crate) fn line(&self, node: u16) -> &Arc<Line> {
        &self.lines[usize::from(node)]
    }

    pub(crate) fn seat(&self, node: u16, process: u32) -> Arc<Seat> {
        Arc::new(Seat {
            process,
            rows: Arc::clone(&self.rows),
            bells: Arc::clone(&self.bells),
            line: Arc::clone(self.line(node)),
            ownership: Arc::new(Ownership::of_none()),
        })
    }

    /// The clocks of a process. The wall clock is that of its node, as long as the world lasts.
    pub(crate) fn clock(&self, ground: &Ground, node: u16) -> NodeClock {
        let began_us = self.chance.draw().between(0, BEGAN_US_MAX);
        let most_ms = self.options.wall_off_ms_max;
        let drawn = Chance::new(self.seed, &format!("wall clock of node {node}")).between(0, 2 * most_ms);
        if most_ms > 0 {
            ground.tally.count("node", "wall clock off");
        }
        let signed = |ms: u64| i64::try_from(ms).expect("minutes");
        NodeClock { world: ground.clock.clone(), began_us, wall_off_ms: signed(drawn) - signed(most_ms) }
    }

    pub(crate) fn keeper(
        &self,
        ground: &Rc<Ground>,
        trouble: &Arc<Trouble>,
        seat: &Seat,
        clock: NodeClock,
        verb_us_max: u64,
    ) -> Rc<Keeper> {
        Rc::new(Keeper {
            process: seat.process,
            ground: Rc::clone(ground),
            clock,
            rows: Arc::clone(&self.rows),
            line: Arc::clone(&seat.line),
            trouble: Arc::clone(trouble),
            chance: Arc::clone(&self.chance),
            verb_us_max,
            manner: self.manner,
            ownership: Arc::clone(&seat.ownership),
            place: super::keeper::Place::default(),
        })
    }

    pub(crate) fn process_ended(&self, process: u32) {
        self.bells.forget(process);
    }
}

impl Seat {
    /// Those outcomes that are written, of what its process has handed in.
    pub(crate) fn admit(&self, finished: &Arc<Vec<Finished>>) -> Arc<Vec<Finished>> {
        self.rows.admit(finished)
    }

    pub(crate) fn listen(&self, listener: Arc<dyn CommitListener>) {
        self.bells.listen(self.process, listener, Arc::clone(&self.line));
    }

    /// Has the others hear of what its process has committed.
    pub(crate) fn ring(&self, told: Told) {
        self.bells.ring(self.process, told);
    }
}
