//! One delivery core: a single-threaded loop that owns its lanes, starts attempts in turn and records how they end.

mod elsewhere;
mod hear;
mod moving;
mod settle;
mod start;

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt, select_biased};
use signalpost_core::concurrency::Begun;
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_core::limits::{CORE_IN_FLIGHT_MAX, CORE_MEMORY_DELIVERIES_MAX, LANE_PAGE_ROWS};
use signalpost_core::ports::{BoxFuture, LocalBoxFuture, Transport};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::ledger::Finished;
use signalpost_store::ownership::UnderWay;

use crate::Engine;
use crate::attempt::{EndedAttempt, Ending, Unbegun};
use crate::doorbell::{CoreDoor, Message};
use crate::figures::{Share, Tally};
use crate::id_map::{IdMap, IdSet};
use crate::lane::Lane;
use crate::lane_config::Loaded;
use crate::round::{Round, Slot};
use crate::timers::Timers;

use self::elsewhere::Elsewhere;
use self::moving::Leaving;

/// Ended attempts that may wait for their record. Beyond it nothing starts: a crash now would repeat them.
const UNRECORDED_MAX: usize = 2 * CORE_IN_FLIGHT_MAX;
/// Records on their way at once. While they are, further outcomes gather for the next.
const RECORDS_IN_FLIGHT_MAX: usize = 2;
/// Events read from the store at once for deliveries that memory holds without their payload.
const FETCH_MAX: usize = 64;
/// Rows that a lane reads at once while the core's memory is full: enough to go on, for every lane.
const PAGE_ROWS_WHEN_FULL: usize = 8;
/// Things done in one turn before messages and timers get a look.
const TURN_MAX: usize = 64;
/// A lane that holds nothing stays in memory this long with its configuration.
const LANE_IDLE_MS: i64 = 60_000;
/// The longest sleep of a core that waits for an instant of the wall clock.
const ALARM_MAX: Duration = Duration::from_secs(3_600);
/// Pause before a webhook whose secret does not open, or whose dialect is not served, is looked at again.
const LOCKED_PAUSE_MS: i64 = 60_000;
/// Pause before the store is asked again after it failed.
const STORE_PAUSE_MS: i64 = 1_000;

/// A core, to be run on a thread of its own.
pub struct DeliveryCore {
    engine: Arc<Engine>,
    door: CoreDoor,
}

impl DeliveryCore {
    pub(crate) const fn new(engine: Arc<Engine>, door: CoreDoor) -> Self {
        Self { engine, door }
    }

    /// Delivers until the engine is told to stop. Attempts still in flight after the grace are left: they are owed
    /// and the next start sends them again.
    pub async fn run(self, transport: Rc<dyn Transport>) {
        self.door.open();
        Running::new(self.engine, transport, self.door.clone()).run().await;
        self.door.close();
    }
}

impl Engine {
    /// Tells every core to start nothing more. Their `run` returns when nothing is in flight, or after the grace. Other nodes
    /// may go on with what is owed at once.
    pub fn stop(&self) {
        self.ownership.retire();
        self.doorbell.stop();
    }
}

/// Something that a core was waiting for.
enum Done {
    Ended(Underway, Result<EndedAttempt, Unbegun>),
    Recorded(Vec<Ending>),
    Loaded { webhook: WebhookId, question: u64, loaded: Result<Loaded, String> },
    Page { webhook: WebhookId, limit: usize, rows: Result<Vec<Due>, StoreError> },
    Found { asked: Vec<DeliveryId>, found: Result<Vec<(Due, Arc<Event>)>, StoreError> },
    Fetched { dues: Vec<(Due, Slot)>, events: Result<Vec<Arc<Event>>, StoreError> },
}

/// What an attempt has taken while it lasts.
struct Underway {
    slot: Slot,
    begun: Begun,
    epoch: GroupEpoch,
    /// For whoever hands the lane group over.
    under_way: UnderWay,
}

struct Running {
    engine: Arc<Engine>,
    door: CoreDoor,
    transport: Rc<dyn Transport>,
    /// Boxed: a table that grows keeps room for as many again.
    lanes: IdMap<WebhookId, Box<Lane>>,
    leaving: BTreeMap<WebhookId, Leaving>,
    /// Since when the attempts of lanes have been counted.
    counted_since: Timestamp,
    /// Paused webhooks whose lanes are out of memory until their next probe.
    resting: IdSet<WebhookId>,
    /// Lanes whose configuration is to be read, each once.
    unloaded: VecDeque<WebhookId>,
    loads_in_flight: usize,
    round: Round,
    elsewhere: Elsewhere,
    /// Attempts that are planned and have not begun.
    unbegun: Rc<Cell<usize>>,
    timers: Timers,
    alarm: Option<(Timestamp, BoxFuture<'static, ()>)>,
    underway: FuturesUnordered<LocalBoxFuture<'static, Done>>,
    held: usize,
    held_bytes: usize,
    unrecorded: usize,
    records_in_flight: usize,
    outcomes: Vec<Finished>,
    /// What follows from each of `outcomes`, in the same order.
    endings: Vec<Ending>,
    /// Of `outcomes` as well.
    under_way: Vec<UnderWay>,
    questions: u64,
    /// What has ended here, for the figures.
    tally: Tally,
    has_told_left_out: bool,
    /// When to leave what is still in flight.
    stopping: Option<Timestamp>,
}

impl Running {
    fn new(engine: Arc<Engine>, transport: Rc<dyn Transport>, door: CoreDoor) -> Self {
        let counted_since = engine.clock.now();
        let tally = Tally::new(Arc::clone(&engine.metrics));
        Self {
            engine,
            door,
            transport,
            lanes: IdMap::default(),
            leaving: BTreeMap::new(),
            counted_since,
            resting: IdSet::default(),
            unloaded: VecDeque::new(),
            loads_in_flight: 0,
            round: Round::new(CORE_IN_FLIGHT_MAX),
            elsewhere: Elsewhere::default(),
            unbegun: Rc::default(),
            timers: Timers::default(),
            alarm: None,
            underway: FuturesUnordered::new(),
            held: 0,
            held_bytes: 0,
            unrecorded: 0,
            records_in_flight: 0,
            outcomes: Vec::new(),
            endings: Vec::new(),
            under_way: Vec::new(),
            questions: 0,
            tally,
            has_told_left_out: false,
            stopping: None,
        }
    }

