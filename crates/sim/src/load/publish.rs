//! Producers: single events and batches, with and without ids of their own, sometimes twice, sometimes in a flood.

use std::rc::Rc;
use std::sync::Arc;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::event::EventContent;
use signalpost_core::idempotency::{CallContent, KeyedCall};
use signalpost_core::profile::EventIdRule;
use signalpost_core::time::Timestamp;
use signalpost_engine::ingest::{NewEvent, Receipt};
use signalpost_engine::{Done, Engine};

use crate::chance::Chance;
use crate::facts::{Again, EventFacts, Promise, Tenancy, data_of};
use crate::ground::Moment;
use crate::load::order;
use crate::profiles::{EVENT_TYPES, SUBJECTS};
use crate::world::{World, passes};

/// Calls that a producer makes about the same events before it gives up.
const CALLS_MAX: usize = 12;
const AGAIN_MS: u64 = 250;
const FLOOD_BATCH: usize = 300;

/// Whether a call may be repeated when its answer was lost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Safe,
    /// It would store the events twice.
    Unsafe,
}

pub(crate) async fn publisher(world: Rc<World>, number: usize) {
    let mut chance = world.chance(&format!("publisher {number}"));
    let mut keys = world.chance(&format!("keys of publisher {number}"));
    let options = world.options.publish.clone();
    let per_publisher_ms = world.options.load_ms * u64::try_from(options.publishers).expect("few") / 200;
    loop {
        world.ground.sleep_us(chance.around(options.pause_ms.max(per_publisher_ms) * 1_000)).await;
        if !world.is_loading() {
            return;
        }
        let workspace = chance.index(world.options.workspaces);
        if chance.permille(options.repeat_permille)
            && let Some(known) = acknowledged(&world, workspace, &mut chance)
        {
            repeat(&world, known, &mut chance).await;
            continue;
        }
        let size =
            if chance.permille(options.batch_permille) { chance.between(2, options.batch_max) } else { 1 };
        let size = usize::try_from(size).expect("a small batch");
        if !world.take_budget(size) {
            return;
        }
        let with_id = chance.permille(options.with_id_permille);
        let prefix = with_id.then(|| format!("p{number}-{}", chance.between(0, u64::MAX / 2)));
        let numbers = draw_events(&world, workspace, size, prefix.as_deref(), &mut chance);
        order::give_keys(&world, &numbers);
        if !keys.permille(options.keyed_permille) {
            send(&world, workspace, &numbers, None).await;
            continue;
        }
        let key = keyed(&numbers, &mut keys);
        send(&world, workspace, &numbers, Some(key)).await;
        if keys.permille(options.repeat_permille) {
            call_again(&world, workspace, &numbers, key, &mut keys).await;
        }
    }
}

/// A call under a fresh idempotency key.
fn keyed(numbers: &[usize], chance: &mut Chance) -> KeyedCall {
    let body = format!("{numbers:?}");
    let content = CallContent { method: "POST", path: "/", media_type: "", body: body.as_bytes() };
    KeyedCall::new("publish", &chance.between(0, u64::MAX / 2).to_string(), content)
}

/// Publishes more at once than a lane holds in memory.
pub(crate) async fn flood(world: Rc<World>, events: usize) {
    let mut chance = world.chance("flood");
    let workspace = chance.index(world.options.workspaces);
    world.ground.sleep_ms(chance.between(0, world.options.load_ms / 4)).await;
    let mut left = events;
    while left > 0 && world.is_loading() {
        let size = left.min(FLOOD_BATCH);
        left -= size;
        let numbers = draw_events(&world, workspace, size, None, &mut chance);
        send(&world, workspace, &numbers, None).await;
    }
}

pub(super) fn draw_events(
    world: &World,
    workspace: usize,
    size: usize,
    id_prefix: Option<&str>,
    chance: &mut Chance,
) -> Vec<usize> {
    let called = world.ground.note(format_args!("{size} events for workspace {workspace} are made"));
    let mut facts = world.facts.borrow_mut();
    (0..size)
        .map(|position| {
            let number = facts.events.len();
            let padding = usize::try_from(chance.around(40)).expect("short");
            facts.events.push(EventFacts {
                workspace,
                event_type: (*chance.pick(&EVENT_TYPES)).to_owned(),
                subject: chance.permille(400).then(|| (*chance.pick(&SUBJECTS)).to_owned()),
                ordering_key: None,
                producer_id: id_prefix.map(|prefix| format!("{prefix}-{position}")),
                data: data_of(number, workspace, padding),
                called,
                ended: None,
                receipts: Vec::new(),
                again: Again::No,
                promise: Promise::Unknown,
            });
            number
        })
        .collect()
}

