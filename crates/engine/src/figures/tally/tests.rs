//! What is counted for whom, and what is kept of it.

use signalpost_core::delivery::Due;
use signalpost_core::event::Sequence;
use signalpost_core::figures::{HOUR_MS, MINUTE_MS};
use signalpost_core::id::{DeliveryId, EventId};

use super::*;
use crate::lane::Epoch;
use signalpost_store::ledger::Backlog;

const WORKSPACE: WorkspaceId = WorkspaceId::from_raw(7);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_000 * HOUR_MS + ms)
}

fn webhook(n: i64) -> FiguresOf {
    FiguresOf::Webhook(WORKSPACE, WebhookId::from_raw(n))
}

fn ending(n: i64, verdict: Verdict, latency_ms: Option<u64>) -> Ending {
    let id = DeliveryId { event: EventId::from_raw(1), webhook: WebhookId::from_raw(n) };
    let due = Due { id, due_at: at(0), born: Sequence(1), steps: 0, tries: 0, order: None };
    let (disabled, backlog, epoch) = (None, Backlog::Kept, Epoch::default());
    Ending { due, workspace: WORKSPACE, verdict, disabled, backlog, latency_ms, epoch, ends_upto: None }
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(|(key, _)| *key);
    rows
}

#[test]
fn an_outcome_counts_for_its_webhook_and_all_that_is_wider() {
    let mut tally = Tally::new(Arc::default());
    tally.accepted(WORKSPACE, at(5));
    for (verdict, latency) in [
        (Verdict::Delivered, Some(7)),
        (Verdict::Delivered, None),
        (Verdict::GiveUp, None),
        (Verdict::RetryAt(at(9)), None),
        (Verdict::HeldUntil(at(9)), None),
    ] {
        tally.ended(&ending(1, verdict, latency), at(5));
    }
    tally.dropped(webhook(2), 4, at(6));
    let mut one = Figures {
        attempts_succeeded: 2,
        attempts_failed: 3,
        delivered: 2,
        failed: 1,
        retries: 1,
        ..Figures::default()
    };
    one.latency.saw(7);
    let other = Figures { dropped: 4, ..Figures::default() };
    let whole = Figures { events: 1, dropped: 4, ..one };
    let wide =
        [(FiguresOf::Installation.at(at(0)), whole), (FiguresOf::Workspace(WORKSPACE).at(at(0)), whole)];
    assert_eq!(sorted(tally.take(Share::Wide)), wide);
    assert_eq!(sorted(tally.take(Share::All)), [(webhook(1).at(at(0)), one), (webhook(2).at(at(0)), other)]);
    assert_eq!(tally.take(Share::All), [], "each once");
}

#[test]
fn what_happened_before_a_minute_or_an_hour_was_over_counts_for_it() {
    let mut tally = Tally::new(Arc::default());
    for ms in [0, MINUTE_MS - 1, MINUTE_MS, HOUR_MS] {
        tally.ended(&ending(1, Verdict::Delivered, None), at(ms));
    }
    let rows = sorted(tally.take(Share::All));
    let counted: Vec<_> = rows.iter().map(|(key, figures)| (*key, figures.delivered)).collect();
    let (all, workspace) = (FiguresOf::Installation, FiguresOf::Workspace(WORKSPACE));
    let expected = [
        (all.at(at(0)), 2),
        (all.at(at(MINUTE_MS)), 1),
        (all.at(at(HOUR_MS)), 1),
        (workspace.at(at(0)), 3),
        (workspace.at(at(HOUR_MS)), 1),
        (webhook(1).at(at(0)), 3),
        (webhook(1).at(at(HOUR_MS)), 1),
    ];
    assert_eq!(counted, expected);
}

#[test]
fn beyond_the_bound_of_webhooks_their_workspace_counts() {
    let mut tally = Tally::new(Arc::default());
    let most = i64::try_from(CORE_FIGURES_WEBHOOKS_MAX).expect("small");
    for n in 1..=most + 5 {
        tally.ended(&ending(n, Verdict::Delivered, None), at(0));
    }
    tally.ended(&ending(1, Verdict::Delivered, None), at(0));
    let rows = sorted(tally.take(Share::All));
    assert_eq!(rows.len(), 2 + CORE_FIGURES_WEBHOOKS_MAX);
    let all = u64::try_from(most + 6).expect("positive");
    assert_eq!([rows[0].1.delivered, rows[1].1.delivered, rows[2].1.delivered], [all, all, 2]);
    assert_eq!(tally.metrics.figures_left_out.get(), 5, "which is told");
    // What nothing was counted for since makes room.
    tally.take(Share::All);
    tally.ended(&ending(most + 5, Verdict::Delivered, None), at(0));
    let rows = sorted(tally.take(Share::All));
    assert_eq!(rows.last().map(|(key, _)| key.of), Some(webhook(most + 5)));
}

/// Each minute makes a row of its own.
#[test]
fn of_what_was_over_before_it_was_handed_on_no_more_than_a_bound_is_kept() {
    let mut tally = Tally::new(Arc::default());
    let most = i64::try_from(CORE_FIGURES_OVER_MAX).expect("small");
    for minute in 0..=most + 3 {
        tally.dropped(FiguresOf::Installation, 2, at(minute * MINUTE_MS));
    }
    let rows = sorted(tally.take(Share::All));
    assert_eq!(rows.len(), CORE_FIGURES_OVER_MAX + 1, "and the one that is counted for");
    assert_eq!(rows.last().map(|(key, _)| key.at), Some(at((most + 3) * MINUTE_MS)));
    assert_eq!(tally.metrics.figures_left_out.get(), 2 * 3);
}

#[test]
fn a_key_that_is_counted_for_again_keeps_its_place() {
    let mut tally = Tally::new(Arc::default());
    tally.ended(&ending(1, Verdict::Delivered, None), at(0));
    tally.take(Share::All);
    let room = tally.webhooks.capacity();
    assert!(tally.webhooks.contains_key(&WebhookId::from_raw(1)), "no allocation the next time");
    tally.ended(&ending(1, Verdict::Delivered, None), at(0));
    assert_eq!((tally.webhooks.len(), tally.webhooks.capacity()), (1, room));
    tally.take(Share::All);
    tally.take(Share::All);
    assert!(tally.webhooks.is_empty(), "nothing was counted since");
}
