//! The one table of this surface: what an instance offers, described in the vendor's words.

use std::sync::Arc;

use axum::handler::Handler;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;

use super::{
    Call, Instance, Surface, auth, capabilities, create, delete, feed, get, list, profile, redeliver,
    schemas, update, wire,
};
use crate::kit::description::{Content, Description, Shape};
use crate::kit::operation::{Access, Operation};

pub(super) const TAG: (&str, &str) = ("Webhooks", "Having events sent to a URL, and catching up on them.");

type VendorOperation = Operation<Arc<Surface>>;

pub(super) fn operations(instance: &Instance) -> Vec<VendorOperation> {
    let all = [
        (Call::Create, creation(instance)),
        (Call::List, listing(instance)),
        (Call::Get, look(instance)),
        (Call::Update, change(instance)),
        (Call::Delete, deletion(instance)),
        (Call::Redeliver, redelivery(instance)),
        (Call::Updates, updates(instance)),
        (Call::Capabilities, capability()),
    ];
    all.into_iter().filter(|(call, _)| instance.offers(*call)).map(|(_, operation)| operation).collect()
}

fn creation(instance: &Instance) -> VendorOperation {
    managing(instance, Method::POST, path(instance, ""), create::create).described(|call| {
        let message = schemas::message(&profile::secret_message(instance));
        let answer = schemas::around_webhook(instance, &[("secret", schemas::secret()), ("message", message)]);
        let example = json!({
            wire::URL: "https://example.com/hooks",
            wire::EVENT_TYPES: instance.events.iter().take(2).map(|known| &known.name).collect::<Vec<_>>(),
        });
        let text = format!(
            "Sends events that happen from now on. Takes the scope of every event type as well. There may be {}; more \
             are refused. The secret is only returned once, in this answer.",
            instance.webhooks_max
        );
        call.named("createWebhook", "Create a webhook")
            .about(text)
            .takes("NewWebhook", schemas::new_webhook(instance), example)
            .answers_as(profile::CREATED, "The webhook, with its secret.", json_of("CreatedWebhook", answer))
            .with_header("Cache-Control", "`no-store`: the answer holds a secret")
            .refuses(&[ErrorCode::LimitReached])
    })
}

fn listing(instance: &Instance) -> VendorOperation {
    managing(instance, Method::GET, path(instance, ""), list::list).described(|call| {
        let answer = json_of("Webhooks", schemas::webhooks(instance));
        call.named("listWebhooks", "List webhooks").about("All of them, newest first.").answers_as(
            StatusCode::OK,
            "The webhooks.",
            answer,
        )
    })
}

fn look(instance: &Instance) -> VendorOperation {
    managing(instance, Method::GET, one(instance, ""), get::get).described(|call| {
        in_path(call, instance).named("getWebhook", "Look at a webhook").answers_as(
            StatusCode::OK,
            "The webhook.",
            shown(instance),
        )
    })
}

fn change(instance: &Instance) -> VendorOperation {
    managing(instance, Method::PATCH, one(instance, ""), update::update).described(|call| {
        in_path(call, instance)
            .named("updateWebhook", "Change a webhook")
            .about(
                "What is sent changes, what is left out stays. `ACTIVE` goes on with one that is disabled, and forgets \
                 its failures; `DISABLED` pauses it.",
            )
            .takes("WebhookChange", schemas::change(instance), json!({wire::STATUS: wire::ACTIVE}))
            .or_no_body()
            .answers_as(StatusCode::OK, "The webhook as it is now.", shown(instance))
    })
}

fn deletion(instance: &Instance) -> VendorOperation {
    managing(instance, Method::DELETE, one(instance, ""), delete::delete).described(|call| {
        let deleted = json!({"const": true});
        let answer = schemas::around_webhook(instance, &[("deleted", deleted)]);
        in_path(call, instance)
            .named("deleteWebhook", "Delete a webhook")
            .about("For good, and at once: nothing more is sent.")
            .answers_as(StatusCode::OK, "The webhook as it was.", json_of("DeletedWebhook", answer))
    })
}

