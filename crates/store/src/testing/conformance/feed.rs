//! The feed: every event once, in order, whatever order ids were minted in, and what expires of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use signalpost_core::attempt::Verdict;
use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::{LIST_SCAN_ROWS_MAX, PAGE_DATA_BYTES_MAX};
use signalpost_core::retention::RetentionRules;

use super::Harness;
use super::kit::{Kit, refusal};
use crate::catalog::EraseWorkspace;
use crate::ledger::{EventKey, Feed, ReadFeed};
use crate::testing::refusal::Refusal;
use crate::testing::sample;
use crate::testing::snapshot::whole_feed;

const NOTHING: RetentionRules =
    RetentionRules { event_age_max: None, payload_age_max: None, bytes_max: None };

/// Ids, cursor and whether there is more.
type Found<'a> = (&'a [i64], i64, bool);

fn from(workspace: WorkspaceId, after: Option<i64>) -> ReadFeed {
    ReadFeed { workspace, after: after.map(Sequence), types: Vec::new(), limit: 9 }
}

fn ids(events: &[Arc<Event>]) -> Vec<i64> {
    events.iter().map(|event| event.id.raw()).collect()
}

/// As [`Found`].
async fn page(kit: &Kit, params: ReadFeed) -> (Vec<i64>, i64, bool) {
    match kit.feed(params).await.expect("it reads").expect("the workspace exists") {
        Feed::Page { events, next, more } => (ids(&events), next.0, more),
        Feed::Expired { oldest } => panic!("expired, {oldest:?}"),
    }
}

async fn oldest(kit: &Kit, workspace: WorkspaceId, after: i64) -> Option<i64> {
    match kit.feed(from(workspace, Some(after))).await.expect("it reads").expect("the workspace exists") {
        Feed::Page { .. } => None,
        Feed::Expired { oldest } => Some(oldest.0),
    }
}

async fn publish_typed(kit: &Kit, workspace: WorkspaceId, n: i64, event_type: &str) {
    let mut event = kit.draft(workspace, n, &[]).await;
    event.content.event_type = event_type.to_owned();
    kit.accept_one(event).await;
}

pub async fn a_feed_is_read_in_order_of_the_sequence(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace_with_feed(1).await;
    let webhook = kit.subscribe(workspace, 11).await;
    for n in [40, 20] {
        kit.publish(workspace, n, &[]).await;
    }
    let failed = kit.publish_and_attempt(workspace, 30, webhook, Verdict::GiveUp).await;
    // Takes place 4.
    kit.redeliver(workspace, failed, 60).await.expect("it has failed");
    kit.tidy_up(100).await;
    kit.publish(workspace, 10, &[]).await;
    let order = [40, 20, 30, 10];
    for limit in [1, 2, 4, 9] {
        let whole = whole_feed(&*kit, ReadFeed { limit, ..from(workspace, None) }).await.expect("it reads");
        let Some(Feed::Page { events, next, .. }) = whole else { panic!("{whole:?}") };
        assert_eq!((ids(&events), next), (order.to_vec(), Sequence(5)), "{limit} a page");
        let stored = kit.event(workspace, EventKey::Ours(events[1].id)).await.expect("it reads");
        assert_eq!(stored.as_ref(), Some(&events[1]), "whole events are handed out");
    }
    let table: [(i64, usize, &[i64], i64, bool); 7] = [
        (0, 4, &order, 5, false),
        (0, 3, &order[..3], 3, true),
        (1, 2, &order[1..3], 3, true),
        (3, 1, &order[3..], 5, false),
        (4, 9, &order[3..], 5, false),
        (5, 9, &[], 5, false),
        (1_000, 9, &[], 1_000, false),
    ];
    for (after, limit, expected, next, more) in table {
        let params = ReadFeed { limit, ..from(workspace, Some(after)) };
        assert_eq!(
            page(&kit, params).await,
            (expected.to_vec(), next, more),
            "after {after}, {limit} a page"
        );
    }
}

