//! What a webhook keeps sealed: secrets that replace one another and expire, a login, headers that are merged; and metadata,
//! which is merged as those are.

use signalpost_core::basic_auth::{AUTHORIZATION, Login, LoginChange};
use signalpost_core::custom_header::{CustomHeader, HeadersChange};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::{
    WEBHOOK_HEADERS_MAX, WEBHOOK_METADATA_ENTRIES_MAX, WEBHOOK_PREVIOUS_SECRETS_MAX,
};
use signalpost_core::metadata::MetadataChange;
use signalpost_core::rotation::{PreviousSecret, SecretsChange};
use signalpost_core::secret::SealedSecret;
use signalpost_core::webhook::Webhook;

use super::Harness;
use super::kit::{Kit, refusal, update};
use crate::StoreError;
use crate::catalog::UpdateWebhook;
use crate::testing::refusal::Refusal;
use crate::testing::sample;

/// A rotation to the secret `n`, with the one before it kept until then.
fn rotation(n: i64, keep_until_ms: Option<i64>) -> Option<SecretsChange> {
    Some(SecretsChange::Rotate { secret: sample::sealed(n), keep_until: keep_until_ms.map(sample::at) })
}

async fn rotate(
    kit: &Kit,
    (workspace, webhook): (WorkspaceId, WebhookId),
    (n, keep_until_ms): (i64, Option<i64>),
    at_ms: i64,
) -> Result<Webhook, StoreError> {
    let secrets = rotation(n, keep_until_ms);
    kit.update_webhook(UpdateWebhook { secrets, ..update(workspace, webhook, at_ms) }).await
}

fn previous(secrets: &[(i64, i64)]) -> Vec<PreviousSecret> {
    let one = |(n, expires_ms): &(i64, i64)| PreviousSecret {
        sealed: sample::sealed(*n),
        expires_at: sample::at(*expires_ms),
    };
    secrets.iter().map(one).collect()
}

pub async fn a_rotation_keeps_the_replaced_secret_until_it_expires(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    let lane = (workspace, id);
    let version = kit.version(workspace).await;
    let steps = [
        (21, Some(100), 50, previous(&[(11, 100)])),
        (22, Some(80), 51, previous(&[(21, 80), (11, 100)])),
        (23, None, 52, previous(&[(21, 80), (11, 100)])),
        (24, Some(90), 80, previous(&[(23, 90), (11, 100)])),
    ];
    for (n, keep_until_ms, at_ms, previous_secrets) in steps {
        let rotated = rotate(&kit, lane, (n, keep_until_ms), at_ms).await.expect("it is rotated");
        let expected = Webhook {
            secret: Some(sample::sealed(n)),
            previous_secrets,
            updated_at: sample::at(at_ms),
            ..sample::webhook(workspace, 11)
        };
        assert_eq!(rotated, expected);
        assert_eq!(kit.lane_of(id).await.webhook, expected, "a lane learns of it");
    }
    assert!(kit.version(workspace).await > version, "a change as any other");
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.lane_of(id).await.webhook.previous_secrets, previous(&[(23, 90), (11, 100)]));
}

pub async fn too_many_previous_secrets_are_refused(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    let lane = (workspace, id);
    let full = i64::try_from(WEBHOOK_PREVIOUS_SECRETS_MAX).expect("few");
    for n in 1..=full {
        rotate(&kit, lane, (20 + n, Some(100 + n)), 50).await.expect("it is rotated");
    }
    let before = kit.lane_of(id).await;
    assert_eq!(refusal(rotate(&kit, lane, (30, Some(200)), 60).await), Refusal::WrongState);
    assert_eq!(kit.lane_of(id).await, before, "a refusal changes nothing");
    rotate(&kit, lane, (30, None), 60).await.expect("nothing is added");
    rotate(&kit, lane, (31, Some(200)), 101).await.expect("one has expired");
}

