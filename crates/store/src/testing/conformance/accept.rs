//! Accepting events: all or nothing, in sequence, owed to each target.

use bytes::Bytes;
use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::{DeliveryState, Due};
use signalpost_core::event::{Event, EventContent, Sequence};
use signalpost_core::id::WorkspaceId;

use super::Harness;
use super::kit::{Kit, delivery, refusal};
use crate::ledger::{AcceptEvent, Accepted, EventKey, ListEvents, Repeated};
use crate::testing::refusal::Refusal;
use crate::testing::sample;
use crate::testing::snapshot::all_events;

pub async fn an_event_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhooks) = kit.tenant::<3>().await;
    let every_byte: Vec<u8> = (0..=255).collect();
    let contents = [
        sample::event(workspace, 31, 0, &[]).content,
        EventContent {
            producer_id: Some("order-1".to_owned()),
            event_type: "customer.points/mutation:x".to_owned(),
            subject: Some("Käse 🧀".to_owned()),
            time: sample::at(-5_000_000),
            attributes: Vec::new(),
            data: Bytes::from(every_byte),
            ordering_key: Some("ü 🧀".to_owned()),
        },
        EventContent {
            attributes: vec![
                ("a".to_owned(), "{ \"k\": \"\\u0000\" }".to_owned()),
                (String::new(), String::new()),
            ],
            data: Bytes::new(),
            ..sample::event(workspace, 33, 0, &[]).content
        },
        EventContent {
            data: Bytes::from(vec![b'x'; 1024 * 1024]),
            ..sample::event(workspace, 34, 0, &[]).content
        },
    ];
    // Targets in another order than that of the ids: the event keeps the order it was given.
    let targets = [webhooks[2], webhooks[0]];
    for (n, content) in (31..).zip(contents) {
        let event = AcceptEvent { content, ..kit.draft(workspace, n, &targets).await };
        let AcceptEvent { id, content, accepted_at, .. } = event.clone();
        let accepted = kit.accept_one(event).await;
        let expected = Event {
            id,
            workspace,
            sequence: accepted.sequence,
            content,
            targets: targets.to_vec(),
            accepted_at,
            payload_removed_at: None,
        };
        let found = kit.event(workspace, EventKey::Ours(id)).await.expect("it reads");
        assert_eq!(found.as_deref(), Some(&expected));
        let sent = kit.events_by_id(vec![id]).await.expect("it reads");
        assert_eq!(sent.len(), 1);
        assert_eq!(*sent[0], expected, "it is sent as it is shown");
    }
}

pub async fn the_answer_tells_id_place_and_deliveries(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [first, second]) = kit.tenant().await;
    let events = vec![
        kit.draft(workspace, 31, &[first, second]).await,
        kit.draft(workspace, 32, &[]).await,
        kit.draft(workspace, 33, &[second]).await,
    ];
    let ids: Vec<_> = events.iter().map(|event| event.id).collect();
    let answers = kit.accept(events).await.expect("accepted");
    assert_eq!(answers.iter().map(|answer| answer.id).collect::<Vec<_>>(), ids, "in the order of the call");
    assert_eq!(answers.iter().map(|answer| answer.deliveries).collect::<Vec<_>>(), [2, 0, 1]);
    assert!(answers.iter().all(|answer| answer.repeated == Repeated::No));
    assert_eq!(kit.accept(Vec::new()).await.expect("nothing to accept"), []);
}

pub async fn sequences_grow_in_each_workspace_by_itself(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let first = kit.workspace(1).await;
    let second = kit.workspace(2).await;
    let mut seen = Vec::new();
    for (n, workspace) in [(31, first), (32, second), (33, second), (34, first)] {
        seen.push(kit.publish(workspace, n, &[]).await.sequence);
    }
    let call = vec![kit.draft(first, 35, &[]).await, kit.draft(first, 36, &[]).await];
    seen.extend(kit.accept(call).await.expect("accepted").iter().map(|answer| answer.sequence));
    let expected = [1, 1, 2, 2, 3, 4].map(Sequence);
    assert_eq!(seen, expected);
}

pub async fn each_target_is_owed_the_event_at_once(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [first, second, third]) = kit.tenant().await;
    let born = kit.publish(workspace, 31, &[first, second]).await.sequence;
    for webhook in [first, second] {
        let id = delivery(31, webhook);
        let expected = Due { id, due_at: sample::at(31), born, steps: 0, tries: 0, order: None };
        assert_eq!(kit.owed(webhook).await, [expected]);
        let record = kit.look(workspace, id).await;
        assert_eq!(record.summary.state, DeliveryState::Pending { next_at: sample::at(31) });
        assert_eq!((record.summary.attempts, record.summary.last_outcome), (0, None));
        assert_eq!(record.steps, []);
    }
    assert_eq!(kit.owed(third).await, []);
    assert_eq!(kit.delivery(workspace, delivery(31, third)).await.expect("it reads"), None);
}