/// Publishes events until there is a clear answer, or once when a second call could store them twice.
pub(crate) async fn send(world: &Rc<World>, workspace: usize, numbers: &[usize], keyed: Option<KeyedCall>) {
    let repeat = {
        let facts = world.facts.borrow();
        let unique = facts.workspaces[workspace].style.event_id == EventIdRule::Unique;
        let identified = numbers.iter().all(|number| facts.events[*number].producer_id.is_some());
        if keyed.is_some() || (unique && identified) { Repeat::Safe } else { Repeat::Unsafe }
    };
    for _ in 0..CALLS_MAX {
        let answer = call(world, workspace, numbers, keyed).await;
        let ended = world.ground.note(format_args!("publishing {numbers:?}: {}", shown(&answer)));
        mark_ended(world, numbers, ended);
        match answer {
            Some(Ok(receipts)) => return take_receipts(world, numbers, receipts),
            Some(Err(error)) if !passes(&error) => {
                return take_refusal(world, workspace, numbers, &error);
            }
            Some(Err(error)) if error.code == ErrorCode::StorageFull && repeat == Repeat::Unsafe => {
                return refuse(world, numbers);
            }
            Some(Err(_)) | None if repeat == Repeat::Unsafe => return,
            Some(Err(_)) | None => world.ground.sleep_ms(AGAIN_MS).await,
        }
    }
}

/// The only call about these events was told that nothing was stored.
fn refuse(world: &World, numbers: &[usize]) {
    let mut facts = world.facts.borrow_mut();
    numbers.iter().for_each(|number| facts.events[*number].promise = Promise::Refused);
}

fn mark_ended(world: &World, numbers: &[usize], ended: Moment) {
    let mut facts = world.facts.borrow_mut();
    numbers.iter().for_each(|number| facts.events[*number].ended = Some(ended));
}

type PublishAnswer = Option<Result<Vec<Receipt>, Error>>;

async fn call(
    world: &Rc<World>,
    workspace: usize,
    numbers: &[usize],
    keyed: Option<KeyedCall>,
) -> PublishAnswer {
    let (public_id, events) = {
        let facts = world.facts.borrow();
        let events: Vec<NewEvent> = numbers.iter().map(|number| new_event(&facts.events[*number])).collect();
        (facts.workspaces[workspace].public_id.clone(), events)
    };
    let publish = |engine: Arc<Engine>| async move {
        match keyed {
            None => engine.publish(&public_id, events).await,
            Some(keyed) => match engine.publish_once(&public_id, events, keyed).await? {
                Done::Now(receipts) | Done::Before(receipts) => Ok(receipts),
            },
        }
    };
    world.processes.call(publish).await
}

fn new_event(facts: &EventFacts) -> NewEvent {
    let time = Timestamp::from_ms(1_777_000_000_000);
    NewEvent {
        content: EventContent {
            producer_id: facts.producer_id.clone(),
            event_type: facts.event_type.clone(),
            subject: facts.subject.clone(),
            time,
            attributes: Vec::new(),
            data: facts.data.clone(),
            ordering_key: facts.ordering_key.clone(),
        },
        given_time: Some(time),
    }
}

fn shown(answer: &PublishAnswer) -> String {
    match answer {
        Some(Ok(receipts)) => format!("{receipts:?}"),
        Some(Err(error)) => error.to_string(),
        None => "cut off".to_owned(),
    }
}

fn take_receipts(world: &World, numbers: &[usize], receipts: Vec<Receipt>) {
    if receipts.len() != numbers.len() {
        world.find(format!("{} receipts for events {numbers:?}", receipts.len()));
    }
    let mut facts = world.facts.borrow_mut();
    for (number, receipt) in numbers.iter().zip(receipts) {
        let event = &mut facts.events[*number];
        event.promise = Promise::Stored;
        event.receipts.push(receipt);
    }
}

