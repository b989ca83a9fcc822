//! Keys of a workspace that sign for all webhooks that refer to them, and what is signed once one is gone.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::hex;
use signalpost_core::ports::Clock;
use signalpost_core::principal::Principal;
use signalpost_core::profile::PauseRule;
use signalpost_core::secret::Secret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::Webhook;
use signalpost_engine::secrets::Rotation;
use signalpost_engine::webhooks::{NewWebhook, WebhookChange};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::faulty::{Fault, FaultyStore, Lasting, fail_nth_of};
use signalpost_store::testing::memory::MemoryStore;
use signalpost_store::vault::{Resealed, SealedKey};
use signalpost_store::{Store, Vault};

use crate::rig::{Rig, delivered, new_workspace, pending};

const SIGNATURE: &str = "x-signature";
/// What every delivery of the rig says.
const BODY: &[u8] = b"x";

fn rig(cores: usize) -> Rig {
    Rig::with_shared_keys(Arc::new(MemoryStore::new()), cores)
}

/// A new key, and what a delivery that it signs carries.
fn new_key(rig: &mut Rig) -> (SigningKey, Option<String>) {
    let key = rig.call(async |engine, view| engine.create_signing_key(&view).await).expect("a new key");
    let secret = rig.engine.reveal_signing_key(&key).expect("it opens");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).expect("any length");
    mac.update(BODY);
    (key, Some(hex::encode(&mac.finalize().into_bytes())))
}

fn webhook_with(key: Option<&str>) -> NewWebhook {
    let url = TargetUrl::parse("https://example.com/").expect("a good URL");
    NewWebhook { signing_key: key.map(str::to_owned), ..NewWebhook::to(url) }
}

fn try_to_make(rig: &mut Rig, new: NewWebhook) -> Result<Webhook, Error> {
    let made = rig.call(async |engine, view| engine.create_webhook(&view, new, None).await)?;
    let issued = made.now().expect("not a repetition");
    assert!(issued.secret.is_none(), "it has none of its own");
    Ok(issued.webhook)
}

/// A webhook for everything, by its public id.
fn signed_by(rig: &mut Rig, key: Option<&SigningKey>) -> String {
    let new = webhook_with(key.map(|key| key.public_id.as_str()));
    try_to_make(rig, new).expect("a webhook").public_id
}

fn refer(rig: &mut Rig, webhook: &str, key: Option<&str>) -> Result<Webhook, Error> {
    let change = WebhookChange { signing_key: Some(key.map(str::to_owned)), ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, webhook, change).await)
}

fn delete(rig: &mut Rig, key: &SigningKey) -> Result<SigningKey, Error> {
    let by = Principal::Operator;
    rig.call(async |engine, view| engine.delete_signing_key(&view, &key.public_id, &by).await)
}

fn sorted(mut signatures: Vec<Option<String>>) -> Vec<Option<String>> {
    signatures.sort();
    signatures
}

#[test]
fn a_key_signs_for_every_webhook_that_refers_to_it() {
    let mut rig = rig(3);
    rig.receiver.status.set(Some(204));
    let ((first, by_first), (second, by_second)) = (new_key(&mut rig), new_key(&mut rig));
    assert_eq!((first.public_id.as_str(), second.public_id.as_str()), ("1", "2"));
    assert_ne!(by_first, by_second);
    let webhooks = [&first, &first, &second].map(|key| signed_by(&mut rig, Some(key)));
    let unsigned = signed_by(&mut rig, None);
    assert_eq!(rig.publish(1), 4);
    let expected = vec![None, by_first.clone(), by_first.clone(), by_second.clone()];
    assert_eq!(sorted(rig.receiver.take(SIGNATURE)), sorted(expected));

    refer(&mut rig, &unsigned, Some(&second.public_id)).expect("it lives");
    refer(&mut rig, &webhooks[0], None).expect("it is set free");
    rig.publish(1);
    let expected = vec![None, by_first, by_second.clone(), by_second.clone()];
    assert_eq!(sorted(rig.receiver.take(SIGNATURE)), sorted(expected));

    let deleted = delete(&mut rig, &first).expect("it exists");
    assert_eq!(deleted, SigningKey { updated_at: rig.clock.now(), ..first });
    assert_eq!(rig.look(&webhooks[1]).signing_key, None);
    rig.publish(1);
    let expected = vec![None, None, by_second.clone(), by_second.clone()];
    assert_eq!(sorted(rig.receiver.take(SIGNATURE)), sorted(expected), "they go on, unsigned");
    refer(&mut rig, &webhooks[1], Some(&second.public_id)).expect("it lives");
    rig.publish(1);
    let expected = vec![None, by_second.clone(), by_second.clone(), by_second];
    assert_eq!(sorted(rig.receiver.take(SIGNATURE)), sorted(expected));
}

/// On several cores, with retries and with more than may be in flight.
#[test]
fn nothing_starts_under_a_key_that_was_deleted() {
    const EVENTS: usize = 50;
    let mut rig = rig(4);
    let (key, signature) = new_key(&mut rig);
    for _ in 0..8 {
        signed_by(&mut rig, Some(&key));
    }
    rig.publish(EVENTS);
    let in_flight = rig.receiver.in_flight();
    assert!((8..8 * EVENTS).contains(&in_flight), "some wait in memory");
    assert_eq!(rig.receiver.take(SIGNATURE), vec![signature; in_flight]);
    delete(&mut rig, &key).expect("it exists");
    for place in 0..in_flight {
        rig.receiver.answer(if place % 2 == 0 { 204 } else { 500 });
    }
    rig.receiver.status.set(Some(204));
    rig.settle();
    rig.advance_s(15);
    assert_eq!((rig.count(pending), rig.count(delivered)), (0, 8 * EVENTS));
    let unsigned = rig.receiver.take(SIGNATURE);
    assert_eq!(unsigned, vec![None; 8 * EVENTS - in_flight / 2], "what was in flight ended, and no more");
}

