//! What is told of a request that went out: who has signed it, and whether its body is known.

use std::sync::Arc;

use bytes::Bytes;
use signalpost_core::delivery::Step;
use signalpost_core::principal::Principal;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::template::Template;
use signalpost_engine::sent::{SentRequest, SignedBy, Whose};
use signalpost_engine::webhooks::{NewWebhook, WebhookChange};
use signalpost_store::ledger::DeliveryRecord;
use signalpost_store::testing::memory::MemoryStore;

use crate::rig::Rig;

/// The first attempt of the oldest delivery, after something has happened to what is stored of it.
fn sent_after(rig: &mut Rig, change: impl FnOnce(&mut DeliveryRecord)) -> SentRequest {
    let delivery = rig.deliveries().last().expect("a delivery").id.to_public();
    rig.call(async |engine, view| {
        let mut record = engine.delivery(&delivery).await.expect("it is there").record;
        change(&mut record);
        let Some(Step::Attempted(attempt)) = record.steps.first() else { panic!("it was attempted") };
        engine.sent_request(&view, &record, attempt).await
    })
    .expect("it is made once more")
}

fn sent(rig: &mut Rig) -> SentRequest {
    sent_after(rig, |_| {})
}

fn new_key(rig: &mut Rig) -> SigningKey {
    rig.call(async |engine, view| engine.create_signing_key(&view).await).expect("a new key")
}

fn refer(rig: &mut Rig, webhook: &str, key: Option<&SigningKey>) {
    let signing_key = Some(key.map(|key| key.public_id.clone()));
    let change = WebhookChange { signing_key, ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, webhook, change).await).expect("it lives");
}

/// What is signed, and the body "${event.data}".
fn rig_that_signs(content: &str) -> Rig {
    let mut rig = Rig::with_requests(|delivery| {
        delivery.body = Template::json("${event.data}").expect("a good template");
        Arc::make_mut(&mut delivery.signature).content = Template::text(content).expect("a good template");
    });
    rig.receiver.status.set(Some(204));
    rig.webhook();
    rig.publish(1);
    rig
}

#[test]
fn a_body_that_is_rendered_otherwise_now_is_not_said_to_be_what_was_signed() {
    let mut rig = rig_that_signs("${body}");
    let request = sent(&mut rig);
    assert_eq!(request.signature.signed_by(), SignedBy::Known(&Whose::Own));
    assert!(request.is_body_proven());
    let request = sent_after(&mut rig, |record| {
        Arc::make_mut(&mut record.event).content.data = Bytes::from_static(b"2");
    });
    assert_eq!((request.body.as_slice(), request.signature.signed_by()), (&b"2"[..], SignedBy::NoneHere));
    assert!(!request.is_body_proven());
}

#[test]
fn a_signature_that_is_not_over_the_body_says_nothing_of_it() {
    let mut rig = rig_that_signs("${event.id}");
    let request = sent(&mut rig);
    assert_eq!(request.signature.signed_by(), SignedBy::Known(&Whose::Own));
    assert!(!request.is_body_proven());
}

#[test]
fn the_key_that_has_signed_is_found_wherever_the_webhook_refers_to_now() {
    let mut rig = Rig::with_shared_keys(Arc::new(MemoryStore::new()), 1);
    rig.receiver.status.set(Some(204));
    let [_, first, second] = [(); 3].map(|()| new_key(&mut rig));
    let id = first.public_id.clone();
    let webhook = rig.webhook_like(|new| NewWebhook { signing_key: Some(id.clone()), ..new });
    rig.publish(1);
    let [key, other] = [Whose::Key(id.clone()), Whose::OtherKey(id)];
    assert_eq!(sent(&mut rig).signature.signed_by(), SignedBy::Known(&key));
    for now in [Some(&second), None] {
        refer(&mut rig, &webhook, now);
        let request = sent(&mut rig);
        assert_eq!(request.signature.signed_by(), SignedBy::Known(&other));
        let now = now.map(|key| Whose::Key(key.public_id.clone()));
        let shown: Vec<Whose> = request.signature.values.into_iter().map(|made| made.by).collect();
        assert_eq!(shown, now.into_iter().chain([other.clone()]).collect::<Vec<_>>(), "and no others");
    }
    let by = Principal::Operator;
    rig.call(async |engine, view| engine.delete_webhook(&view, &webhook, &by).await).expect("it is deleted");
    assert_eq!(sent(&mut rig).signature.signed_by(), SignedBy::Known(&other));
    rig.call(async |engine, view| engine.delete_signing_key(&view, &first.public_id, &by).await)
        .expect("it is there");
    assert_eq!(sent(&mut rig).signature.signed_by(), SignedBy::NoneHere);
}

#[test]
fn what_was_not_signed_is_not_said_to_be_signed_by_a_secret_that_is_gone() {
    let mut rig = Rig::with_shared_keys(Arc::new(MemoryStore::new()), 1);
    rig.receiver.status.set(Some(204));
    let key = new_key(&mut rig);
    let webhook = rig.webhook();
    rig.publish(1);
    for now in [None, Some(&key)] {
        refer(&mut rig, &webhook, now);
        let request = sent(&mut rig);
        assert_eq!((request.signature.signed_by(), request.is_body_proven()), (SignedBy::Nobody, false));
    }
}
