//! Retention: what goes with its age, what stays, and that nothing else is changed by it.

use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::event::Sequence;
use signalpost_core::id::{EventId, WorkspaceId};
use signalpost_core::policy::PolicyChange;
use signalpost_core::retention::{RetentionDefault, RetentionRules};
use signalpost_core::workspace::Workspace;

use super::Harness;
use super::kit::{Kit, delivery, refusal};
use crate::Named;
use crate::catalog::{EraseWorkspace, UpdateWorkspace};
use crate::ledger::{Accepted, Dedupe, EventKey, ListDeliveries, ListEvents, Repeated, Usage};
use crate::testing::refusal::Refusal;
use crate::testing::sample;
use crate::testing::snapshot::{all_deliveries, all_events};

pub(super) const RETRY: Verdict = Verdict::RetryAt(sample::at(9_000));
pub(super) const NOTHING: RetentionRules =
    RetentionRules { event_age_max: None, payload_age_max: None, bytes_max: None };

pub(super) fn events_kept_s(age_s: u64) -> RetentionRules {
    RetentionRules { event_age_max: Some(Duration::from_secs(age_s)), ..NOTHING }
}

pub(super) fn payloads_kept_s(age_s: u64) -> RetentionRules {
    RetentionRules { payload_age_max: Some(Duration::from_secs(age_s)), ..NOTHING }
}

pub(super) async fn listed(kit: &Kit, workspace: WorkspaceId) -> Vec<i64> {
    let all = ListEvents { workspace, event_type: None, subject: None, before: None, limit: 100 };
    let events = all_events(&**kit, all).await.expect("it reads");
    events.iter().map(|event| event.id.raw()).collect()
}

pub(super) async fn used(kit: &Kit, workspace: WorkspaceId) -> Usage {
    kit.usage(workspace).await.expect("it reads").expect("the workspace exists")
}

pub(super) async fn set(kit: &Kit, workspace: WorkspaceId, policy: PolicyChange) {
    let params = UpdateWorkspace { workspace, name: None, features: None, policy };
    kit.update_workspace(params).await.expect("it exists");
}

pub async fn an_old_event_goes_with_all_that_belongs_to_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    let mut event = kit.draft(workspace, 31, &[webhook, other]).await;
    event.content.producer_id = Some("p".to_owned());
    event.dedupe = Some(Dedupe { fingerprint: [1; 32], not_before: sample::at(0) });
    kit.accept_one(event.clone()).await;
    for lane in [webhook, other] {
        kit.attempt(workspace, kit.owed_one(lane).await, Verdict::Delivered).await;
    }
    kit.publish(workspace, 2_000, &[]).await;
    assert_eq!(kit.retain_all(10_030, &events_kept_s(10)).await, (0, 0), "a millisecond too young");
    assert_eq!(kit.retain_all(10_031, &events_kept_s(10)).await, (1, 0));

    let id = delivery(31, webhook);
    assert_eq!(listed(&kit, workspace).await, [2_000]);
    assert_eq!(kit.event(workspace, EventKey::Ours(id.event)).await.expect("it reads"), None);
    assert_eq!(kit.event(workspace, EventKey::Producer("p".to_owned())).await.expect("it reads"), None);
    assert_eq!(kit.events_by_id(vec![id.event]).await.expect("it reads"), []);
    assert_eq!(kit.delivery(workspace, id).await.expect("it reads"), None);
    assert_eq!(kit.owner_of(Named::Delivery(id)).await.expect("it reads"), None);
    assert_eq!(refusal(kit.redeliver(workspace, id, 60).await), Refusal::Missing("delivery"));
    event.id = EventId::from_raw(3_000);
    event.version = kit.version(workspace).await;
    assert_eq!(kit.accept_one(event).await.repeated, Repeated::No, "its id may be used anew");
}