pub async fn previous_secrets_are_revoked_at_once(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id, other]) = kit.tenant().await;
    for webhook in [id, other] {
        rotate(&kit, (workspace, webhook), (21, Some(100)), 50).await.expect("it is rotated");
    }
    let secrets = Some(SecretsChange::RevokePrevious);
    let revoked = kit.update_webhook(UpdateWebhook { secrets, ..update(workspace, id, 51) }).await;
    let revoked = revoked.expect("it exists");
    assert_eq!((revoked.secret, revoked.previous_secrets), (Some(sample::sealed(21)), Vec::new()));
    assert_eq!(kit.lane_of(id).await.webhook.previous_secrets, []);
    assert_eq!(kit.lane_of(other).await.webhook.previous_secrets, previous(&[(12, 100)]), "its own");
}

pub async fn expired_secrets_are_wiped_by_upkeep_and_by_any_change(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id, other, third]) = kit.tenant().await;
    rotate(&kit, (workspace, id), (21, Some(200)), 50).await.expect("it is rotated");
    rotate(&kit, (workspace, id), (22, Some(100)), 50).await.expect("it is rotated");
    for webhook in [other, third] {
        rotate(&kit, (workspace, webhook), (23, Some(90)), 50).await.expect("it is rotated");
    }
    let version = kit.version(workspace).await;
    kit.tidy_up(99).await;
    assert_eq!(kit.lane_of(id).await.webhook.previous_secrets, previous(&[(21, 100), (11, 200)]));
    assert_eq!(kit.lane_of(other).await.webhook.previous_secrets, []);
    kit.tidy_up(100).await;
    let after = kit.lane_of(id).await.webhook;
    assert_eq!(after.previous_secrets, previous(&[(11, 200)]));
    assert_eq!(after.updated_at, sample::at(50), "nobody has changed it");
    assert_eq!(kit.version(workspace).await, version, "it gets the same events");
    let changed = kit.update_webhook(update(workspace, id, 200)).await.expect("it exists");
    assert_eq!(changed.previous_secrets, []);
}

pub async fn headers_are_merged_where_they_are_stored(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    let header = |name: &str, n: i64| CustomHeader { name: name.to_owned(), value: sample::sealed(n) };
    let merge = |changes: &[(&str, Option<i64>)]| {
        let one = |(name, n): &(&str, Option<i64>)| ((*name).to_owned(), n.map(sample::sealed));
        HeadersChange::Merge(changes.iter().map(one).collect())
    };
    let steps = [
        (merge(&[("x-b", Some(1)), ("x-a", Some(2))]), vec![header("x-a", 2), header("x-b", 1)]),
        (merge(&[("x-c", Some(3)), ("x-a", None)]), vec![header("x-b", 1), header("x-c", 3)]),
        (merge(&[("x-c", Some(4))]), vec![header("x-b", 1), header("x-c", 4)]),
        (merge(&[]), vec![header("x-b", 1), header("x-c", 4)]),
        (HeadersChange::Clear, Vec::new()),
    ];
    for (change, expected) in steps {
        let params = UpdateWebhook { headers: Some(change), ..update(workspace, id, 51) };
        assert_eq!(kit.update_webhook(params).await.expect("it exists").headers, expected);
        assert_eq!(kit.lane_of(id).await.webhook.headers, expected);
    }
    let names: Vec<String> = (0..=WEBHOOK_HEADERS_MAX).map(|n| format!("x-{n}")).collect();
    let too_many: Vec<_> = names.iter().map(|name| (name.as_str(), Some(1))).collect();
    let params = UpdateWebhook { headers: Some(merge(&too_many)), ..update(workspace, id, 52) };
    assert_eq!(refusal(kit.update_webhook(params).await), Refusal::WrongState);
    assert_eq!(
        kit.lane_of(id).await.webhook,
        Webhook { updated_at: sample::at(51), ..sample::webhook(workspace, 11) }
    );
}

