//! Retention by bytes: what is counted, and that the oldest go for those of a workspace and those of the whole store.

use bytes::Bytes;
use signalpost_core::attempt::Verdict;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::policy::PolicyChange;
use signalpost_core::retention::RetentionRules;

use super::Harness;
use super::kit::{Kit, delivery};
use super::retention::{NOTHING, RETRY, events_kept_s, listed, payloads_kept_s, set, used};
use crate::ledger::Usage;
use crate::testing::sample;

/// Event `n` with a payload that outweighs every row, delivered.
async fn publish_large(kit: &Kit, workspace: WorkspaceId, n: i64, webhook: WebhookId) {
    let mut event = kit.draft(workspace, n, &[webhook]).await;
    event.content.data = Bytes::from(format!("\"{}\"", "7".repeat(100_000)));
    kit.accept_one(event).await;
    let owed = kit.owed(webhook).await.into_iter().find(|due| due.id.event.raw() == n);
    kit.attempt(workspace, owed.expect("just published"), Verdict::Delivered).await;
}

pub async fn the_oldest_events_go_for_the_bytes_of_a_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    for n in 31..37 {
        publish_large(&kit, workspace, n, webhook).await;
    }
    let neighbour = kit.workspace(2).await;
    kit.publish(neighbour, 30, &[]).await;
    let change = PolicyChange { bytes_max: Some(Some(350_000)), ..PolicyChange::default() };
    set(&kit, workspace, change).await;
    assert_eq!(kit.retain_all(100, &NOTHING).await, (3, 0), "three of 100 kB fit, four do not");
    assert_eq!(listed(&kit, workspace).await, [36, 35, 34]);
    assert_eq!(listed(&kit, neighbour).await, [30]);
    assert!(used(&kit, workspace).await.bytes <= 350_000);
}

pub async fn the_oldest_events_go_for_the_bytes_of_the_store(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (one, [webhook]) = kit.tenant().await;
    let two = kit.workspace(2).await;
    let lane = kit.subscribe(two, 12).await;
    for n in 0..10 {
        publish_large(&kit, one, 31 + 2 * n, webhook).await;
        publish_large(&kit, two, 32 + 2 * n, lane).await;
    }
    let storage = kit.storage().await.expect("it reads");
    let occupied = storage.database_bytes - storage.free_bytes;
    let rules = RetentionRules { bytes_max: Some(occupied - 550_000), ..NOTHING };
    let (events, payloads) = kit.retain_all(100, &rules).await;
    assert!((5..=7).contains(&events) && payloads == 0, "{events}, {payloads}");
    let (left, right) = (listed(&kit, one).await, listed(&kit, two).await);
    let mut stay = [left, right].concat();
    stay.sort_unstable();
    let oldest = 31 + i64::try_from(events).expect("few");
    assert_eq!(stay, (oldest..51).collect::<Vec<_>>(), "the oldest of all went, whoever's they were");
    let storage = kit.storage().await.expect("it reads");
    assert!(storage.database_bytes - storage.free_bytes <= occupied - 550_000);
    assert_eq!((storage.events, storage.oldest_event_at), (20 - events, Some(sample::at(oldest))));
}

pub async fn usage_counts_what_is_there(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let stranger = kit.workspace(2).await;
    assert_eq!(used(&kit, workspace).await, Usage::default());
    kit.publish(workspace, 31, &[webhook]).await;
    let published = used(&kit, workspace).await;
    assert_eq!(published.events, 1);
    assert!(published.bytes > 0);
    let due = kit.owed_one(webhook).await;
    kit.attempt(workspace, due, RETRY).await;
    let attempted = used(&kit, workspace).await;
    assert!(attempted.events == 1 && attempted.bytes > published.bytes, "{attempted:?}");
    kit.attempt(workspace, due, RETRY).await;
    assert_eq!(used(&kit, workspace).await, attempted, "an outcome told twice counts once");
    assert_eq!(used(&kit, stranger).await, Usage::default());
    assert_eq!(kit.usage(WorkspaceId::from_raw(9)).await.expect("it reads"), None);
    kit.attempt(workspace, kit.owed_one(webhook).await, Verdict::GiveUp).await;
    let id = delivery(31, webhook);
    kit.redeliver(workspace, id, 60).await.expect("it has failed");
    kit.attempt(workspace, kit.owed_one(webhook).await, Verdict::Delivered).await;
    kit.retain_all(5_000, &payloads_kept_s(1)).await;
    let kit = kit.reopen(harness).await;
    assert_eq!(used(&kit, workspace).await.events, 1);
    kit.retain_all(5_000, &events_kept_s(1)).await;
    assert_eq!(used(&kit, workspace).await, Usage::default(), "what was counted in was counted out");
    assert_eq!(kit.storage().await.expect("it reads").events, 0);
}