pub async fn an_event_stays_while_something_of_it_is_pending(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook, other]).await;
    kit.attempt(workspace, kit.owed_one(webhook).await, Verdict::Delivered).await;
    kit.attempt(workspace, kit.owed_one(other).await, RETRY).await;
    let requeued = kit.publish_and_attempt(workspace, 32, webhook, Verdict::GiveUp).await;
    kit.redeliver(workspace, requeued, 60).await.expect("it has failed");
    kit.publish_and_attempt(workspace, 33, webhook, Verdict::GiveUp).await;
    let both = RetentionRules { payload_age_max: Some(Duration::from_secs(1)), ..events_kept_s(2) };
    let nothing_fits = RetentionRules { bytes_max: Some(0), ..NOTHING };
    assert_eq!(kit.retain_all(9_000, &both).await, (1, 0), "33 has ended, 31 and 32 have not");
    assert_eq!(kit.retain_all(9_000, &nothing_fits).await, (0, 0));
    assert_eq!(listed(&kit, workspace).await, [32, 31]);
    for n in [31, 32] {
        let event = kit.event(workspace, EventKey::Ours(EventId::from_raw(n))).await.expect("it reads");
        let event = event.expect("it is there");
        assert_eq!((event.payload_removed_at, event.content.data.is_empty()), (None, false));
    }
    kit.attempt(workspace, kit.owed_one(other).await, Verdict::GiveUp).await;
    kit.attempt(workspace, kit.owed_one(webhook).await, Verdict::Delivered).await;
    assert_eq!(kit.retain_all(9_000, &both).await, (2, 0), "now they have");
}

pub async fn what_a_cut_has_ended_is_not_pending(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [off, deleted]) = kit.tenant().await;
    kit.publish(workspace, 31, &[off, deleted]).await;
    kit.attempt(workspace, kit.owed_one(off).await, RETRY).await;
    kit.delete(workspace, deleted, 50).await;
    assert_eq!(kit.retain_all(9_000, &events_kept_s(1)).await, (0, 0));
    kit.disable(workspace, off, 51).await;
    kit.enable(workspace, off, 52).await;
    kit.publish(workspace, 32, &[off]).await;
    assert_eq!(kit.retain_all(9_000, &events_kept_s(1)).await, (1, 0));
    assert_eq!(listed(&kit, workspace).await, [32], "what came after the cut is owed");
    kit.tidy_up(9_000).await;
    assert_eq!(kit.owed_one(off).await.id, delivery(32, off));
}

pub async fn a_payload_may_go_before_its_record(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let id = kit.publish_and_attempt(workspace, 31, webhook, Verdict::GiveUp).await;
    let before = kit.look(workspace, id).await;
    let bytes = used(&kit, workspace).await.bytes;
    assert_eq!(kit.retain_all(5_031, &payloads_kept_s(5)).await, (0, 1));
    let after = kit.look(workspace, id).await;
    assert_eq!((&after.summary, &after.steps), (&before.summary, &before.steps), "the history stays");
    assert_eq!(after.event.payload_removed_at, Some(sample::at(5_031)));
    assert_eq!(after.event.content.data, "");
    assert_eq!(after.event.content.attributes, before.event.content.attributes);
    assert!(used(&kit, workspace).await.bytes < bytes);
    assert_eq!(refusal(kit.redeliver(workspace, id, 6_000).await), Refusal::WrongState, "nothing to send");
    assert_eq!(kit.retain_all(5_032, &payloads_kept_s(5)).await, (0, 0), "once is enough");
    assert_eq!(kit.retain_all(5_032, &events_kept_s(5)).await, (1, 0), "the record goes later");
}

pub async fn a_workspace_has_ages_of_its_own(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (short, [webhook]) = kit.tenant().await;
    let (long, other) = (kit.workspace(2).await, kit.workspace(3).await);
    for (workspace, age_s) in [(short, 2), (long, 100)] {
        let age = Some(Some(Duration::from_secs(age_s)));
        set(&kit, workspace, PolicyChange { event_age_max: age, ..PolicyChange::default() }).await;
    }
    kit.publish_and_attempt(short, 31, webhook, Verdict::Delivered).await;
    kit.publish(long, 32, &[]).await;
    kit.publish(other, 33, &[]).await;
    assert_eq!(kit.retain_all(5_000, &events_kept_s(10)).await, (1, 0), "shorter than the rule for all");
    assert_eq!(kit.retain_all(20_000, &events_kept_s(10)).await, (1, 0));
    assert_eq!((listed(&kit, long).await, listed(&kit, other).await), (vec![32], vec![]), "longer");
    set(&kit, long, PolicyChange::reset()).await;
    assert_eq!(
        kit.retain_all(20_001, &events_kept_s(10)).await,
        (1, 0),
        "a change holds from the next walk on"
    );
}

