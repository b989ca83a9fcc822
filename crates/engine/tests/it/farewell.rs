//! A workspace that is closed: one last event goes out to those who want it, with its whole schedule, and nothing else.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use signalpost_core::error::ErrorCode;
use signalpost_core::profile::PauseRule;
use signalpost_core::webhook::EventSelection;
use signalpost_engine::webhooks::{Activity, WebhookChange};

use crate::rig::{FAREWELL, Rig};

fn close(rig: &mut Rig) {
    rig.call(async |engine, view| engine.erase_workspace(&view.workspace.public_id).await)
        .expect("it exists");
    let again = rig.call(async |engine, view| engine.erase_workspace(&view.workspace.public_id).await);
    assert_eq!(again.expect_err("nobody finds it").code, ErrorCode::NotFound);
}

fn select(rig: &mut Rig, webhook: &str, event_type: &str) {
    let events = Some(EventSelection::Only(vec![event_type.to_owned()]));
    let change = WebhookChange { events, ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, webhook, change).await)
        .expect("it is changed");
}

#[test]
fn the_last_event_is_retried_and_what_was_pending_is_not() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    rig.webhook();
    rig.publish(3);
    assert_eq!(rig.receiver.in_flight(), 3);
    close(&mut rig);
    assert_eq!(rig.receiver.requests(), 4, "three before, and the last event");
    for _ in 0..4 {
        rig.receiver.answer(500);
    }
    rig.settle();
    rig.receiver.status.set(Some(500));
    rig.advance_s(11);
    assert_eq!(rig.receiver.requests(), 5);
    rig.advance_s(110);
    assert_eq!(rig.receiver.requests(), 6, "its schedule has two delays");
    rig.advance_s(1_000);
    let sent = rig.receiver.sent();
    assert_eq!(sent.len(), 6, "and nothing comes after it");
    assert!(sent[3] == sent[4] && sent[4] == sent[5], "one delivery: {sent:?}");
}

/// The last event is an event: who filters does not get what the filter does not admit.
#[test]
fn a_filter_decides_about_the_last_event_too() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let (wants, other) = (rig.webhook(), rig.webhook());
    filter(&mut rig, &wants, "type == 'workspace.closed'");
    filter(&mut rig, &other, "type != 'workspace.closed'");
    rig.receiver.status.set(Some(204));
    close(&mut rig);
    rig.advance_s(1_000);
    assert_eq!(rig.receiver.requests(), 1);
    assert_eq!(rig.engine.metrics().filtered_out.get(), 1);
}

/// When webhooks change while it is decided, only what is new is asked.
#[test]
fn a_filter_is_asked_once_about_the_last_event() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let (wants, other) = (rig.webhook(), rig.webhook());
    // A text that takes a turn to compile.
    let long = format!("type == 'workspace.closed' && type != '{}'", "x".repeat(200));
    filter(&mut rig, &wants, &long);
    filter(&mut rig, &other, "type == 'a'");
    let (engine, workspace) = (Arc::clone(&rig.engine), rig.view.workspace.public_id.clone());
    let mut close = pin!(engine.erase_workspace(&workspace));
    let mut poll = || close.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending() && rig.clock.turns() == 1);
    filter(&mut rig, &other, "type != 'a'");
    let closed = loop {
        if let Poll::Ready(closed) = poll() {
            break closed;
        }
        rig.settle();
    };
    closed.expect("it exists");
    rig.settle();
    let metrics = rig.engine.metrics();
    assert_eq!((metrics.deliveries_created.get(), metrics.filter_evaluations.get()), (2, 3));
}

fn filter(rig: &mut Rig, webhook: &str, filter: &str) {
    let change = WebhookChange { filter: Some(Some(filter.to_owned())), ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, webhook, change).await)
        .expect("it is changed");
}

#[test]
fn only_active_webhooks_that_want_it_get_the_last_event() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let (wants, other, off) = (rig.webhook(), rig.webhook(), rig.webhook());
    select(&mut rig, &wants, FAREWELL);
    select(&mut rig, &other, "a.b");
    rig.switch(&off, Activity::Paused);
    rig.receiver.status.set(Some(204));
    close(&mut rig);
    rig.advance_s(1_000);
    assert_eq!(rig.receiver.requests(), 1);
}

#[test]
fn the_last_event_ends_with_the_rule_that_switches_a_webhook_off() {
    let mut rig = Rig::new(PauseRule::Holds, Some(2));
    rig.webhook();
    rig.receiver.status.set(Some(500));
    close(&mut rig);
    rig.advance_s(11);
    rig.advance_s(1_000);
    assert_eq!(rig.receiver.requests(), 2, "one more would be a third failure in a row");
}
