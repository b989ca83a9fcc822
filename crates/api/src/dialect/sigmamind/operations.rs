//! The one table of this surface, described in the vendor's words.

use std::sync::Arc;

use axum::handler::Handler;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::{URL_CHARS_MAX, WEBHOOK_EVENTS_MAX};

use super::{Instance, Surface, create, delete, get, list, update, wire};
use crate::kit::description::Description;
use crate::kit::operation::{Access, Operation};
use crate::kit::schema::{about, object};

pub(super) const TAG: (&str, &str) = ("Webhooks", "Registering and managing webhooks.");

type VendorOperation = Operation<Arc<Surface>>;

pub(super) fn operations(instance: &Instance) -> Vec<VendorOperation> {
    let [list, create] = collection(instance);
    let [get, update, delete] = single(instance);
    vec![list, create, get, update, delete]
}

fn collection(instance: &Instance) -> [VendorOperation; 2] {
    let create = operation(Method::POST, "/webhooks", create::create).described(|call| {
        call.named("createWebhook", "Create Webhook")
            .about("Registers a webhook for an agent. The secret is only returned once, in this answer.")
            .takes("CreateWebhookRequest", new(instance), example(instance))
            .answers::<wire::Webhook>(StatusCode::CREATED, "Created")
            .with_secret()
    });
    let list = operation(Method::GET, "/webhooks", list::list).described(|call| {
        let page = json!({"type": "integer", "format": "int32", "minimum": 0, "maximum": list::PAGE_MAX, "default": 0});
        let size = json!({
            "type": "integer", "format": "int32", "minimum": 1, "maximum": instance.page_rows_max,
            "default": instance.page_rows_default
        });
        call.named("listWebhooks", "List Webhooks")
            .about("Newest first.")
            .query(wire::AGENT_ID, "Only webhooks of this agent; of all agents when omitted.", agent_id(instance))
            .query(
                wire::ACTIVE,
                "`true` returns only enabled webhooks, `false` only disabled ones.",
                json!({"type": "boolean", "default": true}),
            )
            .query(wire::PAGE, "Zero-based number of the page.", page)
            .query(wire::SIZE, "Webhooks of a page.", size)
            .answers::<wire::WebhookPage>(StatusCode::OK, "OK")
    });
    [list, create]
}

fn single(instance: &Instance) -> [VendorOperation; 3] {
    const PATH: &str = "/webhooks/{webhookId}";
    let get = operation(Method::GET, PATH, get::get).described(|call| {
        in_path(call).named("getWebhook", "Get Webhook").answers::<wire::Webhook>(StatusCode::OK, "OK")
    });
    let update = operation(Method::PATCH, PATH, update::update).described(|call| {
        in_path(call)
            .named("updateWebhook", "Update Webhook")
            .about(
                "What is sent changes, what is left out stays. Set `active` to pause or resume the webhook.",
            )
            .takes("UpdateWebhookRequest", change(instance), json!({wire::ACTIVE: false}))
            .answers::<wire::Webhook>(StatusCode::OK, "OK")
    });
    let delete = operation(Method::DELETE, PATH, delete::delete).described(|call| {
        in_path(call)
            .named("deleteWebhook", "Delete Webhook")
            .about("Permanently deletes a webhook. No further event deliveries will be attempted to its URL.")
            .answers_nothing("No Content")
    });
    [get, update, delete]
}

fn operation<H, T>(method: Method, path: &'static str, handler: H) -> VendorOperation
where
    H: Handler<T, Arc<Surface>>,
    T: 'static,
{
    let operation = Operation::new(method, path, Access::Credential, handler);
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

fn in_path(call: Description) -> Description {
    call.id_in_path("webhookId", "Unique identifier of the webhook.", "wh_BUbkx3PsbzQm5V10")
}

fn new(instance: &Instance) -> Value {
    let required = [wire::NAME, wire::AGENT_ID, wire::URL, wire::EVENTS];
    let properties = [
        (wire::NAME, name(instance)),
        (wire::AGENT_ID, about("Only events of this agent are sent.", agent_id(instance))),
        (wire::URL, url()),
        (wire::EVENTS, events(instance)),
    ];
    object(&required, &properties)
}

fn change(instance: &Instance) -> Value {
    let properties = [
        (wire::NAME, name(instance)),
        (wire::URL, url()),
        (wire::EVENTS, events(instance)),
        (wire::ACTIVE, json!({"type": "boolean"})),
    ];
    let mut schema = object(&[], &properties);
    schema["minProperties"] = json!(1);
    schema
}

fn example(instance: &Instance) -> Value {
    json!({
        wire::NAME: "Call Events - Production",
        wire::AGENT_ID: "D5D0p7TUs66TTAEAx",
        wire::URL: "https://example.com/webhooks",
        wire::EVENTS: instance.events.iter().take(2).collect::<Vec<_>>(),
    })
}

fn name(instance: &Instance) -> Value {
    let chars_max = instance.name_chars_max;
    json!({"type": "string", "minLength": 1, "maxLength": chars_max, "pattern": "^[^\\u0000]*$"})
}

fn agent_id(instance: &Instance) -> Value {
    let pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";
    json!({"type": "string", "minLength": 1, "maxLength": instance.agent_id_chars_max, "pattern": pattern})
}

/// The documented pattern; what it lets through must also be a URL with a host.
fn url() -> Value {
    json!({"type": "string", "format": "uri", "pattern": "^https?://.+", "maxLength": URL_CHARS_MAX})
}

fn events(instance: &Instance) -> Value {
    let items = json!({"type": "string", "enum": instance.events});
    json!({"type": "array", "items": items, "minItems": 1, "maxItems": WEBHOOK_EVENTS_MAX})
}
