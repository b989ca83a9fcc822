//! Whoever finds something gone is answered when no node acts on it any more, whoever took it away and whatever became of that
//! call.

use futures_util::future::join_all;
use futures_util::{FutureExt, TryFutureExt};
use signalpost_core::id::WebhookId;
use signalpost_core::ports::BoxFuture;
use signalpost_store::change::Change;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, StoreError};
use signalpost_testkit::wait_for;

use super::{Ears, PATIENCE, Stage};
use crate::support::say;

#[test]
fn whoever_comes_later_waits_for_all_that_were_not_told_yet() {
    let stage = Stage::new(3);
    let ears = Ears::of(&stage.nodes[1]);
    let webhook = stage.webhook_of(1);
    let change = Change::Webhook { workspace: stage.workspace, webhook };
    // Its caller goes away.
    drop(stage.nodes[0].delete_webhook(stage.delete(webhook)));
    wait_for("the other to be told", PATIENCE, || ears.has_heard(change)).expect("it is");
    let settling: Vec<_> = stage.nodes.iter().map(|node| node.settle_changes()).collect();
    let settling: Vec<_> =
        settling.into_iter().map(|settled| std::thread::spawn(move || block_on(settled))).collect();
    stage.wait_for_renewals();
    assert!(settling.iter().all(|one| !one.is_finished()), "it was not taken up, on whichever node one asks");
    ears.take_up(change);
    for one in settling {
        one.join().expect("nobody panics").expect("it is settled");
    }
}

/// Beside as many as can be done at once: others go on meanwhile.
#[test]
fn those_who_wait_are_in_nobodys_way() {
    let stage = Stage::new(1);
    let (node, schema) = (&stage.nodes[0], &stage.place.schema);
    // One that is there, and of which nothing is heard.
    say(&format!(
        "INSERT INTO {schema}.node (number, token, process, delivers, seen, renewed_at)
        VALUES (7, 7, '', false, 0, clock_timestamp() + interval '1 hour')"
    ));
    let webhooks: Vec<WebhookId> = (100..180).map(WebhookId::from_raw).collect();
    for webhook in &webhooks {
        let webhook = sample::webhook(stage.workspace, webhook.raw());
        block_on(node.create_webhook(webhook.into())).expect("a webhook");
    }
    let mut settling: Vec<BoxFuture<'_, Result<(), StoreError>>> =
        (0..200).map(|_| node.settle_changes().boxed()).collect();
    let deleting = webhooks.iter().map(|webhook| node.delete_webhook(stage.delete(*webhook)));
    settling.extend(deleting.map(|deleted| deleted.map_ok(drop).boxed()));
    let reading = node.workspace_by_public_id("ws-1".to_owned());
    let reading = std::thread::spawn(move || block_on(reading));
    wait_for("a read", PATIENCE, || reading.is_finished()).expect("it is answered");
    reading.join().expect("nobody panics").expect("it reads").expect("it exists");
    let settling = std::thread::spawn(move || block_on(join_all(settling)));
    stage.wait_for_renewals();
    assert!(!settling.is_finished(), "it may act on what was before");
    say(&format!("UPDATE {schema}.node SET seen = (SELECT max(n) FROM {schema}.change) WHERE token = 7"));
    for settled in settling.join().expect("nobody panics") {
        settled.expect("it is settled");
    }
}