pub async fn a_workspace_that_keeps_everything_is_touched_by_its_own_rules_only(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let keeper = Workspace { retention: RetentionDefault::ForEver, ..sample::workspace(1) };
    kit.create_workspace(keeper.clone()).await.expect("a new workspace");
    let (keeper, other) = (keeper.id, kit.workspace(2).await);
    for (n, workspace) in [(31, keeper), (32, other), (33, keeper), (4_000, keeper), (4_001, other)] {
        kit.publish(workspace, n, &[]).await;
    }
    let both = RetentionRules { payload_age_max: Some(Duration::from_secs(1)), ..events_kept_s(2) };
    assert_eq!(kit.retain_all(5_000, &both).await, (1, 0));
    assert_eq!(listed(&kit, keeper).await, [4_000, 33, 31]);

    let age = |event_s: Option<u64>| {
        let event_age_max = Some(event_s.map(Duration::from_secs));
        PolicyChange { event_age_max, ..PolicyChange::default() }
    };
    set(&kit, keeper, age(Some(3))).await;
    assert_eq!(kit.retain_all(5_001, &both).await, (2, 1), "its own events by its own age");
    assert_eq!((listed(&kit, keeper).await, listed(&kit, other).await), (vec![4_000], vec![4_001]));
    set(&kit, keeper, age(None)).await;
    assert_eq!(kit.retain_all(90_000, &both).await, (1, 0), "a limit that is taken back is none");
    assert_eq!(listed(&kit, keeper).await, [4_000]);
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.retain_all(90_001, &both).await, (0, 0));
    let nothing_fits = RetentionRules { bytes_max: Some(0), ..NOTHING };
    assert_eq!(kit.retain_all(90_002, &nothing_fits).await, (1, 0), "the store's own bound holds for all");
}

pub async fn a_young_event_ends_the_walk_and_one_from_the_future_does_not(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    for (n, accepted_ms) in [(31, 500_000), (32, 100), (33, 8_000), (34, 100)] {
        let mut event = kit.draft(workspace, n, &[]).await;
        event.accepted_at = sample::at(accepted_ms);
        kit.accept_one(event).await;
    }
    assert_eq!(kit.retain_all(9_000, &events_kept_s(5)).await, (1, 0));
    assert_eq!(listed(&kit, workspace).await, [34, 33, 31]);
    assert_eq!(kit.retain_all(13_000, &events_kept_s(5)).await, (2, 0));
    assert_eq!(listed(&kit, workspace).await, [31]);
}

/// With an id below those that retention has dealt with already.
pub async fn an_event_that_comes_late_is_not_passed_over(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (follower, own) = (kit.workspace(1).await, kit.workspace(2).await);
    let age = Some(Some(Duration::from_secs(2)));
    set(&kit, own, PolicyChange { payload_age_max: age, ..PolicyChange::default() }).await;
    let rules = RetentionRules { payload_age_max: Some(Duration::from_secs(2)), ..events_kept_s(10) };
    for (first, workspace) in [(60, follower), (80, own)] {
        for n in 0..3 {
            kit.publish(workspace, first + n, &[]).await;
        }
    }
    assert_eq!(kit.retain_all(5_000, &rules).await, (0, 6));
    for (n, workspace) in [(50, follower), (70, own)] {
        let mut late = kit.draft(workspace, n, &[]).await;
        late.accepted_at = sample::at(5_001);
        kit.accept_one(late).await;
    }
    assert_eq!(kit.retain_all(8_000, &rules).await, (0, 2));
    // The late ones are the first by id, and young: all others wait for them.
    assert_eq!(kit.retain_all(13_000, &rules).await, (0, 0));
    assert_eq!(kit.retain_all(15_001, &rules).await, (8, 0));
}

pub async fn an_outcome_for_an_event_that_is_gone_is_skipped(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let due = kit.owed_one(webhook).await;
    kit.disable(workspace, webhook, 50).await;
    kit.enable(workspace, webhook, 51).await;
    assert_eq!(kit.retain_all(9_000, &events_kept_s(1)).await, (1, 0));
    let before = kit.snapshot().await;
    kit.attempt(workspace, due, RETRY).await;
    assert_eq!(before.difference(&kit.snapshot().await), None);
    assert_eq!(kit.owed(webhook).await, []);
    assert_eq!(used(&kit, workspace).await, Usage::default(), "nothing of it is left to count");
}