/// A change of a login to parts of these numbers; an inner `None` takes a part away.
fn login(user: Option<Option<i64>>, password: Option<Option<i64>>) -> LoginChange<SealedSecret> {
    let user = user.map(|user| user.map(|n| format!("user {n}")));
    LoginChange { user, password: password.map(|password| password.map(sample::sealed)) }
}

pub async fn a_login_changes_part_by_part(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    let whole = |user: Option<i64>, password: Option<i64>| Login {
        user: user.map(|n| format!("user {n}")),
        password: password.map(sample::sealed),
    };
    let steps = [
        (login(Some(Some(1)), None), whole(Some(1), None)),
        (login(None, Some(Some(2))), whole(Some(1), Some(2))),
        (login(None, None), whole(Some(1), Some(2))),
        (login(Some(Some(3)), Some(Some(4))), whole(Some(3), Some(4))),
        (login(Some(None), None), whole(None, Some(4))),
        (LoginChange::clear(), Login::none()),
    ];
    for (change, expected) in steps {
        let params = UpdateWebhook { login: change, ..update(workspace, id, 51) };
        assert_eq!(kit.update_webhook(params).await.expect("it exists").login, expected);
        assert_eq!(kit.lane_of(id).await.webhook.login, expected);
    }
}

pub async fn a_login_and_a_header_exclude_one_another_where_they_are_stored(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    let header = |n: Option<i64>| {
        let change = HeadersChange::Merge(vec![(AUTHORIZATION.to_owned(), n.map(sample::sealed))]);
        UpdateWebhook { headers: Some(change), ..update(workspace, id, 51) }
    };
    let login = |user, password| UpdateWebhook { login: login(user, password), ..update(workspace, id, 51) };
    kit.update_webhook(header(Some(1))).await.expect("it stands alone");
    kit.update_webhook(login(Some(Some(1)), None)).await.expect("a part is no authorization");
    let before = kit.lane_of(id).await;
    let refused = kit.update_webhook(login(None, Some(Some(2)))).await;
    assert_eq!(refusal(refused), Refusal::WrongState);
    assert_eq!(kit.lane_of(id).await, before, "a refusal changes nothing");
    let swapped = UpdateWebhook { headers: header(None).headers, ..login(None, Some(Some(2))) };
    kit.update_webhook(swapped).await.expect("one goes and the other comes");
    assert_eq!(refusal(kit.update_webhook(header(Some(1))).await), Refusal::WrongState);
}

pub async fn metadata_is_merged_where_it_is_stored(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    let text = |text: &str| text.to_owned();
    let merge = |changes: &[(&str, Option<&str>)]| {
        let one = |(name, value): &(&str, Option<&str>)| (text(name), value.map(str::to_owned));
        MetadataChange::Merge(changes.iter().map(one).collect())
    };
    let steps = [
        (merge(&[("b", Some("1")), ("a", Some("2"))]), vec![("a", "2"), ("b", "1")]),
        (merge(&[("c", Some("3")), ("a", None)]), vec![("b", "1"), ("c", "3")]),
        (merge(&[]), vec![("b", "1"), ("c", "3")]),
        (MetadataChange::Clear, Vec::new()),
    ];
    for (change, expected) in steps {
        let params = UpdateWebhook { metadata: Some(change), ..update(workspace, id, 51) };
        let expected: Vec<_> = expected.into_iter().map(|(name, value)| (text(name), text(value))).collect();
        assert_eq!(kit.update_webhook(params).await.expect("it exists").metadata, expected);
        assert_eq!(kit.lane_of(id).await.webhook.metadata, expected);
    }
    let names: Vec<String> = (0..=WEBHOOK_METADATA_ENTRIES_MAX).map(|n| format!("n{n}")).collect();
    let too_much: Vec<_> = names.iter().map(|name| (name.as_str(), Some("x"))).collect();
    let params = UpdateWebhook { metadata: Some(merge(&too_much)), ..update(workspace, id, 52) };
    assert_eq!(refusal(kit.update_webhook(params).await), Refusal::WrongState);
    assert_eq!(kit.lane_of(id).await.webhook.metadata, []);
}
