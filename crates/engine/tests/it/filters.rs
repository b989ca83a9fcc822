//! Filters at fan-out: who gets an event when much is to be decided, and when what decides changes meanwhile.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use signalpost_core::ports::Clock;
use signalpost_core::profile::PauseRule;
use signalpost_engine::ingest::NewEvent;
use signalpost_engine::webhooks::WebhookChange;

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

/// A costly decision is made in turns, and made anew when a filter changes between them.
#[test]
fn what_changes_while_it_is_decided_decides() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let (costly, other) = (rig.webhook(), rig.webhook());
    set_filter(&mut rig, &costly, "data.all(n, n > 0 && n > 0 && n > 0)");
    set_filter(&mut rig, &other, "data.size() < 5");
    let event = numbers(&rig, 1, 700);
    let (engine, workspace) = (std::sync::Arc::clone(&rig.engine), rig.view.workspace.public_id.clone());
    let mut publish = pin!(engine.publish(&workspace, vec![event]));
    let mut poll = || publish.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending(), "others have their turn");
    set_filter(&mut rig, &other, "data.size() > 5");
    let accepted = loop {
        if let Poll::Ready(accepted) = poll() {
            break accepted.expect("it is accepted");
        }
    };
    assert_eq!(accepted[0].deliveries, 2, "the second by its new filter");
    let metrics = rig.engine.metrics();
    assert_eq!(
        (metrics.filtered_out.get(), metrics.filter_failures.get()),
        (0, 0),
        "what counts is what was decided last"
    );
}
