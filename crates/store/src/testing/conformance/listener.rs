//! Who is told of commits, and of which.

use std::sync::Arc;

use signalpost_core::attempt::Verdict;
use signalpost_core::event::Event;
use signalpost_core::id::{EventId, WorkspaceId};

use super::Harness;
use super::kit::{Kit, refusal};
use crate::ledger::{AcceptEvent, Dedupe, EventKey};
use crate::testing::notes::{Notes, Told};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

async fn stored(kit: &Kit, workspace: WorkspaceId, ids: &[i64]) -> Vec<Arc<Event>> {
    let mut events = Vec::new();
    for id in ids {
        let key = EventKey::Ours(EventId::from_raw(*id));
        events.push(kit.event(workspace, key).await.expect("it reads").expect("the event exists"));
    }
    events
}

pub async fn the_listener_hears_of_events_before_their_publisher(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 30, &[webhook]).await;
    let notes = Notes::on(&*kit);
    assert_eq!(notes.take(), [], "what came before it listened is found by asking");
    // Ids against their order in the call: the order is that of the commit.
    let call = vec![kit.draft(workspace, 32, &[webhook]).await, kit.draft(workspace, 31, &[]).await];
    kit.accept(call).await.expect("accepted");
    let expected = stored(&kit, workspace, &[32, 31]).await;
    assert_eq!(notes.take(), [Told::Accepted(expected)], "one commit, one call, with all that was stored");
}

pub async fn the_listener_hears_only_of_what_was_stored(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let notes = Notes::on(&*kit);
    let mut event = kit.draft(workspace, 31, &[]).await;
    event.content.producer_id = Some("p".to_owned());
    event.dedupe = Some(Dedupe { fingerprint: [1; 32], not_before: sample::at(0) });
    kit.accept_one(event.clone()).await;
    assert_eq!(notes.take().len(), 1);

    let repeated = AcceptEvent { id: EventId::from_raw(32), ..event };
    let fresh = kit.draft(workspace, 33, &[]).await;
    kit.accept(vec![repeated.clone(), fresh]).await.expect("accepted");
    assert_eq!(notes.take(), [Told::Accepted(stored(&kit, workspace, &[33]).await)], "no repeated one");
    kit.accept_one(repeated.clone()).await;
    kit.accept(Vec::new()).await.expect("nothing to accept");
    assert_eq!(notes.take(), [], "nothing was stored");
    let moved = AcceptEvent { version: repeated.version + 1, ..repeated };
    assert_eq!(refusal(kit.accept(vec![moved]).await), Refusal::CatalogMoved);
    assert_eq!(notes.take(), [], "it was refused");
}

pub async fn the_listener_hears_of_requeues(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let id = kit.publish_and_attempt(workspace, 31, webhook, Verdict::GiveUp).await;
    let notes = Notes::on(&*kit);
    let due = kit.redeliver(workspace, id, 60).await.expect("it has failed");
    assert_eq!(notes.take(), [Told::Requeued(due, workspace)]);
    assert_eq!(refusal(kit.redeliver(workspace, id, 61).await), Refusal::WrongState);
    kit.attempt(workspace, due, Verdict::RetryAt(sample::at(99))).await;
    assert_eq!(notes.take(), [], "refusals and retries are nothing that it must hear of");
}

pub async fn the_last_listener_takes_the_place_of_the_others(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let (former, latter) = (Notes::on(&*kit), Notes::on(&*kit));
    kit.publish(workspace, 31, &[]).await;
    assert_eq!((former.take().len(), latter.take().len()), (0, 1));
}