/// A reader that has read everything gets what is committed later, although its id is the lowest of all.
pub async fn an_event_that_comes_late_by_id_is_not_passed_over(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace_with_feed(1).await;
    for n in [50, 60] {
        kit.publish(workspace, n, &[]).await;
    }
    kit.tidy_up(100).await;
    let (_, cursor, _) = page(&kit, from(workspace, None)).await;
    for n in [31, 55, 61, 30] {
        kit.publish(workspace, n, &[]).await;
    }
    assert_eq!(page(&kit, from(workspace, Some(cursor))).await, (vec![31, 55, 61, 30], 6, false));
    kit.tidy_up(200).await;
    assert_eq!(page(&kit, from(workspace, Some(cursor))).await, (vec![31, 55, 61, 30], 6, false));
}

pub async fn other_types_are_passed_over(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace_with_feed(1).await;
    for (n, event_type) in [(31, "a"), (32, "b"), (33, "a"), (34, "c"), (35, "b"), (36, "c")] {
        publish_typed(&kit, workspace, n, event_type).await;
    }
    let table: [(&str, i64, usize, Found<'_>); 7] = [
        ("a", 0, 9, (&[31, 33], 6, false)),
        ("a", 0, 1, (&[31], 2, true)),
        ("a", 0, 2, (&[31, 33], 6, false)),
        ("a b", 1, 2, (&[32, 33], 4, true)),
        ("c a", 3, 9, (&[34, 36], 6, false)),
        ("none", 0, 9, (&[], 6, false)),
        ("b", 5, 9, (&[], 6, false)),
    ];
    for (types, after, limit, (expected, next, more)) in table {
        let types = types.split(' ').map(str::to_owned).collect();
        let params = ReadFeed { types, limit, ..from(workspace, Some(after)) };
        let found = page(&kit, params.clone()).await;
        assert_eq!(found, (expected.to_vec(), next, more), "{params:?}");
    }
}

pub async fn a_page_ends_with_the_data_that_fills_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace_with_feed(1).await;
    for n in 31..35 {
        let mut event = kit.draft(workspace, n, &[]).await;
        event.content.data = Bytes::from(vec![b'7'; PAGE_DATA_BYTES_MAX / 2]);
        kit.accept_one(event).await;
    }
    assert_eq!(page(&kit, from(workspace, None)).await, (vec![31, 32], 2, true));
    assert_eq!(page(&kit, from(workspace, Some(2))).await, (vec![33, 34], 4, false));
}

/// More events than one page may look at, of which the last alone passes.
pub async fn a_sparse_type_reaches_the_end_of_a_long_feed(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace_with_feed(1).await;
    let version = kit.version(workspace).await;
    let events_max = i64::try_from(LIST_SCAN_ROWS_MAX).expect("few");
    for start in (1_000..=events_max + 1_000).step_by(1_000) {
        let call = (start..start + 1_000).map(|n| sample::event(workspace, n, version, &[]));
        kit.accept(call.collect()).await.expect("accepted");
    }
    publish_typed(&kit, workspace, 1_000_000, "rare").await;
    let rare = ReadFeed { types: vec!["rare".to_owned()], ..from(workspace, None) };
    let whole = whole_feed(&*kit, rare).await.expect("it reads");
    let Some(Feed::Page { events, next, .. }) = whole else { panic!("{whole:?}") };
    assert_eq!((ids(&events), next), (vec![1_000_000], Sequence(events_max + 1_001)));
}

