//! Workspaces, webhooks and credentials of a sequence.

use std::time::Duration;

use signalpost_core::basic_auth::{AUTHORIZATION, LoginChange};
use signalpost_core::ceilings::{CeilingsChange, MaxInFlight};
use signalpost_core::credential::CredentialHash;
use signalpost_core::custom_header::HeadersChange;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::metadata::MetadataChange;
use signalpost_core::order::{OrderChange, OrderRule};
use signalpost_core::pace::Rate;
use signalpost_core::policy::{PolicyChange, RetrySchedule};
use signalpost_core::principal::Principal;
use signalpost_core::profile::FeedRule;
use signalpost_core::retention::RetentionDefault;
use signalpost_core::rotation::SecretsChange;
use signalpost_core::secret::SealedSecret;
use signalpost_core::webhook::{EventSelection, Webhook};
use signalpost_core::workspace::Workspace;

use super::{Compared, ledger, operator_keys, signing_keys, users};
use crate::catalog::{CreateWebhook, DeleteWebhook, EraseWorkspace, Switch, UpdateWebhook, UpdateWorkspace};
use crate::testing::differential::change::{Change, Headers, WebhookKind};
use crate::testing::differential::operation::{Call, Caller, CatalogOperation, Choice, DIALECTS, IdOrder};
use crate::testing::differential::pair::Pair;
use crate::testing::differential::world::{World, choose};
use crate::testing::sample;
use crate::{Answer, Done, Effect};

pub(super) async fn apply(operation: &CatalogOperation, pair: &Pair<'_>, world: &mut World) -> Compared {
    use CatalogOperation as Op;
    match *operation {
        Op::CreateWorkspace { name } => create_workspace(name, pair, world).await,
        Op::UpdateWorkspace { workspace, name, features, kept_s } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let name = name.map(|name| format!("name {name}"));
            let features = features.map(|count| (0..count).map(|n| format!("feature {n}")).collect());
            let age = kept_s.map(|age_s| age_s.map(Duration::from_secs));
            let policy = PolicyChange { event_age_max: age, ..PolicyChange::default() };
            let params = UpdateWorkspace { workspace, name, features, policy };
            pair.both(|store| store.update_workspace(params.clone())).await.map(drop)
        }
        Op::CloseWorkspace { workspace, version } => ledger::close(workspace, version, pair, world).await,
        Op::EraseWorkspace { workspace } => erase_workspace(workspace, pair, world).await,
        Op::NextNumber { counter } => pair.both(|store| store.next_number(counter)).await.map(drop),
        Op::CreateWebhook { workspace, name, kind, at_most } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let webhook = webhook(workspace, name, kind, world);
            create_webhook(CreateWebhook { webhook, webhooks_max: at_most }, pair, world).await
        }
        Op::UpdateWebhook { webhook, caller, change } => {
            update_webhook(webhook, caller, change, pair, world).await
        }
        Op::DeleteWebhook { webhook, caller } => {
            let Some((owner, webhook)) = choose(&world.webhooks, webhook) else { return Ok(()) };
            let (workspace, at) = (world.caller(owner, caller), world.now());
            let by = Principal::user(&webhook.raw().to_string(), "Somebody (else)");
            let params = DeleteWebhook { workspace, webhook, at, by };
            pair.both(|store| store.delete_webhook(params.clone())).await.map(drop)
        }
        Op::CreateSigningKey { workspace, name } => signing_keys::create(workspace, name, pair, world).await,
        Op::DeleteSigningKey { key, caller } => signing_keys::delete(key, caller, pair, world).await,
        Op::CreateCredential { workspace, hash } => create_credential(workspace, hash, pair, world).await,
        Op::RevokeCredential { credential, caller } => {
            let Some((owner, credential)) = choose(&world.credentials, credential) else { return Ok(()) };
            let workspace = world.caller(owner, caller);
            pair.both(|store| store.revoke_credential(workspace, credential)).await.map(drop)
        }
        Op::User(operation) => users::apply(operation, pair, world).await,
        Op::CreateOperatorKey { workspace, hash } => {
            operator_keys::create(workspace, hash, pair, world).await
        }
        Op::RotateOperatorKey { key, hash } => operator_keys::rotate(key, hash, pair, world).await,
        Op::RevokeOperatorKey { key } => operator_keys::revoke(key, pair, world).await,
        Op::CreateWebhookOnce { workspace, name, call } => {
            create_webhook_once(workspace, name, call, pair, world).await
        }
    }
}

