//! Finding events and deliveries: by id, in lists with filters, page by page.

use std::sync::Arc;

use signalpost_core::attempt::{Outcome, Verdict};
use signalpost_core::delivery::{DeliveryState, DeliveryStatus};
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::webhook::Webhook;

use super::Harness;
use super::kit::{Kit, delivery};
use crate::Named;
use crate::ledger::{DeliverySummary, EventKey, ListDeliveries, ListEvents};
use crate::testing::sample;
use crate::testing::snapshot::{all_deliveries, all_events};

const RETRY: Verdict = Verdict::RetryAt(sample::at(9_000));

fn every_event(workspace: WorkspaceId) -> ListEvents {
    ListEvents { workspace, event_type: None, subject: None, before: None, limit: 9 }
}

fn every_delivery(workspace: WorkspaceId) -> ListDeliveries {
    ListDeliveries { workspace, webhook: None, event: None, status: None, before: None, limit: 9 }
}

pub async fn an_event_is_found_by_either_id(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    for (n, name) in [(31, Some("p")), (33, Some("p")), (32, Some("p")), (34, Some("q")), (35, None)] {
        let mut event = kit.draft(workspace, n, &[]).await;
        event.content.producer_id = name.map(str::to_owned);
        kit.accept_one(event).await;
    }
    let raw =
        async |key: EventKey| kit.event(workspace, key).await.expect("it reads").map(|event| event.id.raw());
    assert_eq!(raw(EventKey::Ours(EventId::from_raw(31))).await, Some(31));
    assert_eq!(raw(EventKey::Ours(EventId::from_raw(30))).await, None);
    assert_eq!(raw(EventKey::Producer("p".to_owned())).await, Some(33), "the newest that carries it");
    assert_eq!(raw(EventKey::Producer("q".to_owned())).await, Some(34));
    assert_eq!(raw(EventKey::Producer("P".to_owned())).await, None);
    assert_eq!(raw(EventKey::Producer(String::new())).await, None);
}

pub async fn events_for_sending_leave_out_what_does_not_exist(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let first = kit.workspace(1).await;
    let second = kit.workspace(2).await;
    kit.publish(first, 31, &[]).await;
    kit.publish(second, 32, &[]).await;
    let ids = [32, 30, 31].map(EventId::from_raw).to_vec();
    let mut found = kit.events_by_id(ids).await.expect("it reads");
    found.sort_by_key(|event| event.id);
    let expected = [
        kit.event(first, EventKey::Ours(EventId::from_raw(31))).await.expect("it reads"),
        kit.event(second, EventKey::Ours(EventId::from_raw(32))).await.expect("it reads"),
    ];
    assert_eq!(found.into_iter().map(Some).collect::<Vec<_>>(), expected);
    assert_eq!(kit.events_by_id(Vec::new()).await.expect("it reads"), []);
    let many: Vec<_> = (0..2_000).map(EventId::from_raw).collect();
    assert_eq!(kit.events_by_id(many).await.expect("it reads").len(), 2, "however many are asked for");
}

pub async fn deliveries_are_unattempted_until_anything_becomes_of_them(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [first, second]) = kit.tenant().await;
    let cut = kit.subscribe(workspace, 19).await;
    for n in [31, 32, 33] {
        kit.publish(workspace, n, &[first, second]).await;
    }
    kit.publish(workspace, 34, &[cut]).await;
    let mut asked: Vec<DeliveryId> = [first, second, cut]
        .iter()
        .flat_map(|webhook| [31, 32, 33, 34, 35].map(|n| delivery(n, *webhook)))
        .collect();
    let found = async |asked: &[DeliveryId]| {
        let mut found = kit.unattempted(asked.to_vec()).await.expect("it reads");
        found.sort_by_key(|(due, _)| (due.id.webhook, due.id.event));
        for (due, event) in &found {
            assert!(due.is_as_accepted(event) && due.id.event == event.id, "{due:?}");
            assert!(kit.owed(due.id.webhook).await.contains(due), "{due:?} is the row");
            let stored = kit.event(workspace, EventKey::Ours(event.id)).await.expect("it reads");
            assert_eq!(stored.as_ref(), Some(event));
        }
        found.into_iter().map(|(due, _)| due.id).collect::<Vec<_>>()
    };
    let owed = |webhook: WebhookId, events: &[i64]| -> Vec<DeliveryId> {
        events.iter().map(|n| delivery(*n, webhook)).collect()
    };
    let all = [owed(first, &[31, 32, 33]), owed(second, &[31, 32, 33]), owed(cut, &[34])].concat();
    assert_eq!(found(&asked).await, all);
    assert_eq!(found(&[]).await, []);
    assert_eq!(found(&owed(second, &[32])).await, owed(second, &[32]), "nothing else");
    let due = kit.owed(first).await;
    kit.attempt(workspace, due[0], Verdict::Delivered).await;
    kit.attempt(workspace, due[1], RETRY).await;
    kit.redeliver_any(workspace, due[2].id, 60).await.expect("it may");
    kit.disable(workspace, cut, 50).await;
    asked.reverse();
    assert_eq!(
        found(&asked).await,
        owed(second, &[31, 32, 33]),
        "of the first each has a history, the last is cut"
    );
}

