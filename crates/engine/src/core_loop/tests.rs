//! What a core reads at once. How it behaves as a whole stands in `tests/it`.

use futures_util::FutureExt;
use signalpost_core::attempt::Exchange;
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, EventId};
use signalpost_core::limits::CORE_LOADS_MAX;
use signalpost_core::ports::{OutboundRequest, Random};
use signalpost_core::retention::RetentionRules;
use signalpost_core::seal::Keyring;
use signalpost_store::testing::in_place::InPlace;
use signalpost_store::testing::memory::MemoryStore;

use super::*;
use crate::EngineOptions;
use crate::hand_clock::HandClock;
use crate::id_map::core_of;
use crate::lane::Payload;

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