    async fn run(mut self) {
        while !self.has_stopped() {
            self.wait().await;
            self.look_for_told();
            self.wake_lanes();
            self.start_attempts();
            self.record_outcomes();
            self.see_off();
        }
        self.engine.counted.hand_in(self.tally.take(Share::All));
    }

    /// Waits for anything to happen and deals with it, and with whatever else has happened by then.
    async fn wait(&mut self) {
        let (messages, done) = self.next().await;
        for message in messages {
            self.hear(message);
        }
        let mut next = done;
        for _ in 0..TURN_MAX {
            let Some(done) = next else { break };
            self.deal_with(done);
            next = self.underway.next().now_or_never().flatten();
        }
        if let Some(done) = next {
            self.deal_with(done);
        }
    }

    async fn next(&mut self) -> (Vec<Message>, Option<Done>) {
        self.set_alarm();
        let mut rung = false;
        let more = self.may_start_more();
        let others_turn = async {
            match more {
                true => self.engine.clock.give_way().await,
                false => std::future::pending().await,
            }
        };
        let alarm = async {
            match &mut self.alarm {
                Some((_, sleep)) => sleep.await,
                None => std::future::pending().await,
            }
        };
        let happened = select_biased! {
            messages = self.door.mailbox.take().fuse() => (messages, None),
            done = self.underway.select_next_some() => (Vec::new(), Some(done)),
            () = others_turn.fuse() => (Vec::new(), None),
            () = alarm.fuse() => {
                rung = true;
                (Vec::new(), None)
            }
        };
        if rung {
            self.alarm = None;
            self.look_at_held();
        }
        happened
    }

    /// Sleeps until the first lane wants to be looked at, or the grace ends.
    fn set_alarm(&mut self) {
        let Some(at) = self.stopping.or_else(|| self.timers.next()) else {
            self.alarm = None;
            return;
        };
        if self.alarm.as_ref().is_some_and(|(planned, _)| *planned == at) {
            return;
        }
        let wait_ms = u64::try_from(at.ms_since(self.engine.clock.now())).expect("never below zero");
        // The wall clock may be set back while we sleep; looking once an hour bounds what that can cost.
        let sleep = self.engine.clock.sleep(Duration::from_millis(wait_ms).min(ALARM_MAX));
        self.alarm = Some((at, sleep));
    }

    /// An alarm that rings before its instant says that the wall clock was set back, and holds that it began have ended.
    fn look_at_held(&mut self) {
        let now = self.engine.clock.now();
        if self.timers.next().is_none_or(|at| at <= now) {
            return;
        }
        let held = self.lanes.iter().filter(|(_, lane)| lane.gate.is_held());
        let held: Vec<WebhookId> = held.map(|(webhook, _)| *webhook).collect();
        held.into_iter().for_each(|webhook| self.touch(webhook, |_| ()));
    }

    fn has_stopped(&self) -> bool {
        let Some(deadline) = self.stopping else { return false };
        (self.round.in_flight() == 0 && self.unrecorded == 0) || self.engine.clock.now() >= deadline
    }

    /// Changes a lane, and keeps the core's sums, its round and its timers in step with it.
    fn touch<R>(&mut self, webhook: WebhookId, change: impl FnOnce(&mut Lane) -> R) -> R {
        let now = self.engine.clock.now();
        let (metrics, ownership) = (&self.engine.metrics, &self.engine.ownership);
        let lane = self.lanes.entry(webhook).or_insert_with(|| {
            metrics.lanes_in_memory.add(1);
            self.resting.remove(&webhook);
            let mut lane = Box::new(Lane::new(now));
            lane.epoch = ownership.epoch_of(LaneGroup::of(webhook));
            // What was to wake a lane that is not in memory is on disk, and nothing else remembers it.
            if let Some(at) = self.timers.of(webhook) {
                lane.hear_of(at);
            }
            self.timers.wake_by(webhook, now.plus_ms(LANE_IDLE_MS));
            lane
        });
        let before = (lane.held(), lane.ready_bytes());
        let result = change(lane);
        let page_rows =
            if self.held < CORE_MEMORY_DELIVERIES_MAX { LANE_PAGE_ROWS } else { PAGE_ROWS_WHEN_FULL };
        // Before the sums are taken: making room for a page changes what the lane holds.
        let page = lane.begin_page(now, page_rows);
        let after = (lane.held(), lane.ready_bytes());
        self.held = self.held + after.0 - before.0;
        self.held_bytes = self.held_bytes + after.1 - before.1;
        metrics.deliveries_in_memory.add(signed(after.0) - signed(before.0));
        if let Some(workspace) = lane.workspace {
            self.round.stand(workspace, webhook, lane.can_start(now));
        }
        if lane.needs_config() && !lane.waits_for_config {
            lane.waits_for_config = true;
            self.unloaded.push_back(webhook);
        }
        if let Some(at) = lane.wake_at(now) {
            self.timers.wake_by(webhook, at);
        }
        if let Some((limit, order)) = page {
            self.read_page(webhook, limit, order);
        }
        result
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).expect("a count of things in memory")
}

#[cfg(test)]
mod tests;
