//! What a core reads at once. How it behaves as a whole stands in `tests/it`.

use futures_util::FutureExt;
use signalpost_core::attempt::{Exchange, Verdict};
use signalpost_core::delivery::Due;
use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::{DeliveryId, EventId, WorkspaceId};
use signalpost_core::limits::CORE_LOADS_MAX;
use signalpost_core::ports::{OutboundRequest, Random};
use signalpost_core::retention::RetentionRules;
use signalpost_core::seal::Keyring;
use signalpost_store::CommitListener;
use signalpost_store::ledger::{Backlog, Stored};
use signalpost_store::testing::in_place::InPlace;
use signalpost_store::testing::memory::MemoryStore;
use signalpost_store::testing::sample;

use super::*;
use crate::EngineOptions;
use crate::attempt::Ending;
use crate::hand_clock::HandClock;
use crate::id_map::core_of;
use crate::lane::{Epoch, Payload};

const MORE: usize = 50;

struct Zeros;

impl Random for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// Nothing is ever sent here.
struct Nowhere;

impl Transport for Nowhere {
    fn send(&self, _: OutboundRequest) -> LocalBoxFuture<'static, Exchange> {
        unreachable!("nobody has a webhook")
    }
}

fn core() -> Running {
    first_of(1).0
}

/// The first of so many cores, and the doors of the others.
fn first_of(cores: usize) -> (Running, Vec<CoreDoor>) {
    let (engine, mut cores) = Engine::new(EngineOptions {
        store: Arc::new(MemoryStore::new()),
        clock: Arc::new(HandClock::default()),
        random: Arc::new(Zeros),
        heavy_work: Arc::new(InPlace::default()),
        keyring: Arc::new(Keyring::parse(&"07".repeat(32)).expect("a good key")),
        profiles: Vec::new(),
        cores,
        retention: RetentionRules::default(),
    });
    let first = Running::new(engine, Rc::new(Nowhere), cores.remove(0).door);
    (first, cores.into_iter().map(|core| core.door).collect())
}

/// Makes a delivery ready for so many webhooks of which nothing is known.
fn owe(core: &mut Running, webhooks: usize) {
    for raw in (1..).take(webhooks) {
        let id = DeliveryId { event: EventId::from_raw(1), webhook: WebhookId::from_raw(raw) };
        let due_at = core.engine.clock.now();
        let due = Due { id, due_at, born: Sequence(1), steps: 0, tries: 0, order: None };
        core.touch(id.webhook, |lane| lane.offer(due, None, Payload::Keep));
    }
}

#[test]
fn the_store_is_asked_for_a_bounded_number_of_webhooks_at_once() {
    let mut core = core();
    owe(&mut core, CORE_LOADS_MAX + MORE);
    core.start_attempts();
    assert_eq!((core.loads_in_flight, core.unloaded.len()), (CORE_LOADS_MAX, MORE));
    core.start_attempts();
    assert_eq!((core.loads_in_flight, core.unloaded.len()), (CORE_LOADS_MAX, MORE), "as many as may be");

    let done = core.underway.next().now_or_never().flatten().expect("the store answers at once");
    core.deal_with(done);
    core.start_attempts();
    assert_eq!(
        (core.loads_in_flight, core.unloaded.len()),
        (CORE_LOADS_MAX, MORE - 1),
        "one after the other"
    );

    while let Some(done) = core.underway.next().now_or_never().flatten() {
        core.deal_with(done);
        core.start_attempts();
    }
    assert_eq!((core.loads_in_flight, core.unloaded.len(), core.held), (0, 0, 0), "nobody has such webhooks");
}

/// Its workspace may be on the way to another cell, which delivers what is owed.
#[test]
fn what_is_owed_to_a_webhook_that_is_not_to_be_found_is_not_counted_as_dropped() {
    let mut core = core();
    owe(&mut core, 1);
    core.lanes.values_mut().for_each(|lane| lane.workspace = Some(WorkspaceId::from_raw(1)));
    core.start_attempts();
    let loaded = core.underway.next().now_or_never().flatten().expect("the store answers at once");
    core.deal_with(loaded);
    assert_eq!((core.held, core.tally.take(Share::All)), (0, Vec::new()));
}

/// A page may name what was committed before anybody hears of it. Heard when it has ended, it would be sent once more.
#[test]
fn what_was_told_before_an_outcome_is_on_disk_is_heard_before_it_is_forgotten() {
    let mut core = core();
    core.door.open();
    owe(&mut core, 1);
    let webhook = WebhookId::from_raw(1);
    let (id, due_at) = (DeliveryId { event: EventId::from_raw(1), webhook }, core.engine.clock.now());
    let event = sample::event(WorkspaceId::from_raw(1), 1, 1, &[webhook]);
    let event = Arc::new(Event {
        id: id.event,
        workspace: event.workspace,
        sequence: Sequence(1),
        content: event.content,
        targets: vec![webhook],
        accepted_at: due_at,
        payload_removed_at: None,
    });
    core.engine.doorbell.accepted(vec![Stored { event, told_apart: Vec::new() }]);
    let ending = Ending {
        due: Due { id, due_at, born: Sequence(1), steps: 0, tries: 0, order: None },
        workspace: WorkspaceId::from_raw(1),
        verdict: Verdict::Delivered,
        disabled: None,
        backlog: Backlog::Kept,
        latency_ms: None,
        epoch: Epoch::default(),
        ends_upto: None,
    };
    (core.records_in_flight, core.unrecorded) = (1, 1);
    core.deal_with(Done::Recorded(vec![ending]));
    assert_eq!(core.held, 0, "it is delivered");
    assert!(core.door.mailbox.take().now_or_never().is_none(), "and nothing says that it is owed");
}

/// It would send what another core sends.
#[test]
fn a_core_does_not_look_for_what_it_was_told_of_a_lane_that_it_has_given_away() {
    let (mut core, others) = first_of(2);
    others[0].open();
    let of_first = (1..).map(WebhookId::from_raw).filter(|webhook| core_of(*webhook, 2) == 0);
    let [given, kept] = of_first.take(2).collect::<Vec<_>>().try_into().expect("two of them");
    for webhook in [given, kept] {
        core.hear(Message::AcceptedElsewhere { webhook, events: vec![EventId::from_raw(1)] });
    }
    let lane = core.lanes.remove(&given).expect("it was told of something");
    assert!(core.engine.doorbell.give(given, 1, Box::new(lane.pack())).is_none(), "it may go");
    core.look_for_told();
    assert!(core.elsewhere.is_asked() && !core.lanes.contains_key(&given), "for the other alone");
    let told = others[0].mailbox.take().now_or_never().expect("it is told");
    let [Message::Moved { .. }, Message::AcceptedElsewhere { webhook, events }] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((*webhook, &events[..]), (given, &[EventId::from_raw(1)][..]));
}