/// The caller is told that it failed, and the key is gone: lanes must not go by what the caller was told.
#[test]
fn a_key_is_out_of_use_also_when_the_answer_was_lost() {
    let plan = fail_nth_of("delete_signing_key", 1, Lasting::Transient, Fault::After);
    let mut rig = Rig::with_shared_keys(Arc::new(FaultyStore::new(MemoryStore::new(), plan)), 2);
    rig.receiver.status.set(Some(204));
    let (key, signature) = new_key(&mut rig);
    signed_by(&mut rig, Some(&key));
    rig.publish(1);
    assert_eq!(rig.receiver.take(SIGNATURE), [signature]);
    let lost = delete(&mut rig, &key).expect_err("the answer was lost");
    assert_eq!(lost.code, ErrorCode::Unavailable);
    rig.publish(1);
    assert_eq!(rig.receiver.take(SIGNATURE), [None]);
    assert_eq!(delete(&mut rig, &key).expect_err("it is gone").code, ErrorCode::NotFound);
}

#[test]
fn what_cannot_be_referred_to_is_refused_each_in_its_way() {
    let mut rig = rig(1);
    let (key, _) = new_key(&mut rig);
    let (deleted, _) = new_key(&mut rig);
    delete(&mut rig, &deleted).expect("it exists");
    let stranger = new_workspace(&rig.engine);
    let view = block_on(rig.engine.workspace(&stranger)).expect("it exists");
    let strange = block_on(rig.engine.create_signing_key(&view)).expect("a new key");
    let webhook = signed_by(&mut rig, Some(&key));
    for (bad, code) in [
        (strange.public_id.as_str(), ErrorCode::Invalid),
        (&deleted.public_id, ErrorCode::NotFound),
        ("999", ErrorCode::NotFound),
        ("", ErrorCode::NotFound),
    ] {
        let refused = refer(&mut rig, &webhook, Some(bad)).expect_err(bad);
        assert_eq!(refused.code, code, "{bad}: {refused}");
        let refused = try_to_make(&mut rig, webhook_with(Some(bad))).expect_err(bad);
        assert_eq!(refused.code, code, "{bad}: {refused}");
        assert_eq!(
            refused.fields.iter().any(|field| field.field == "signing_key"),
            code == ErrorCode::Invalid
        );
    }
    let found = rig.engine.signing_key_owner("rig", &strange.public_id);
    assert_eq!(block_on(found).expect("it exists").workspace.public_id, stranger);
    for (dialect, id) in [("rig", &deleted.public_id), ("native", &key.public_id)] {
        let missing = block_on(rig.engine.signing_key_owner(dialect, id)).expect_err("nobody's");
        assert_eq!(missing.code, ErrorCode::NotFound, "{dialect} {id}");
    }
    assert_eq!(rig.look(&webhook).signing_key, Some(key.id), "refusals change nothing");
}

#[test]
fn what_a_dialect_does_not_have_is_refused() {
    let mut shared = rig(1);
    let webhook = signed_by(&mut shared, None);
    let own = NewWebhook { secret: Some(Secret::from_text("s")), ..webhook_with(None) };
    let refused = try_to_make(&mut shared, own).expect_err("it has no secret of its own");
    assert_eq!((refused.code, refused.fields[0].field.as_str()), (ErrorCode::Invalid, "secret"));
    let rotation = Rotation { overlap: std::time::Duration::ZERO, secret: None };
    let refused = shared
        .call(async |engine, view| engine.rotate_secret(&view, &webhook, rotation, None).await)
        .expect_err("it has no secret of its own");
    assert_eq!(refused.code, ErrorCode::Conflict);

    let mut own = Rig::new(PauseRule::Drops, None);
    let refused = own.call(async |engine, view| engine.create_signing_key(&view).await);
    assert_eq!(refused.expect_err("it has no keys").code, ErrorCode::Conflict);
    let webhook = own.webhook();
    let refused = refer(&mut own, &webhook, Some("1")).expect_err("it has a secret of its own");
    assert_eq!((refused.code, refused.fields[0].field.as_str()), (ErrorCode::Invalid, "signing_key"));
    refer(&mut own, &webhook, None).expect("none is what it has");
}

/// The operator's to mend: nothing goes out unsigned meanwhile, and nothing is given up.
#[test]
fn a_key_that_does_not_open_holds_its_webhooks() {
    let store = MemoryStore::new();
    let mut rig = Rig::with_shared_keys(Arc::new(store.clone()) as Arc<dyn Store>, 1);
    rig.receiver.status.set(Some(204));
    let (key, _) = new_key(&mut rig);
    signed_by(&mut rig, Some(&key));
    let resealed = Resealed {
        key: SealedKey::SigningKey(key.id),
        old: key.sealed.clone(),
        new: signalpost_core::secret::SealedSecret::from_bytes(vec![1; 50]),
    };
    assert_eq!(block_on(store.reseal(vec![resealed])).expect("it is damaged"), 1);
    rig.publish(2);
    rig.advance_s(200);
    assert_eq!((rig.receiver.requests(), rig.count(pending)), (0, 2));
    let damaged = rig.call(async |engine, view| engine.signing_key(view.workspace.id, "1").await);
    let refused = rig.engine.reveal_signing_key(&damaged.expect("it lives")).expect_err("it does not open");
    assert_eq!(refused.code, ErrorCode::Unavailable);
}