/// Some are called by a number, which no counter may give out then.
async fn create_workspace(name: u8, pair: &Pair<'_>, world: &mut World) -> Compared {
    let workspace = Workspace {
        public_id: if name < 4 { format!("ws-{name}") } else { (name - 2).to_string() },
        dialect: DIALECTS[usize::from(name) % DIALECTS.len()].to_owned(),
        feed: if name.is_multiple_of(3) { FeedRule::Absent } else { FeedRule::Kept },
        retention: if name < 4 { RetentionDefault::Server } else { RetentionDefault::ForEver },
        created_at: world.now(),
        ..sample::workspace(world.mint(IdOrder::Next))
    };
    if pair.both(|store| store.create_workspace(workspace.clone())).await?.is_ok() {
        world.workspaces.push(workspace.id);
    }
    pair.both(|store| store.workspace_by_public_id(workspace.public_id.clone())).await.map(drop)
}

/// In which order the ended webhooks are told is a store's own business.
async fn erase_workspace(workspace: Choice, pair: &Pair<'_>, world: &mut World) -> Compared {
    let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
    let params = EraseWorkspace { workspace, at: world.now() };
    let ended = pair.both(|store| {
        let answer = store.erase_workspace(params);
        let sorted: Answer<Vec<WebhookId>> = Box::pin(async {
            let mut webhooks = answer.await?;
            webhooks.sort();
            Ok(webhooks)
        });
        sorted
    });
    ended.await.map(drop)
}

fn webhook(workspace: WorkspaceId, name: u8, kind: WebhookKind, world: &mut World) -> Webhook {
    let now = world.now();
    Webhook {
        public_id: format!("wh-{name}"),
        events: selection(kind),
        subject: kind.subject.map(|n| format!("subject {n}")),
        filter: kind.filter.map(filter),
        order: kind.order,
        created_at: now,
        updated_at: now,
        ..sample::webhook(workspace, world.mint(IdOrder::Next))
    }
}

fn filter(n: u8) -> String {
    format!("data.n > {n}")
}

async fn create_webhook(params: CreateWebhook, pair: &Pair<'_>, world: &mut World) -> Compared {
    let Webhook { id, workspace, public_id, .. } = params.webhook.clone();
    if pair.both(|store| store.create_webhook(params.clone())).await?.is_ok() {
        world.webhooks.push((workspace, id));
    }
    pair.both(|store| store.webhook(workspace, public_id.clone())).await.map(drop)
}

async fn create_webhook_once(
    workspace: Choice,
    name: u8,
    call: Call,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
    let webhook =
        Webhook { public_id: format!("wh-{name}"), ..sample::webhook(workspace, world.mint(IdOrder::Next)) };
    let once = world.once(workspace, call);
    let answer = SealedSecret::from_bytes(webhook.id.raw().to_be_bytes().to_vec());
    let effect = Effect::CreateWebhook(Box::new(webhook.clone().into()));
    let done = pair.both(|store| store.do_once(effect.clone(), once, answer.clone())).await?;
    if done == Ok(Done::Now(())) {
        world.webhooks.push((workspace, webhook.id));
    }
    pair.both(|store| store.done_before(once)).await.map(drop)
}

async fn update_webhook(
    webhook: Choice,
    caller: Caller,
    change: Change,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let Some((owner, webhook)) = choose(&world.webhooks, webhook) else { return Ok(()) };
    let workspace = world.caller(owner, caller);
    let nothing = UpdateWebhook::nothing(workspace, webhook, world.now());
    let params = match change {
        Change::SigningKey(key) => {
            let key = key.and_then(|key| choose(&world.signing_keys, key)).map(|(_, key)| key);
            UpdateWebhook { signing_key: Some(key), ..nothing }
        }
        change => update(change, nothing),
    };
    pair.both(|store| store.update_webhook(params.clone())).await.map(drop)
}

