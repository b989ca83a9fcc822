//! How callers prove who they are, and what they may: a token with scopes, of a workspace with features.

use std::net::IpAddr;

use axum::extract::Request;
use http::HeaderMap;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::credentials::Caller;
use signalpost_engine::pass::Pass;

use super::details::Details;
use super::{EventType, Instance, Surface};
use crate::kit::auth::bearer;
use crate::kit::operation::Access;
use crate::kit::refusal::Refusal;

/// Managing webhooks: a feature of the workspace and a scope of the token.
pub(super) const MANAGE: &str = "manage";
/// Reading the feed: the scope of at least one event type.
pub(super) const FOLLOW: &str = "follow";

pub(super) async fn caller(
    surface: &Surface,
    headers: &HeaderMap,
    from: Option<IpAddr>,
) -> Result<Caller, Error> {
    let Surface { engine, instance, guesses, .. } = surface;
    let refused = || Error::new(ErrorCode::Unauthenticated, "Missing or invalid token");
    let token = bearer(headers);
    let judge = async {
        let caller = engine.authenticate(&instance.name, token.ok_or_else(refused)?).await;
        caller.map_err(|error| if error.code == ErrorCode::Unauthenticated { refused() } else { error })
    };
    let is_known = || token.is_some_and(|token| engine.knows_credential(token));
    guesses.judged(from, engine.now(), is_known, judge).await
}

/// Stands before every handler of this surface, so that nothing is read of a request that may not be made.
pub(super) fn permit(
    instance: &Instance,
    request: &Request,
    access: Access,
) -> Result<Option<Pass>, Refusal> {
    let nobody = || Error::new(ErrorCode::Unauthenticated, "the request was not judged");
    let caller = request.extensions().get::<Caller>().ok_or_else(nobody)?;
    match access {
        Access::Open | Access::Credential => {}
        Access::Right(MANAGE) => may_manage(caller, instance)?,
        Access::Right(FOLLOW) => may_follow(caller, instance)?,
        Access::Right(_) | Access::Scope(_) | Access::OwnPart(_) => {
            return Err(Error::internal("the surface does not know the right that its call needs").into());
        }
    }
    Ok(Some(caller.pass))
}

/// Whether webhooks are switched on for the caller's workspace.
pub(super) fn has_webhooks(caller: &Caller, instance: &Instance) -> bool {
    caller.view.workspace.features.contains(&instance.feature)
}

/// The event types that a caller may read.
pub(super) fn readable(caller: &Caller, instance: &Instance) -> Vec<String> {
    let readable = instance.events.iter().filter(|event_type| may_read(caller, event_type));
    readable.map(|event_type| event_type.name.clone()).collect()
}

/// `Forbidden` unless the caller may read all of these types, which are in the catalogue.
pub(super) fn check_may_read(caller: &Caller, instance: &Instance, types: &[String]) -> Result<(), Refusal> {
    let wanted = instance.events.iter().filter(|event_type| types.contains(&event_type.name));
    let hidden: Vec<&EventType> = wanted.filter(|event_type| !may_read(caller, event_type)).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let required = scopes_of(hidden.iter().copied());
    let event_types = hidden.iter().map(|event_type| event_type.name.clone()).collect();
    Err(scopes_missing(required, event_types))
}

fn may_manage(caller: &Caller, instance: &Instance) -> Result<(), Refusal> {
    if !has_webhooks(caller, instance) {
        let error = Error::new(ErrorCode::Forbidden, "Webhooks are not enabled for this account");
        return Err(Refusal::with(error, Details::FeatureOff(instance.feature.clone())));
    }
    if holds(&caller.credential.scopes, &instance.manage_scope) {
        return Ok(());
    }
    Err(scopes_missing(vec![instance.manage_scope.clone()], Vec::new()))
}

fn may_follow(caller: &Caller, instance: &Instance) -> Result<(), Refusal> {
    if instance.events.iter().any(|event_type| may_read(caller, event_type)) {
        return Ok(());
    }
    Err(scopes_missing(scopes_of(&instance.events), Vec::new()))
}

fn may_read(caller: &Caller, event_type: &EventType) -> bool {
    event_type.scope.as_ref().is_none_or(|scope| holds(&caller.credential.scopes, scope))
}

/// `X:write` implies `X:read`.
fn holds(held: &[String], needed: &str) -> bool {
    let area = needed.strip_suffix(":read");
    held.iter().any(|scope| scope == needed || (area.is_some() && scope.strip_suffix(":write") == area))
}

/// Each once, in the order of the catalogue.
fn scopes_of<'a>(event_types: impl IntoIterator<Item = &'a EventType>) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in event_types.into_iter().filter_map(|event_type| event_type.scope.as_ref()) {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    scopes
}

fn scopes_missing(required: Vec<String>, event_types: Vec<String>) -> Refusal {
    let message = format!("The token lacks a required scope: {}", required.join(", "));
    Refusal::with(Error::new(ErrorCode::Forbidden, message), Details::ScopesMissing { required, event_types })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_includes_reading_and_nothing_else() {
        let held = ["a:write", "b:read", "c:manage", "write"].map(str::to_owned);
        for (needed, expected) in [
            ("a:write", true),
            ("a:read", true),
            ("b:read", true),
            ("b:write", false),
            ("c:manage", true),
            ("c:read", false),
            ("d:read", false),
            ("read", false),
        ] {
            assert_eq!(holds(&held, needed), expected, "{needed}");
        }
    }
}
