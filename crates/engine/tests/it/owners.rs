//! Lane groups that this node loses and gains: what is another's starts nothing here, and nothing is sent twice on the way.

use std::sync::Arc;

use futures_util::FutureExt;
use signalpost_core::ceilings::{Ceilings, MaxInFlight};
use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_core::ports::Clock;
use signalpost_core::time::Monotonic;
use signalpost_engine::webhooks::Activity;
use signalpost_store::testing::memory::MemoryStore;
use signalpost_store::{Ledger, Ownership};

use crate::rig::{Rig, delivered};

const FOR_EVER: Monotonic = Monotonic::from_us(u64::MAX);

/// A rig whose one webhook takes one request at a time, and the group that it is in.
struct Stage {
    rig: Rig,
    ownership: Arc<Ownership>,
    webhook: String,
    group: LaneGroup,
}

impl Stage {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let ownership = store.ownership();
        let mut rig = Rig::on(store);
        rig.watch_owed();
        let ceilings = Ceilings {
            in_flight: Some(MaxInFlight::new(1).expect("within its bounds")),
            ..Ceilings::default()
        };
        let webhook = rig.webhook_within(ceilings);
        let group = LaneGroup::of(rig.look(&webhook).id);
        Self { rig, ownership, webhook, group }
    }

    fn lose(&mut self) {
        self.ownership.lose(self.group);
        self.tell();
    }

    fn gain(&mut self, epoch: u64) {
        self.ownership.take(self.group, GroupEpoch::numbered(epoch).expect("it is not zero"));
        self.tell();
    }

    fn tell(&mut self) {
        self.ownership.tell();
        self.rig.settle();
    }

    fn is_ready(&self) -> bool {
        self.rig.engine.check_ready().now_or_never().expect("nothing waits").is_ok()
    }

    fn requests(&self) -> usize {
        self.rig.receiver.requests()
    }
}

#[test]
fn a_lane_that_is_lost_ends_what_is_under_way_and_leaves_the_rest() {
    let mut stage = Stage::new();
    stage.rig.publish(3);
    assert_eq!((stage.requests(), stage.rig.receiver.in_flight()), (1, 1));
    stage.lose();
    stage.rig.publish(1);
    stage.rig.receiver.answer(200);
    stage.rig.settle();
    stage.rig.advance_s(600);
    assert_eq!(
        (stage.requests(), stage.rig.count(delivered)),
        (1, 1),
        "its outcome is told, and nothing else starts"
    );
    assert_eq!(stage.rig.engine.metrics().lanes_in_memory.get(), 0);
    stage.rig.receiver.status.set(Some(200));
    stage.gain(2);
    assert_eq!((stage.requests(), stage.rig.count(delivered)), (4, 4), "each was sent once");
}

#[test]
fn a_lane_that_was_anothers_meanwhile_is_not_believed() {
    let mut stage = Stage::new();
    stage.rig.publish(2);
    stage.ownership.lose(stage.group);
    stage.gain(2);
    assert_eq!(stage.rig.receiver.in_flight(), 1, "what was begun before has to end first");
    stage.rig.receiver.status.set(Some(200));
    stage.rig.receiver.answer(200);
    stage.rig.settle();
    assert_eq!((stage.requests(), stage.rig.count(delivered)), (2, 2));
}

#[test]
fn nothing_starts_while_what_is_known_of_owners_may_be_old() {
    let mut stage = Stage::new();
    stage.rig.receiver.status.set(Some(200));
    stage.ownership.trust_until(stage.rig.clock.monotonic());
    stage.rig.publish(2);
    stage.rig.advance_s(600);
    assert_eq!((stage.requests(), stage.is_ready()), (0, false));
    stage.ownership.trust_until(FOR_EVER);
    stage.tell();
    assert!(stage.is_ready());
    assert_eq!((stage.requests(), stage.rig.count(delivered)), (2, 2));
}

#[test]
fn the_oldest_delivery_that_is_due_is_known_of_every_group() {
    let mut stage = Stage::new();
    let oldest = |stage: &Stage| stage.rig.engine.metrics().oldest_due.ms(stage.group);
    stage.rig.publish(2);
    stage.rig.advance_s(40);
    assert_eq!(oldest(&stage), Some(40_000));
    stage.lose();
    stage.rig.advance_s(40);
    assert_eq!(oldest(&stage), Some(80_000), "whoever has it");
    stage.rig.receiver.status.set(Some(200));
    stage.gain(2);
    stage.rig.receiver.answer(200);
    stage.rig.settle();
    stage.rig.advance_s(40);
    assert_eq!((oldest(&stage), stage.rig.count(delivered)), (Some(0), 2));
}

#[test]
fn a_change_of_a_webhook_that_is_anothers_is_answered() {
    let mut stage = Stage::new();
    stage.rig.publish(1);
    stage.lose();
    let webhook = stage.webhook.clone();
    stage.rig.switch(&webhook, Activity::Paused);
    stage.rig.receiver.answer(200);
    stage.rig.settle();
    stage.rig.switch(&webhook, Activity::Active);
    assert_eq!(stage.requests(), 1);
}
