//! What calls of this surface are called on record.

use std::collections::HashMap;

use axum::extract::{MatchedPath, OriginalUri, Request};
use http::Method;
use signalpost_core::act::{Action, Surface};
use signalpost_core::caller_address::CallerAddress;
use signalpost_core::request_id::RequestId;
use signalpost_engine::desk::acts::NewAct;
use signalpost_engine::operator::Operator;

use super::BASE_PATH;
use crate::kit::description::{Description, Text};
use crate::kit::query::decode_percent;

/// What is done by each call that changes something.
pub(super) struct Actions(HashMap<(Method, Text), Action>);

impl Actions {
    /// From the names of the calls: `rotateWebhookSecret` is `webhook_secret.rotate`.
    pub(super) fn of(calls: &[Description]) -> Self {
        let changing = calls.iter().filter(|call| call.method != Method::GET);
        Self(changing.map(|call| ((call.method.clone(), call.path.clone()), action_of(call.id))).collect())
    }

    /// What somebody is about to do with this request; `None` for a call that is not in the table.
    pub(super) fn act(&self, operator: &Operator, request: &Request) -> Option<NewAct> {
        let extensions = request.extensions();
        let matched = extensions.get::<MatchedPath>()?.as_str();
        let matched = matched.strip_prefix(BASE_PATH).unwrap_or(matched);
        let action = self.0.get(&(request.method().clone(), matched.to_owned().into()))?.clone();
        let original = extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri);
        let path = original.unwrap_or_else(|| request.uri()).path();
        Some(NewAct {
            by: operator.actor(),
            action,
            object: path.to_owned(),
            workspace: workspace_in(path),
            surface: Surface::Api,
            address: extensions.get::<CallerAddress>().map(|CallerAddress(address)| *address),
            request_id: extensions.get::<RequestId>().map(|RequestId(id)| id.clone()).unwrap_or_default(),
            detail: String::new(),
        })
    }
}

/// The workspace that a path names.
fn workspace_in(path: &str) -> Option<String> {
    let below = path.strip_prefix(BASE_PATH).unwrap_or(path).strip_prefix("/workspaces/")?;
    decode_percent(below.split('/').next()?)
}

fn action_of(id: &str) -> Action {
    let (verb, noun) = id.split_at(id.find(|c: char| c.is_ascii_uppercase()).unwrap_or(id.len()));
    let mut words = String::new();
    for c in noun.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.push(c.to_ascii_lowercase());
    }
    // What is done without saying to what is done to a delivery.
    let noun = if words.is_empty() { "delivery" } else { &words };
    Action::from_text(&format!("{noun}.{verb}")).expect("operation ids are letters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_names_from_the_general_to_the_particular() {
        let table = [
            ("createWebhook", "webhook.create"),
            ("rotateWebhookSecret", "webhook_secret.rotate"),
            ("redeliver", "delivery.redeliver"),
        ];
        for (id, action) in table {
            assert_eq!(action_of(id).as_str(), action);
        }
    }

    #[test]
    fn the_workspace_stands_in_the_path() {
        assert_eq!(workspace_in("/v1/workspaces/a%2Fb/webhooks/x").as_deref(), Some("a/b"));
        assert_eq!(workspace_in("/v1/workspaces").as_deref(), None);
        assert_eq!(workspace_in("/v1/keys/opk_1").as_deref(), None);
    }
}
