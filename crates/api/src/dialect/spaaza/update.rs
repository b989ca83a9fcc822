//! `PUT alter-webhook`: what is passed changes, what is left out stays; what is empty is taken away where that can be.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::basic_auth::LoginChange;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::metadata::MetadataChange;
use signalpost_core::webhook::{EventSelection, Webhook};
use signalpost_engine::View;
use signalpost_engine::sessions::Visitor;
use signalpost_engine::webhooks::{Activity, WebhookChange};

use super::auth::{self, Right};
use super::convert::Chain;
use super::read::{Reader, change};
use super::{Shared, Surface, get, get_signature, profile, wire};
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

const CALL: &str = "alter-webhook";

pub(super) async fn update(
    State(surface): Shared,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Answer {
    let updated = update_found(&surface, &visitor, request).await;
    auth::refused_everywhere(&surface, updated).await
}

async fn update_found(surface: &Surface, visitor: &Visitor, request: Request) -> Answer {
    let (id, chain, change) = read(Reader::of(request, surface).await?)?;
    let view = auth::visit(surface, visitor, &chain, Right::Write).await?;
    get::check_chain(surface, &view, &id).await?;
    // All that the answer needs is read before anything is changed.
    let mut chain = known(surface, &view, &id, &change).await?;
    let webhook = changed(surface, visitor, &view, &id, change).await?;
    if !chain.knows(&webhook) {
        // Somebody else gave it another signature meanwhile.
        chain = Chain::of(surface, &view, std::slice::from_ref(&webhook)).await?;
    }
    let results = wire::OneWebhook { webhook: chain.webhook(webhook)?, result_type: CALL };
    reply::json_once(StatusCode::OK, &wire::Done::with(results))
}

/// What the webhook is shown with after the change. Refused if that cannot be opened.
async fn known<'a>(
    surface: &'a Surface,
    view: &View,
    id: &str,
    change: &WebhookChange,
) -> Result<Chain<'a>, Refusal> {
    let engine = &surface.engine;
    let before = engine.webhook(view.workspace.id, id).await.map_err(get::missing)?;
    if change.login.password.is_none() {
        engine.reveal_login_password(&before)?;
    }
    match &change.signing_key {
        None => Ok(Chain::of(surface, view, std::slice::from_ref(&before)).await?),
        Some(None) => Ok(Chain::with(surface, None)),
        Some(Some(signature)) => {
            let signature = get_signature::check_signature(surface, view, signature).await?;
            Ok(Chain::with(surface, Some(signature)))
        }
    }
}

async fn changed(
    surface: &Surface,
    visitor: &Visitor,
    view: &View,
    id: &str,
    change: WebhookChange,
) -> Result<Webhook, Refusal> {
    let engine = &surface.engine;
    let error = match engine.update_webhook(view, id, change).await {
        Ok(webhook) => return Ok(webhook),
        Err(error) if error.code == ErrorCode::NotFound => error,
        Err(error) => return Err(error.into()),
    };
    // One of them was deleted since it was looked for.
    auth::visit(surface, visitor, &view.workspace.public_id, Right::Write).await?;
    engine.webhook(view.workspace.id, id).await.map_err(get::missing)?;
    Err(get_signature::missing(wire::SIGNATURE_ID, error))
}

fn read(mut reader: Reader<'_>) -> Result<(String, String, WebhookChange), Refusal> {
    let (id, chain) = (reader.id(wire::ID), reader.id(wire::CHAIN_ID));
    // It cannot be changed, so there is nothing to do with what it is.
    let kind = reader.kind();
    reader.unless_absent(wire::TYPE, kind);
    let event_name = reader.event_name();
    let event_name = reader.unless_absent(wire::EVENT_NAME, event_name);
    let url = reader.url();
    let url = reader.unless_absent(wire::URL, url);
    let filter = change(reader.filter());
    let user = change(reader.identifier_key());
    let password = change(reader.identifier_secret());
    let signing_key = change(reader.signature());
    let kept = [
        (profile::PAYLOAD_VERSION, change(reader.payload_version())),
        (profile::CAMPAIGN, change(reader.campaign())),
    ];
    let active = reader.truth(wire::ACTIVE);
    reader.finish()?;
    let kept: Vec<(String, Option<String>)> =
        kept.into_iter().filter_map(|(name, change)| Some((name.to_owned(), change?))).collect();
    let change = WebhookChange {
        url,
        events: event_name.map(|name| EventSelection::Only(vec![name])),
        filter,
        login: LoginChange { user, password },
        signing_key,
        metadata: (!kept.is_empty()).then_some(MetadataChange::Merge(kept)),
        active: active.map(|active| if active { Activity::Active } else { Activity::Paused }),
        ..WebhookChange::default()
    };
    let ids = id.zip(chain).map(|(id, chain)| (id, chain, change));
    ids.ok_or_else(|| Error::internal("a parameter was lost although none was refused").into())
}
