//! Sealed values: found page by page, and replaced only where nothing else has come between.

use signalpost_core::basic_auth::{Login, PASSWORD_FIELD};
use signalpost_core::custom_header::{CustomHeader, HEADER_FIELD};
use signalpost_core::principal::Principal;
use signalpost_core::rotation::PreviousSecret;
use signalpost_core::seal::KEY_CHECK_PLACE;
use signalpost_core::secret::SealedSecret;
use signalpost_core::webhook::{SECRET_FIELD, Webhook};

use super::Harness;
use super::kit::Kit;
use crate::Effect;
use crate::catalog::DeleteWebhook;
use crate::testing::sample;
use crate::vault::{Resealed, Sealed, SealedKey, SealedPage};

fn value(text: &str) -> SealedSecret {
    SealedSecret::from_bytes(text.as_bytes().to_vec())
}

async fn all(kit: &Kit) -> Vec<Sealed> {
    kit.sealed_page(SealedPage { after: None, limit: 1_000 }).await.expect("it reads")
}

pub async fn the_key_check_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    assert_eq!(kit.key_check().await.expect("it reads"), None);
    for text in ["first", "second"] {
        kit.set_key_check(value(text)).await.expect("it is kept");
        assert_eq!(kit.key_check().await.expect("it reads"), Some(value(text)));
    }
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.key_check().await.expect("it reads"), Some(value("second")));
    let sealed = Sealed { key: SealedKey::KeyCheck, place: KEY_CHECK_PLACE, value: value("second") };
    assert_eq!(all(&kit).await, [sealed]);
}

pub async fn every_sealed_value_is_found_page_by_page(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhooks) = kit.tenant::<3>().await;
    kit.set_key_check(value("check")).await.expect("it is kept");
    let by = Principal::Operator;
    let deleted = DeleteWebhook { workspace, webhook: webhooks[1], at: sample::at(5), by };
    kit.delete_webhook(deleted).await.expect("a webhook goes, and its secret");
    let key = sample::signing_key(workspace, 21);
    kit.create_signing_key(key.clone()).await.expect("a new signing key");
    let calls = [sample::once(None, 9, 1, 6), sample::once(Some(workspace), 3, 1, 6)];
    for (n, once) in (2..).zip(calls) {
        let effect = Effect::CreateWorkspace(sample::workspace(n));
        kit.do_once(effect, once, value("answer")).await.expect("it is done");
    }
    let expected = [
        SealedKey::KeyCheck,
        SealedKey::Webhook(webhooks[0]),
        SealedKey::Webhook(webhooks[2]),
        SealedKey::SigningKey(key.id),
        SealedKey::Answer(calls[0].answer_key()),
        SealedKey::Answer(calls[1].answer_key()),
    ];
    let found = all(&kit).await;
    assert_eq!(found.iter().map(|sealed| sealed.key).collect::<Vec<_>>(), expected);
    let secret = &found[1];
    let place = (secret.place.workspace, secret.place.object, secret.place.field);
    assert_eq!(place, (workspace.raw(), webhooks[0].raw(), SECRET_FIELD));
    assert_eq!(Some(&secret.value), sample::webhook(workspace, 11).secret.as_ref());
    let mut after = None;
    let mut paged = Vec::new();
    loop {
        let page = kit.sealed_page(SealedPage { after, limit: 1 }).await.expect("it reads");
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        paged.extend(page);
    }
    assert_eq!(paged, found);
}

pub async fn all_that_a_webhook_keeps_sealed_is_found_and_replaced(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [first, last]) = kit.tenant().await;
    let full = Webhook {
        login: Login { user: Some("u".to_owned()), password: Some(value("password")) },
        headers: vec![CustomHeader { name: "x-a".to_owned(), value: value("header") }],
        previous_secrets: vec![PreviousSecret { sealed: value("previous"), expires_at: sample::at(99) }],
        ..sample::webhook(workspace, 13)
    };
    let key = SealedKey::Webhook(kit.add(full.clone()).await);
    let page = kit.sealed_page(SealedPage { after: Some(SealedKey::Webhook(last)), limit: 1 }).await;
    let page = page.expect("it reads");
    let shown = page.iter().map(|sealed| (sealed.key, sealed.place.field, sealed.value.clone()));
    let expected = [
        (key, SECRET_FIELD, sample::sealed(13)),
        (key, SECRET_FIELD, value("previous")),
        (key, PASSWORD_FIELD, value("password")),
        (key, HEADER_FIELD, value("header")),
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected, "values of one webhook stay together");
    let anew = |old: &str, new: &str| Resealed { key, old: value(old), new: value(new) };
    let resealed = ["header", "password", "previous"].map(|old| anew(old, &format!("{old} 2")));
    let resealed = resealed.into_iter().chain([anew("none", "lost")]).collect();
    assert_eq!(kit.reseal(resealed).await.expect("it writes"), 3);
    let mut expected = full;
    expected.headers[0].value = value("header 2");
    expected.login.password = Some(value("password 2"));
    expected.previous_secrets[0].sealed = value("previous 2");
    assert_eq!(kit.lane_of(expected.id).await.webhook, expected);
    assert_eq!(kit.lane_of(first).await.webhook, sample::webhook(workspace, 11));
}

pub async fn a_value_is_replaced_only_where_the_old_one_stands(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    kit.set_key_check(value("check")).await.expect("it is kept");
    let old = sample::webhook(workspace, 11).secret.expect("samples have one");
    let once = sample::once(None, 9, 1, 6);
    let effect = Effect::CreateWorkspace(sample::workspace(2));
    kit.do_once(effect, once, value("answer")).await.expect("it is done");
    let answer = SealedKey::Answer(once.answer_key());
    let resealed = vec![
        Resealed { key: SealedKey::KeyCheck, old: value("check"), new: value("checked") },
        Resealed { key: SealedKey::Webhook(webhook), old, new: value("new") },
        Resealed { key: SealedKey::Webhook(other), old: value("not this one"), new: value("lost") },
        Resealed { key: answer, old: value("answer"), new: value("answered") },
    ];
    assert_eq!(kit.reseal(resealed.clone()).await.expect("it writes"), 3);
    assert_eq!(kit.reseal(resealed).await.expect("it writes"), 0, "none of the old ones stands any more");
    assert_eq!(kit.key_check().await.expect("it reads"), Some(value("checked")));
    let secret = async |id| kit.lane(id).await.expect("it reads").expect("it lives").webhook.secret;
    assert_eq!(kit.done_before(once).await.expect("it reads"), Some(value("answered")));
    assert_eq!(secret(webhook).await, Some(value("new")));
    assert_eq!(secret(other).await, sample::webhook(workspace, 12).secret);
}