pub async fn lists_go_on_without_what_is_gone(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    for n in 31..41 {
        kit.publish_and_attempt(workspace, n, webhook, Verdict::Delivered).await;
    }
    let list = ListDeliveries {
        workspace,
        webhook: Some(webhook),
        event: None,
        status: Some(DeliveryStatus::Delivered),
        before: None,
        limit: 4,
    };
    let page = kit.list_deliveries(list.clone()).await.expect("it reads");
    let before = page.next.expect("there is more");
    assert_eq!(before.event.raw(), 37);
    // The place of the cursor itself goes too.
    assert_eq!(kit.retain_all(1_038, &events_kept_s(1)).await, (8, 0));
    kit.publish_and_attempt(workspace, 2_000, webhook, Verdict::Delivered).await;
    let rest = ListDeliveries { before: Some(before), ..list.clone() };
    assert_eq!(kit.list_deliveries(rest).await.expect("it reads").rows, []);
    let events = ListEvents {
        workspace,
        event_type: None,
        subject: None,
        before: Some(EventId::from_raw(40)),
        limit: 4,
    };
    let page = kit.list_events(events).await.expect("it reads");
    assert_eq!(page.rows.iter().map(|event| event.id.raw()).collect::<Vec<_>>(), [39]);
    let all = all_deliveries(&*kit, list).await.expect("it reads");
    assert_eq!(all.iter().map(|row| row.id.event.raw()).collect::<Vec<_>>(), [2_000, 40, 39]);
    let of_gone = ListDeliveries { event: Some(EventId::from_raw(31)), status: None, ..all_of(workspace) };
    assert_eq!(kit.list_deliveries(of_gone).await.expect("it reads").rows, []);
}

fn all_of(workspace: WorkspaceId) -> ListDeliveries {
    ListDeliveries { workspace, webhook: None, event: None, status: None, before: None, limit: 9 }
}

pub async fn an_erased_workspace_leaves_nothing_behind(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [webhook, other]) = kit.tenant().await;
    kit.publish(gone, 31, &[webhook, other]).await;
    kit.publish_and_attempt(gone, 32, webhook, Verdict::GiveUp).await;
    kit.delete(gone, other, 40).await;
    let stays = kit.workspace(2).await;
    kit.publish(stays, 33, &[]).await;
    let due = kit.owed(webhook).await[0];
    kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(50) }).await.expect("it exists");
    let before = kit.snapshot().await;
    kit.retain_all(60, &NOTHING).await;
    kit.tidy_up(60).await;
    kit.retain_all(60, &NOTHING).await;
    assert_eq!(before.difference(&kit.snapshot().await), None, "others see no difference");
    let storage = kit.storage().await.expect("it reads");
    assert_eq!((storage.events, storage.oldest_event_at), (1, Some(sample::at(33))));
    assert_eq!(kit.events_by_id([31, 32].map(EventId::from_raw).into()).await.expect("it reads"), []);
    kit.attempt(gone, due, RETRY).await;
    assert_eq!(kit.owed(webhook).await, [], "an outcome that comes now finds nothing to be recorded with");
    let again =
        signalpost_core::workspace::Workspace { public_id: "ws-1".to_owned(), ..sample::workspace(4) };
    assert_eq!(refusal(kit.create_workspace(again).await), Refusal::Taken("workspace id"));
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 33);
    assert_eq!(kit.usage(gone).await.expect("it reads"), None);
}

pub async fn what_was_removed_stays_removed(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish_and_attempt(workspace, 31, webhook, Verdict::Delivered).await;
    kit.publish_and_attempt(workspace, 32, webhook, Verdict::Delivered).await;
    kit.retain_all(1_031, &events_kept_s(1)).await;
    kit.retain_all(1_032, &payloads_kept_s(1)).await;
    let before = kit.snapshot().await;
    let kit = kit.reopen(harness).await;
    assert_eq!(before.difference(&kit.snapshot().await), None);
    kit.tidy_up(2_000).await;
    assert_eq!(before.difference(&kit.snapshot().await), None);
    kit.retain_all(5_000, &events_kept_s(1)).await;
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 32, "the id of an event that is gone is not given out again");
    let accepted = kit.publish(workspace, 33, &[]).await;
    assert_eq!(accepted, Accepted { sequence: Sequence(3), ..accepted.clone() }, "nor is its sequence");
}

pub async fn without_rules_nothing_goes(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish_and_attempt(workspace, 31, webhook, Verdict::Delivered).await;
    let before = kit.snapshot().await;
    assert_eq!(kit.retain_all(i64::MAX / 4, &NOTHING).await, (0, 0));
    assert_eq!(before.difference(&kit.snapshot().await), None);
}
