//! `POST add-webhook`: the webhook as it is from now on.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::basic_auth::Login;
use signalpost_core::error::Error;
use signalpost_core::webhook::{EventSelection, Webhook};
use signalpost_engine::View;
use signalpost_engine::sessions::Visitor;
use signalpost_engine::webhooks::{Activity, NewWebhook};

use super::auth::{self, Right};
use super::convert::Chain;
use super::get_signature::{check_signature, missing};
use super::read::Reader;
use super::{Shared, Surface, profile, wire};
use crate::kit::fields::Member;
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

const CALL: &str = "add-webhook";

pub(super) async fn create(
    State(surface): Shared,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Answer {
    let (chain, new) = read(Reader::of(request, &surface).await?)?;
    let view = auth::visit(&surface, &visitor, &chain, Right::Write).await?;
    let signature = match &new.signing_key {
        Some(id) => Some(check_signature(&surface, &view, id).await?),
        None => None,
    };
    // All that the answer needs was read by now: nothing fails any more once the webhook is there.
    let chain = Chain::with(&surface, signature);
    let webhook = made(&surface, &visitor, &view, new).await?;
    let results = wire::OneWebhook { webhook: chain.webhook(webhook)?, result_type: CALL };
    reply::json_once(StatusCode::OK, &wire::Done::with(results))
}

async fn made(
    surface: &Surface,
    visitor: &Visitor,
    view: &View,
    new: NewWebhook,
) -> Result<Webhook, Refusal> {
    let issued = match surface.engine.create_webhook(view, new, None).await {
        Ok(issued) => issued,
        Err(error) => {
            // The chain or the signature was deleted since it was looked for.
            let missing = |error| missing(wire::SIGNATURE_ID, error);
            return Err(auth::gone(surface, visitor, view, Right::Write, error, missing).await);
        }
    };
    let issued = issued.now().ok_or_else(|| Error::internal("a call without a key was answered before"))?;
    Ok(issued.webhook)
}

fn read(mut reader: Reader<'_>) -> Result<(String, NewWebhook), Refusal> {
    let chain = reader.id(wire::CHAIN_ID);
    let event_name = reader.event_name();
    let event_name = reader.required(wire::EVENT_NAME, event_name);
    let kind = reader.kind();
    // A webhook of another type would need no URL.
    let is_other = matches!(kind, Member::Broken);
    reader.required(wire::TYPE, kind);
    let url = reader.url();
    let url = if is_other { url.given() } else { reader.required(wire::URL, url) };
    let filter = reader.filter().given();
    let user = reader.identifier_key().given();
    let password = reader.identifier_secret().given();
    let signing_key = reader.signature().given();
    let kept = [
        (profile::PAYLOAD_VERSION, reader.payload_version().given()),
        (profile::CAMPAIGN, reader.campaign().given()),
    ];
    let active = reader.truth(wire::ACTIVE).unwrap_or(true);
    reader.finish()?;
    let metadata = kept.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let complete = chain.zip(event_name).zip(url).map(|((chain, event_name), url)| {
        let new = NewWebhook {
            events: EventSelection::Only(vec![event_name]),
            filter,
            login: Login { user, password },
            signing_key,
            metadata: metadata.collect(),
            activity: if active { Activity::Active } else { Activity::Paused },
            ..NewWebhook::to(url)
        };
        (chain, new)
    });
    complete.ok_or_else(|| Error::internal("a parameter was lost although none was refused").into())
}