pub async fn targets_chosen_before_a_change_are_refused(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let stale = kit.draft(workspace, 31, &[webhook]).await;
    kit.disable(workspace, webhook, 50).await;
    assert_eq!(refusal(kit.accept(vec![stale.clone()]).await), Refusal::CatalogMoved);
    let ahead = AcceptEvent { version: kit.version(workspace).await + 1, ..stale };
    assert_eq!(refusal(kit.accept(vec![ahead]).await), Refusal::CatalogMoved, "also one from the future");
    assert_eq!(kit.owed(webhook).await, []);
}

pub async fn a_call_is_accepted_as_a_whole_or_not_at_all(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let other = kit.workspace(2).await;
    let version = kit.version(workspace).await;
    let good = sample::event(workspace, 31, version, &[webhook]);
    let moved = sample::event(other, 32, kit.version(other).await + 1, &[]);
    let nowhere = sample::event(WorkspaceId::from_raw(9), 33, 1, &[]);
    for (bad, expected) in [(moved, Refusal::CatalogMoved), (nowhere, Refusal::Missing("workspace"))] {
        for call in [vec![good.clone(), bad.clone()], vec![bad, good.clone()]] {
            assert_eq!(refusal(kit.accept(call).await), expected);
            assert_eq!(kit.event(workspace, EventKey::Ours(good.id)).await.expect("it reads"), None);
            assert_eq!(kit.owed(webhook).await, []);
        }
    }
    let both = vec![good, sample::event(other, 34, kit.version(other).await, &[])];
    assert_eq!(kit.accept(both).await.expect("several workspaces in one call").len(), 2);
    assert_eq!(kit.owed(webhook).await.len(), 1);
}

/// Ids are minted before the commit, so an event may be stored after younger ones.
pub async fn a_late_event_takes_its_place_by_id(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    for n in [33, 35] {
        kit.publish(workspace, n, &[webhook]).await;
    }
    kit.tidy_up(100).await;
    let late = kit.publish(workspace, 34, &[webhook]).await;
    assert_eq!(late.sequence, Sequence(3), "the sequence follows the commits");
    let params = ListEvents { workspace, event_type: None, subject: None, before: None, limit: 2 };
    let events = all_events(&*kit, params).await.expect("it reads");
    assert_eq!(events.iter().map(|event| event.id.raw()).collect::<Vec<_>>(), [35, 34, 33]);
    assert_eq!(kit.highest_id(), 35);
}

pub async fn a_large_call_is_taken(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhooks) = kit.tenant::<3>().await;
    let version = kit.version(workspace).await;
    let call: Vec<_> = (1_000..2_000).map(|n| sample::event(workspace, n, version, &webhooks)).collect();
    let answers: Vec<Accepted> = kit.accept(call).await.expect("accepted");
    assert_eq!(answers.last().map(|answer| answer.sequence), Some(Sequence(1_000)));
    for webhook in webhooks {
        assert_eq!(kit.owed(webhook).await.len(), 1_000);
    }
    let params = ListEvents { workspace, event_type: None, subject: None, before: None, limit: 250 };
    let events = all_events(&*kit, params).await.expect("it reads");
    assert!(events.iter().map(|event| event.id.raw()).eq((1_000..2_000).rev()));
}

pub async fn the_highest_id_is_the_highest_ever_stored(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    assert_eq!(kit.highest_id(), 0, "an empty store");
    let workspace = kit.workspace(100).await;
    assert_eq!(kit.highest_id(), 100);
    let webhook = kit.subscribe(workspace, 200).await;
    assert_eq!(kit.highest_id(), 200);
    let hash = signalpost_core::credential::CredentialHash::of(b"key");
    kit.create_credential(sample::credential(workspace, 300), hash).await.expect("a new credential");
    assert_eq!(kit.highest_id(), 300);
    let pending = kit.publish_and_attempt(workspace, 400, webhook, Verdict::GiveUp).await;
    assert_eq!((kit.highest_id(), pending.event.raw()), (400, 400));
    kit.publish(workspace, 350, &[]).await;
    assert_eq!(kit.highest_id(), 400, "a lower one changes nothing");
}