pub async fn events_are_listed_newest_first_with_filters(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let other = kit.workspace(2).await;
    for n in 31..=36 {
        let mut event = kit.draft(workspace, n, &[]).await;
        event.content.event_type = if n % 2 == 0 { "even" } else { "odd" }.to_owned();
        event.content.subject = (n >= 34).then(|| "late".to_owned());
        kit.accept_one(event).await;
        kit.publish(other, n + 100, &[]).await;
        if n == 33 {
            // Some rows before and some behind whatever upkeep has put in order.
            kit.tidy_up(200).await;
        }
    }
    let all = every_event(workspace);
    let even = ListEvents { event_type: Some("even".to_owned()), ..all.clone() };
    let late = ListEvents { subject: Some("late".to_owned()), ..all.clone() };
    let before = Some(EventId::from_raw(34));
    let table: [(ListEvents, &[i64]); 8] = [
        (all.clone(), &[36, 35, 34, 33, 32, 31]),
        (ListEvents { before, ..all.clone() }, &[33, 32, 31]),
        (even.clone(), &[36, 34, 32]),
        (ListEvents { before, ..even.clone() }, &[32]),
        (late.clone(), &[36, 35, 34]),
        (ListEvents { subject: Some("late".to_owned()), ..even }, &[36, 34]),
        (ListEvents { event_type: Some("none".to_owned()), ..all.clone() }, &[]),
        (ListEvents { workspace: WorkspaceId::from_raw(9), ..all.clone() }, &[]),
    ];
    for (params, expected) in table {
        for limit in [1, 2, 9] {
            let params = ListEvents { limit, ..params.clone() };
            let events = all_events(&*kit, params.clone()).await.expect("it reads");
            let ids: Vec<_> = events.iter().map(|event| event.id.raw()).collect();
            assert_eq!(ids, expected, "{params:?}");
        }
    }
    let page = kit.list_events(ListEvents { limit: 6, ..all }).await.expect("it reads");
    assert_eq!(page.rows.len(), 6, "a page without filters is full");
}

/// Five events for two webhooks, in every state that a delivery can have.
async fn every_state(kit: &Kit) -> (WorkspaceId, WebhookId, WebhookId) {
    let (workspace, [first, second]) = kit.tenant().await;
    for (n, verdict) in [(31, Verdict::Delivered), (32, Verdict::GiveUp), (33, RETRY)] {
        kit.publish(workspace, n, &[first, second]).await;
        let due =
            kit.owed(first).await.into_iter().find(|due| due.id.event.raw() == n).expect("just published");
        kit.attempt(workspace, due, verdict).await;
    }
    kit.tidy_up(100).await;
    kit.disable(workspace, second, 101).await;
    kit.publish(workspace, 34, &[first]).await;
    kit.publish(workspace, 35, &[]).await;
    (workspace, first, second)
}

pub async fn deliveries_are_listed_newest_first_with_filters(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, first, second) = every_state(&kit).await;
    let other = kit.workspace(2).await;
    let neighbour = kit.subscribe(other, 19).await;
    kit.publish(other, 36, &[neighbour]).await;
    let (a, b) = (11, 12);
    let all = every_delivery(workspace);
    let of = |status| ListDeliveries { status: Some(status), ..all.clone() };
    let event = Some(EventId::from_raw(32));
    let table: [(ListDeliveries, &[(i64, i64)]); 12] = [
        (all.clone(), &[(34, a), (33, b), (33, a), (32, b), (32, a), (31, b), (31, a)]),
        (of(DeliveryStatus::Pending), &[(34, a), (33, a)]),
        (of(DeliveryStatus::Delivered), &[(31, a)]),
        (of(DeliveryStatus::Failed), &[(32, a)]),
        (of(DeliveryStatus::Dropped), &[(33, b), (32, b), (31, b)]),
        (ListDeliveries { webhook: Some(first), ..all.clone() }, &[(34, a), (33, a), (32, a), (31, a)]),
        (ListDeliveries { webhook: Some(second), ..all.clone() }, &[(33, b), (32, b), (31, b)]),
        (ListDeliveries { webhook: Some(second), ..of(DeliveryStatus::Pending) }, &[]),
        (ListDeliveries { event, ..all.clone() }, &[(32, b), (32, a)]),
        (ListDeliveries { event, webhook: Some(first), ..of(DeliveryStatus::Failed) }, &[(32, a)]),
        (
            ListDeliveries { before: Some(delivery(33, second)), ..all.clone() },
            &[(33, a), (32, b), (32, a), (31, b), (31, a)],
        ),
        (
            ListDeliveries { before: Some(delivery(32, first)), webhook: Some(second), ..all.clone() },
            &[(31, b)],
        ),
    ];
    for (params, expected) in table {
        for limit in [1, 2, 9] {
            let params = ListDeliveries { limit, ..params.clone() };
            let rows = all_deliveries(&*kit, params.clone()).await.expect("it reads");
            let ids: Vec<_> = rows.iter().map(|row| (row.id.event.raw(), row.id.webhook.raw())).collect();
            assert_eq!(ids, expected, "{params:?}");
        }
    }
    let page = kit.list_deliveries(ListDeliveries { limit: 7, ..all }).await.expect("it reads");
    assert_eq!(page.rows.len(), 7, "a page without filters is full");
}