/// A refusal is clear, but it speaks of the last call only: an earlier one may have stored the events.
fn take_refusal(world: &World, workspace: usize, numbers: &[usize], error: &Error) {
    let erased = world.facts.borrow().workspaces[workspace].tenancy == Tenancy::Erased;
    if error.code != ErrorCode::NotFound || !erased {
        world.find(format!("events {numbers:?} were refused: {error}"));
    }
}

/// An acknowledged event whose id identifies it.
fn acknowledged(world: &World, workspace: usize, chance: &mut Chance) -> Option<usize> {
    let facts = world.facts.borrow();
    if facts.workspaces[workspace].style.event_id != EventIdRule::Unique {
        return None;
    }
    let known: Vec<usize> = (0..facts.events.len())
        .filter(|number| {
            let event = &facts.events[*number];
            let identified = event.producer_id.is_some() && event.promise == Promise::Stored;
            event.workspace == workspace && identified
        })
        .collect();
    (!known.is_empty()).then(|| *chance.pick(&known))
}

/// Publishes an acknowledged event again: the same as before, or something else under its id.
async fn repeat(world: &Rc<World>, known: usize, chance: &mut Chance) {
    let workspace = world.facts.borrow().events[known].workspace;
    if chance.permille(500) {
        world.facts.borrow_mut().events[known].again = Again::Yes;
        let answer = call(world, workspace, &[known], None).await;
        world.ground.note(format_args!("publishing {known} again: {}", shown(&answer)));
        match answer {
            Some(Ok(receipts)) => take_receipts(world, &[known], receipts),
            // With retention the id may be free for somebody else meanwhile, and taken.
            Some(Err(error)) if error.code == ErrorCode::Conflict && world.options.retention.is_some() => {}
            Some(Err(error)) if !passes(&error) => take_refusal(world, workspace, &[known], &error),
            Some(Err(_)) | None => {}
        }
        return;
    }
    let numbers = draw_events(world, workspace, 1, None, chance);
    {
        let mut facts = world.facts.borrow_mut();
        facts.events[numbers[0]].producer_id = facts.events[known].producer_id.clone();
        // With retention the one before may be gone, and its id free.
        let removes = facts.retention.is_some();
        facts.events[numbers[0]].promise = if removes { Promise::Unknown } else { Promise::Refused };
    }
    let answer = call(world, workspace, &numbers, None).await;
    let ended = world.ground.note(format_args!("publishing {numbers:?} as {known}: {}", shown(&answer)));
    world.facts.borrow_mut().events[numbers[0]].ended = Some(ended);
    match answer {
        Some(Ok(receipts)) if world.options.retention.is_some() => take_receipts(world, &numbers, receipts),
        Some(Ok(_)) => world.find(format!("event {} was accepted under the id of {known}", numbers[0])),
        Some(Err(error)) if error.code == ErrorCode::Conflict || passes(&error) => {}
        Some(Err(error)) => take_refusal(world, workspace, &numbers, &error),
        None => {}
    }
}

/// Makes a keyed call again, as it was or for something else. Whatever the first call has come to, the same call gets
/// its answer, and another one nothing once the first was acknowledged.
async fn call_again(
    world: &Rc<World>,
    workspace: usize,
    numbers: &[usize],
    keyed: KeyedCall,
    chance: &mut Chance,
) {
    let acknowledged = world.facts.borrow().events[numbers[0]].promise == Promise::Stored;
    if !acknowledged || chance.permille(500) {
        return send(world, workspace, numbers, Some(keyed)).await;
    }
    let others = draw_events(world, workspace, 1, None, chance);
    world.facts.borrow_mut().events[others[0]].promise = Promise::Refused;
    let other = KeyedCall { request: [0; 32], ..keyed };
    let answer = call(world, workspace, &others, Some(other)).await;
    let ended = world.ground.note(format_args!("publishing {others:?} as {numbers:?}: {}", shown(&answer)));
    mark_ended(world, &others, ended);
    match answer {
        Some(Ok(_)) => world.find(format!("events {others:?} were accepted under the key of {numbers:?}")),
        Some(Err(error)) if error.code == ErrorCode::KeyReused || passes(&error) => {}
        Some(Err(error)) => take_refusal(world, workspace, &others, &error),
        None => {}
    }
}
