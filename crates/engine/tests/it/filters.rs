//! Filters at fan-out: who gets an event when much is to be decided, and when what decides changes meanwhile.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use signalpost_core::error::ErrorCode;
use signalpost_core::idempotency::KeyedCall;
use signalpost_core::limits::{FILTER_COST_MAX, FILTER_STEPS_PER_CALL_MAX};
use signalpost_core::ports::Clock;
use signalpost_core::profile::PauseRule;
use signalpost_core::target_url::TargetUrl;
use signalpost_engine::ingest::NewEvent;
use signalpost_engine::webhooks::{NewWebhook, WebhookChange};
use signalpost_store::Done;

use crate::rig::{Rig, new_event};

fn set_filter(rig: &mut Rig, webhook: &str, filter: &str) {
    let change = WebhookChange { filter: Some(Some(filter.to_owned())), ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, webhook, change).await)
        .expect("it is changed");
}

/// A list of so many numbers, all of them `n`.
fn numbers(rig: &Rig, n: u8, count: usize) -> NewEvent {
    let mut event = new_event(rig.clock.now());
    event.content.data = Bytes::from(format!("[{}]", vec![n.to_string(); count].join(",")));
    event
}

/// A costly decision is made in turns, and when a filter changes between them only that one is asked again.
#[test]
fn what_changes_while_it_is_decided_decides() {
    const COSTLY: &str = "data.all(n, n > 0 && n > 0 && n > 0)";
    let mut rig = Rig::new(PauseRule::Holds, None);
    let (costly, same, other) = (rig.webhook(), rig.webhook(), rig.webhook());
    set_filter(&mut rig, &costly, COSTLY);
    set_filter(&mut rig, &same, COSTLY);
    set_filter(&mut rig, &other, "data.size() < 5");
    let event = numbers(&rig, 1, 700);
    let (engine, workspace) = (std::sync::Arc::clone(&rig.engine), rig.view.workspace.public_id.clone());
    let mut publish = pin!(engine.publish(&workspace, vec![event]));
    let mut poll = || publish.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending() && rig.clock.turns() == 1, "others have their turn");
    set_filter(&mut rig, &other, "data.size() > 5");
    let accepted = loop {
        if let Poll::Ready(accepted) = poll() {
            break accepted.expect("it is accepted");
        }
    };
    assert_eq!(accepted[0].deliveries, 3, "the last by its new filter");
    let metrics = rig.engine.metrics();
    assert_eq!(
        (metrics.filtered_out.get(), metrics.filter_failures.get()),
        (0, 0),
        "what counts is what was decided last"
    );
    assert_eq!(
        metrics.filter_evaluations.get(),
        3,
        "each text once: the costly one, and two of the other webhook"
    );
}

/// So many webhooks for everything, each with a filter of its own that admits what [`costly`] makes.
fn costly_webhooks(rig: &mut Rig, count: usize) {
    for n in 0..count {
        let url = TargetUrl::parse("https://example.com/").expect("a good URL");
        let filter = Some(format!("data == data && type != '{n}'"));
        let new = NewWebhook { filter, ..NewWebhook::to(url) };
        rig.call(async |engine, view| engine.create_webhook(&view, new, None).await).expect("it is made");
    }
}

/// An event about which each of those filters takes nine tenths of what it may.
fn costly(rig: &Rig) -> NewEvent {
    let steps = usize::try_from(FILTER_COST_MAX / 10 * 9).expect("few");
    let mut event = new_event(rig.clock.now());
    event.content.data = Bytes::from(format!("\"{}\"", "x".repeat(16 * steps)));
    event
}

#[test]
fn events_are_refused_together_when_filters_have_too_much_to_do() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    let events = [costly(&rig), costly(&rig)];
    let key = |name| KeyedCall { name: [name; 32], request: [0; 32] };
    let publish = |rig: &mut Rig, count: usize, name: u8| {
        let (events, key) = (events[..count].to_vec(), key(name));
        rig.call(async |engine, view| engine.publish_once(&view.workspace.public_id, events, key).await)
    };
    let first = publish(&mut rig, 2, 1).expect("nobody filters").now().expect("it is the first");
    let webhooks = usize::try_from(FILTER_STEPS_PER_CALL_MAX / FILTER_COST_MAX * 6 / 10).expect("few");
    costly_webhooks(&mut rig, webhooks);
    let refused = publish(&mut rig, 2, 2).expect_err("two events are too much");
    assert_eq!(refused.code, ErrorCode::TooLarge);
    assert!(refused.message.contains("send fewer events at once"), "{}", refused.message);
    assert_eq!(rig.engine.metrics().events_accepted.get(), 2, "nothing of it is stored");
    let alone =
        publish(&mut rig, 1, 2).expect("one is not").now().expect("the refusal has left the key unused");
    assert_eq!(alone[0].deliveries, webhooks);
    assert_eq!(
        publish(&mut rig, 2, 1).expect("it was accepted"),
        Done::Before(first),
        "whatever has changed since"
    );
}