fn redelivery(instance: &Instance) -> VendorOperation {
    managing(instance, Method::POST, one(instance, "/redeliver"), redeliver::redeliver).described(|call| {
        let beside = [
            ("requeued", json!({"type": "integer", "minimum": 0, "examples": [1]})),
            ("message", schemas::message(profile::REQUEUED)),
        ];
        let answer = json_of("Redelivery", schemas::around_webhook(instance, &beside));
        in_path(call, instance)
            .named("redeliver", "Send deliveries again")
            .about("One delivery whatever became of it, or every failed one of the webhook.")
            .takes("RedeliveryRequest", schemas::redelivery(), json!({}))
            .or_no_body()
            .answers_as(StatusCode::OK, "They are on their way.", answer)
            .refuses(&[ErrorCode::Conflict])
    })
}

fn updates(instance: &Instance) -> VendorOperation {
    let access = Access::Right(auth::FOLLOW);
    operation(Method::GET, profile::UPDATES_PATH.to_owned(), access, feed::updates).described(|call| {
        let limit = json!({
            "type": "integer", "minimum": 1, "maximum": instance.feed_rows_max,
            "default": instance.feed_rows_default
        });
        let cursor = json!({"type": "string", "pattern": "^[0-9]+$", "maxLength": feed::CURSOR_CHARS_MAX});
        call.named("listUpdates", "Catch up on events")
            .about("Oldest first, those that the token may read.")
            .needing("Needs the scope of at least one event type, and no feature.")
            .query(wire::CURSOR, "`nextCursor` of the call before; everything when it is left out.", cursor)
            .query(wire::LIMIT, "Events of the page, at most.", limit)
            .answers_as(StatusCode::OK, "Events.", json_of("Updates", schemas::updates(instance)))
    })
}

fn capability() -> VendorOperation {
    let path = profile::CAPABILITIES_PATH.to_owned();
    operation(Method::GET, path, Access::Credential, capabilities::capabilities).described(|call| {
        call.named("getCapabilities", "Ask what is switched on").answers_as(
            StatusCode::OK,
            "What is switched on.",
            json_of("Capabilities", schemas::capabilities()),
        )
    })
}

/// A call about webhooks.
fn managing<H, T>(instance: &Instance, method: Method, path: String, handler: H) -> VendorOperation
where
    H: Handler<T, Arc<Surface>>,
    T: 'static,
{
    let operation = operation(method, path, Access::Right(auth::MANAGE), handler);
    let right =
        format!("Needs the scope `{}` and the feature `{}`.", instance.manage_scope, instance.feature);
    operation.described(|call| call.needing(right))
}

fn operation<H, T>(method: Method, path: String, access: Access, handler: H) -> VendorOperation
where
    H: Handler<T, Arc<Surface>>,
    T: 'static,
{
    let operation = Operation::new(method, path, access, handler);
    operation.described(|call| {
        call.tag(TAG.0).refuses(&[
            ErrorCode::Unauthenticated,
            ErrorCode::Forbidden,
            ErrorCode::RateLimited,
            ErrorCode::Unavailable,
            ErrorCode::Internal,
        ])
    })
}

fn path(instance: &Instance, end: &str) -> String {
    format!("/{}{end}", instance.collection)
}

fn one(instance: &Instance, end: &str) -> String {
    format!("/{}/{{{}}}{end}", instance.collection, instance.id_name)
}

fn in_path(call: Description, instance: &Instance) -> Description {
    call.id_in_path(instance.id_name.clone(), "Id of the webhook.", &schemas::webhook_id(instance))
}

fn shown(instance: &Instance) -> Content {
    json_of("ShownWebhook", schemas::around_webhook(instance, &[]))
}

fn json_of(name: &'static str, schema: Value) -> Content {
    Content { media_type: "application/json", schema: Shape::Named(name, schema), example: None }
}