pub async fn what_retention_removes_expires_the_cursor(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace_with_feed(1).await;
    let webhook = kit.subscribe(workspace, 11).await;
    for n in [31, 32] {
        kit.publish(workspace, n, &[]).await;
    }
    kit.publish(workspace, 33, &[webhook]).await;
    for n in [34, 5_000, 5_001] {
        kit.publish(workspace, n, &[]).await;
    }
    let kept = RetentionRules { event_age_max: Some(Duration::from_secs(2)), ..NOTHING };
    assert_eq!(kit.retain_all(5_500, &kept).await, (3, 0), "33 is pending");
    for (after, expected) in [(0, Some(4)), (3, Some(4)), (4, None), (6, None)] {
        assert_eq!(oldest(&kit, workspace, after).await, expected, "after {after}");
    }
    let rest = (vec![5_000, 5_001], 6, false);
    assert_eq!(page(&kit, from(workspace, Some(4))).await, rest, "the lowest good cursor is good");
    assert_eq!(page(&kit, from(workspace, None)).await, rest, "33 stands below what has expired");
    let one = ReadFeed { limit: 1, ..from(workspace, None) };
    assert_eq!(page(&kit, one).await, (vec![5_000], 5, true));
    assert_eq!(page(&kit, from(workspace, Some(5))).await, (vec![5_001], 6, false));
}

pub async fn a_removed_payload_expires_the_cursor(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace_with_feed(1).await;
    for n in [31, 32, 5_000] {
        kit.publish(workspace, n, &[]).await;
    }
    let bare = RetentionRules { payload_age_max: Some(Duration::from_secs(2)), ..NOTHING };
    assert_eq!(kit.retain_all(5_500, &bare).await, (0, 2));
    assert_eq!(oldest(&kit, workspace, 1).await, Some(2));
    assert_eq!(page(&kit, from(workspace, None)).await, (vec![5_000], 3, false));
}

pub async fn a_feed_begins_where_nothing_has_expired(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace_with_feed(1).await;
    assert_eq!(page(&kit, from(workspace, None)).await, (vec![], 0, false));
    assert_eq!(page(&kit, from(workspace, Some(0))).await, (vec![], 0, false));
    kit.publish(workspace, 31, &[]).await;
    let kept = RetentionRules { event_age_max: Some(Duration::from_secs(2)), ..NOTHING };
    assert_eq!(kit.retain_all(5_000, &kept).await, (1, 0));
    assert_eq!(page(&kit, from(workspace, None)).await, (vec![], 1, false), "a cursor that stays good");
    assert_eq!(oldest(&kit, workspace, 0).await, Some(1));
    kit.publish(workspace, 6_000, &[]).await;
    assert_eq!(page(&kit, from(workspace, Some(1))).await, (vec![6_000], 2, false));
}

pub async fn a_feed_belongs_to_its_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (ours, theirs) = (kit.workspace_with_feed(1).await, kit.workspace_with_feed(2).await);
    let without = kit.workspace(3).await;
    for (n, workspace) in [(31, ours), (32, theirs), (33, without), (34, theirs)] {
        kit.publish(workspace, n, &[]).await;
    }
    assert_eq!(page(&kit, from(ours, None)).await, (vec![31], 1, false));
    assert_eq!(page(&kit, from(theirs, None)).await, (vec![32, 34], 2, false));
    assert_eq!(refusal(kit.feed(from(without, None)).await), Refusal::WrongState);
    assert_eq!(kit.feed(from(WorkspaceId::from_raw(9), None)).await.expect("it reads"), None);
    kit.erase_workspace(EraseWorkspace { workspace: theirs, at: sample::at(50) }).await.expect("it exists");
    assert_eq!(kit.feed(from(theirs, None)).await.expect("it reads"), None);
    kit.retain_all(100, &NOTHING).await;
    assert_eq!(page(&kit, from(ours, None)).await, (vec![31], 1, false));
}

pub async fn a_feed_outlives_a_restart(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace_with_feed(1).await;
    for n in [31, 5_000] {
        kit.publish(workspace, n, &[]).await;
    }
    let kept = RetentionRules { event_age_max: Some(Duration::from_secs(2)), ..NOTHING };
    assert_eq!(kit.retain_all(5_500, &kept).await, (1, 0));
    let kit = kit.reopen(harness).await;
    assert_eq!(oldest(&kit, workspace, 0).await, Some(1));
    kit.publish(workspace, 4_000, &[]).await;
    assert_eq!(page(&kit, from(workspace, Some(1))).await, (vec![5_000, 4_000], 3, false));
}