fn update(change: Change, nothing: UpdateWebhook) -> UpdateWebhook {
    match change {
        Change::Nothing => nothing,
        Change::Name(name) => UpdateWebhook { name: Some(Some(format!("name {name}"))), ..nothing },
        Change::NoName => UpdateWebhook { name: Some(None), ..nothing },
        Change::Kind(kind) => UpdateWebhook {
            events: Some(selection(kind)),
            subject: Some(kind.subject.map(|n| format!("subject {n}"))),
            filter: Some(kind.filter.map(filter)),
            order: whole(kind.order),
            ..nothing
        },
        Change::Patience { retry, timeout } => UpdateWebhook {
            retry: Some(retry.map(|s| RetrySchedule::from_seconds(&[u64::from(s)]).expect("short"))),
            timeout: Some(timeout.map(|s| Duration::from_secs(u64::from(s)))),
            ..nothing
        },
        Change::Ceilings { in_flight, rate } => {
            let bounded = |n: u8| u32::from(n) + 1;
            let in_flight =
                in_flight.map(|n| n.map(|n| MaxInFlight::new(bounded(n)).expect("within its bounds")));
            let rate = rate.map(|n| n.map(|n| Rate::per_second(bounded(n)).expect("within its bounds")));
            UpdateWebhook { ceilings: CeilingsChange { in_flight, rate }, ..nothing }
        }
        Change::Order(rule) => UpdateWebhook { order: whole(rule), ..nothing },
        Change::Login { user, password } => {
            let user = user.map(|user| user.map(|n| format!("user {n}")));
            let password = password.map(|password| password.map(|n| sample::sealed(i64::from(n))));
            UpdateWebhook { login: LoginChange { user, password }, ..nothing }
        }
        Change::Metadata(entry) => UpdateWebhook { metadata: Some(metadata_change(entry)), ..nothing },
        // It depends on what there is.
        Change::SigningKey(_) => nothing,
        Change::Headers(headers) => UpdateWebhook { headers: Some(headers_change(headers)), ..nothing },
        Change::Rotate { secret, keep_ms } => {
            let keep_until = keep_ms.map(|ms| nothing.at.plus_ms(ms));
            let secret = sample::sealed(i64::from(secret));
            UpdateWebhook { secrets: Some(SecretsChange::Rotate { secret, keep_until }), ..nothing }
        }
        Change::RevokeSecrets => UpdateWebhook { secrets: Some(SecretsChange::RevokePrevious), ..nothing },
        Change::Enable => UpdateWebhook { switch: Some(Switch::Enable), ..nothing },
        Change::Release(order) => UpdateWebhook { release: Some(order), ..nothing },
        Change::Disable(reason) => UpdateWebhook { switch: Some(Switch::Disable(reason)), ..nothing },
    }
}

fn whole(rule: OrderRule) -> OrderChange {
    OrderChange { by_key: Some(rule.by_key), on_exhausted: Some(rule.on_exhausted) }
}

fn headers_change(headers: Headers) -> HeadersChange<SealedSecret> {
    match headers {
        Headers::Set { name, value } => {
            HeadersChange::Merge(vec![(format!("x-{name}"), Some(sample::sealed(i64::from(value))))])
        }
        Headers::Remove { name } => HeadersChange::Merge(vec![(format!("x-{name}"), None)]),
        Headers::SetAuthorization { value } => {
            HeadersChange::Merge(vec![(AUTHORIZATION.to_owned(), Some(sample::sealed(i64::from(value))))])
        }
        Headers::Clear => HeadersChange::Clear,
    }
}

fn metadata_change(entry: Option<(u8, Option<u8>)>) -> MetadataChange {
    let Some((name, value)) = entry else { return MetadataChange::Clear };
    MetadataChange::Merge(vec![(format!("name {name}"), value.map(|n| format!("value {n}")))])
}

async fn create_credential(workspace: Choice, hash: u8, pair: &Pair<'_>, world: &mut World) -> Compared {
    let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
    let hash = CredentialHash::of(&[hash]);
    let credential = sample::credential(workspace, world.mint(IdOrder::Next));
    if pair.both(|store| store.create_credential(credential.clone(), hash)).await?.is_ok() {
        world.credentials.push((workspace, credential.id));
    }
    pair.both(|store| store.credential_by_hash(hash)).await.map(drop)
}

fn selection(kind: WebhookKind) -> EventSelection {
    kind.only_type.map_or(EventSelection::All, |n| EventSelection::Only(vec![format!("type.{n}")]))
}
