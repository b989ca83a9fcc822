//! The producer's event id, where it identifies an event.

use signalpost_core::event::Sequence;
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};

use super::Harness;
use super::kit::{Kit, delivery, refusal};
use crate::ledger::{AcceptEvent, Accepted, Dedupe, EventKey, Repeated};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

/// Event `n` with the producer's id "p", which identifies it; `said` stands for everything that the producer said.
async fn identified(
    kit: &Kit,
    workspace: WorkspaceId,
    n: i64,
    said: u8,
    targets: &[WebhookId],
) -> AcceptEvent {
    let mut event = kit.draft(workspace, n, targets).await;
    event.content.producer_id = Some("p".to_owned());
    event.dedupe = Some(Dedupe { fingerprint: [said; 32], not_before: sample::at(0) });
    event
}

fn labelled(event: AcceptEvent) -> AcceptEvent {
    AcceptEvent { dedupe: None, ..event }
}

async fn is_stored(kit: &Kit, workspace: WorkspaceId, n: i64) -> bool {
    kit.event(workspace, EventKey::Ours(EventId::from_raw(n))).await.expect("it reads").is_some()
}

pub async fn a_repeated_event_gets_the_first_answer(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let first = kit.accept_one(identified(&kit, workspace, 31, 1, &[webhook]).await).await;
    assert_eq!(first.repeated, Repeated::No);
    // Chosen again from other webhooks: the first choice stands.
    let second = kit.subscribe(workspace, 12).await;
    let again = kit.accept_one(identified(&kit, workspace, 32, 1, &[webhook, second]).await).await;
    assert_eq!(again, Accepted { repeated: Repeated::Yes, ..first });
    assert!(!is_stored(&kit, workspace, 32).await);
    assert_eq!((kit.owed(webhook).await.len(), kit.owed(second).await.len()), (1, 0));
    assert_eq!(kit.highest_id(), 31, "nothing was stored under the new id");
    let next = kit.publish(workspace, 33, &[]).await;
    assert_eq!(next.sequence, Sequence(2), "a repeated event takes no place in the sequence");
}

pub async fn an_id_used_for_another_event_refuses_the_whole_call(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.accept_one(identified(&kit, workspace, 31, 1, &[]).await).await;
    let other = identified(&kit, workspace, 32, 2, &[webhook]).await;
    let good = kit.draft(workspace, 33, &[webhook]).await;
    for call in [vec![good.clone(), other.clone()], vec![other, good]] {
        assert_eq!(refusal(kit.accept(call).await), Refusal::EventIdReused);
    }
    assert!(!is_stored(&kit, workspace, 33).await);
    assert_eq!(kit.owed(webhook).await, []);
}

pub async fn an_id_may_repeat_within_a_call(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let conflict = vec![
        identified(&kit, workspace, 31, 1, &[webhook]).await,
        identified(&kit, workspace, 32, 2, &[webhook]).await,
    ];
    assert_eq!(refusal(kit.accept(conflict).await), Refusal::EventIdReused);
    assert!(!is_stored(&kit, workspace, 31).await, "all or nothing");
    let call = vec![
        identified(&kit, workspace, 33, 1, &[webhook]).await,
        kit.draft(workspace, 34, &[]).await,
        identified(&kit, workspace, 35, 1, &[webhook]).await,
    ];
    let answers = kit.accept(call).await.expect("accepted");
    assert_eq!(answers[2], Accepted { repeated: Repeated::Yes, ..answers[0].clone() });
    assert_eq!(answers[1].sequence, Sequence(2));
    assert_eq!(kit.owed_one(webhook).await.id, delivery(33, webhook));
}

pub async fn an_id_may_be_used_again_when_it_is_old(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    kit.accept_one(identified(&kit, workspace, 31, 1, &[]).await).await;
    let with_floor = async |n: i64, said: u8, floor_ms: i64| {
        let event = identified(&kit, workspace, n, said, &[]).await;
        let not_before = sample::at(floor_ms);
        AcceptEvent { dedupe: event.dedupe.map(|dedupe| Dedupe { not_before, ..dedupe }), ..event }
    };
    let at_the_edge = kit.accept(vec![with_floor(32, 2, 31).await]).await;
    assert_eq!(refusal(at_the_edge), Refusal::EventIdReused, "it was accepted at the very limit");
    let renewed = kit.accept_one(with_floor(33, 2, 32).await).await;
    assert_eq!((renewed.id.raw(), renewed.repeated), (33, Repeated::No));
    let repeated = kit.accept_one(with_floor(34, 2, 32).await).await;
    assert_eq!((repeated.id.raw(), repeated.repeated), (33, Repeated::Yes), "the newer one counts now");
    let found = kit.event(workspace, EventKey::Producer("p".to_owned())).await.expect("it reads");
    assert_eq!(found.map(|event| event.id.raw()), Some(33));
}

pub async fn an_id_belongs_to_its_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let first = kit.workspace(1).await;
    let second = kit.workspace(2).await;
    let call = vec![identified(&kit, first, 31, 1, &[]).await, identified(&kit, second, 32, 2, &[]).await];
    let answers = kit.accept(call).await.expect("two workspaces, two events");
    assert!(answers.iter().all(|answer| answer.repeated == Repeated::No));
}

pub async fn a_label_identifies_nothing(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    for n in [31, 32] {
        let answer = kit.accept_one(labelled(identified(&kit, workspace, n, 1, &[webhook]).await)).await;
        assert_eq!((answer.id.raw(), answer.repeated), (n, Repeated::No));
    }
    let first = kit.accept_one(identified(&kit, workspace, 33, 1, &[]).await).await;
    assert_eq!(first.repeated, Repeated::No, "labels are not looked at");
    let label = kit.accept_one(labelled(identified(&kit, workspace, 34, 2, &[]).await)).await;
    assert_eq!(label.repeated, Repeated::No);
    let again = kit.accept_one(identified(&kit, workspace, 35, 1, &[]).await).await;
    assert_eq!(again, Accepted { repeated: Repeated::Yes, ..first }, "a label does not hide an identity");
    assert_eq!(kit.owed(webhook).await.len(), 2);
}

pub async fn a_repeated_event_needs_the_current_version_too(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let event = identified(&kit, workspace, 31, 1, &[]).await;
    kit.accept_one(event.clone()).await;
    kit.subscribe(workspace, 12).await;
    let again = AcceptEvent { id: EventId::from_raw(32), ..event };
    assert_eq!(refusal(kit.accept(vec![again]).await), Refusal::CatalogMoved);
}

/// Upkeep may forget what an old id stood for, but not the events that carry it.
pub async fn upkeep_forgets_no_event_by_its_id(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    kit.accept_one(identified(&kit, workspace, 31, 1, &[]).await).await;
    kit.tidy_up(32 + 3 * signalpost_core::limits::EVENT_ID_KEPT_MS).await;
    let found = kit.event(workspace, EventKey::Producer("p".to_owned())).await.expect("it reads");
    assert_eq!(found.map(|event| event.id.raw()), Some(31));
}

pub async fn upkeep_keeps_young_ids(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    kit.accept_one(identified(&kit, workspace, 31, 1, &[]).await).await;
    kit.tidy_up(31 + signalpost_core::limits::EVENT_ID_KEPT_MS).await;
    let other = identified(&kit, workspace, 32, 2, &[]).await;
    let not_before = sample::at(31);
    let other = AcceptEvent { dedupe: other.dedupe.map(|dedupe| Dedupe { not_before, ..dedupe }), ..other };
    assert_eq!(refusal(kit.accept(vec![other]).await), Refusal::EventIdReused);
}