pub async fn a_summary_tells_what_a_list_needs(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let mut event = kit.draft(workspace, 31, &[webhook]).await;
    event.content.producer_id = Some("order-1".to_owned());
    kit.accept_one(event).await;
    kit.attempt(workspace, kit.owed_one(webhook).await, RETRY).await;
    let anonymous = kit.publish_and_attempt(workspace, 32, webhook, Verdict::Delivered).await;
    kit.delete(workspace, webhook, 60).await;
    let rows = all_deliveries(&*kit, every_delivery(workspace)).await.expect("it reads");
    let expected = [
        DeliverySummary {
            id: anonymous,
            producer_id: None,
            event_type: "order.paid".to_owned(),
            webhook: "wh-11".to_owned(),
            created_at: sample::at(32),
            state: DeliveryState::Delivered { at: sample::at(32) },
            attempts: 1,
            last_outcome: Some(Outcome::Status(204)),
        },
        DeliverySummary {
            id: delivery(31, webhook),
            producer_id: Some("order-1".to_owned()),
            event_type: "order.paid".to_owned(),
            webhook: "wh-11".to_owned(),
            created_at: sample::at(31),
            state: DeliveryState::Dropped {
                at: sample::at(60),
                reason: signalpost_core::delivery::CutReason::Deleted,
            },
            attempts: 1,
            last_outcome: Some(Outcome::Status(500)),
        },
    ];
    assert_eq!(rows, expected, "also of a webhook that is deleted");
    for summary in expected {
        let record = kit.look(workspace, summary.id).await;
        assert_eq!(record.summary, summary, "a list and a look agree");
        let event = kit.event(workspace, EventKey::Ours(summary.id.event)).await.expect("it reads");
        assert_eq!(event, Some(Arc::clone(&record.event)));
    }
}

pub async fn a_delivery_exists_for_each_target_of_an_event(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let table =
        [(31, webhook, true), (31, other, false), (30, webhook, false), (31, WebhookId::from_raw(9), false)];
    for (event, webhook, exists) in table {
        let id: DeliveryId = delivery(event, webhook);
        let record = kit.delivery(workspace, id).await.expect("it reads");
        assert_eq!(record.map(|record| record.summary.id), exists.then_some(id));
        assert_eq!(kit.owner_of(Named::Delivery(id)).await.expect("it reads"), exists.then_some(workspace));
    }
}

/// More rows than a filtered list may look at for one page, of which the oldest alone passes.
pub async fn a_sparse_filter_reaches_the_end_of_a_long_list(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let rare = kit.add(Webhook { subject: Some("rare".to_owned()), ..sample::webhook(workspace, 11) }).await;
    let common = kit.subscribe(workspace, 12).await;
    kit.publish(workspace, 1_000, &[rare, common]).await;
    let version = kit.version(workspace).await;
    for start in [2_000, 3_000, 4_000, 5_000, 6_000, 7_000] {
        let call = (start..start + 1_000).map(|n| {
            let mut event = sample::event(workspace, n, version, &[common]);
            event.content.event_type = "common".to_owned();
            event
        });
        kit.accept(call.collect()).await.expect("accepted");
    }
    let of_type = ListEvents { event_type: Some("order.paid".to_owned()), ..every_event(workspace) };
    let events = all_events(&*kit, of_type).await.expect("it reads");
    assert_eq!(events.iter().map(|event| event.id.raw()).collect::<Vec<_>>(), [1_000]);
    kit.tidy_up(9_000).await;
    let of_webhook = ListDeliveries { webhook: Some(rare), ..every_delivery(workspace) };
    let rows = all_deliveries(&*kit, of_webhook).await.expect("it reads");
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [delivery(1_000, rare)]);
    let dropped = ListDeliveries { status: Some(DeliveryStatus::Dropped), ..every_delivery(workspace) };
    assert_eq!(all_deliveries(&*kit, dropped).await.expect("it reads"), []);
}
