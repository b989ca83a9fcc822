//! Calls about subscriptions.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::WEBHOOK_EVENTS_MAX;

use super::{NativeOperation, admin, in_workspace, issues, read};
use crate::dialect::native::{webhooks, wire};
use crate::kit::description::Description;
use crate::kit::page::Page;
use crate::kit::schema::{about, event_type, name, object, or_null, subject, target_url};

const TAG: &str = "Webhooks";
const ONE: &str = "/workspaces/{workspace}/webhooks/{webhook}";

pub(super) fn operations() -> Vec<NativeOperation> {
    let list = read("/workspaces/{workspace}/webhooks", webhooks::list).described(|call| {
        in_workspace(call)
            .named("listWebhooks", "List webhooks")
            .about("Newest first, of any dialect.")
            .paged()
            .answers::<Page<wire::Webhook>>(StatusCode::OK, "A page of webhooks.")
    });
    let create = admin(Method::POST, "/workspaces/{workspace}/webhooks", webhooks::create).described(|call| {
        let example = json!({"url": "https://example.com/hooks", "events": ["order.paid"], "name": "billing"});
        let call = in_workspace(call)
            .named("createWebhook", "Create a webhook")
            .about("It gets events that are accepted from now on. The secret is in this answer and nowhere else.")
            .takes("NewWebhook", new(), example)
            .refuses(&[ErrorCode::Conflict])
            .idempotent();
        issues::<wire::Webhook>(call, "The webhook, with its secret.")
    });
    let get = read(ONE, webhooks::get).described(|call| {
        in_webhook(call)
            .named("getWebhook", "Look at a webhook")
            .answers::<wire::Webhook>(StatusCode::OK, "The webhook.")
    });
    let update = admin(Method::PATCH, ONE, webhooks::update).described(|call| {
        in_webhook(call)
            .named("updateWebhook", "Change a webhook")
            .about(
                "What is sent changes, what is left out stays. No attempt starts under the old properties once this \
                 has answered. `active: false` drops what is pending, on record.",
            )
            .takes("WebhookChange", change(), json!({"active": false}))
            .answers::<wire::Webhook>(StatusCode::OK, "The webhook as it is now.")
            .refuses(&[ErrorCode::Conflict])
    });
    let delete = admin(Method::DELETE, ONE, webhooks::delete).described(|call| {
        in_webhook(call)
            .named("deleteWebhook", "Delete a webhook")
            .about(
                "No attempt starts any more once this has answered. What was pending is dropped, on record.",
            )
            .answers_nothing("It is gone.")
            .refuses(&[ErrorCode::Conflict])
    });
    [list, create, get, update, delete].map(|call| call.described(|call| call.tag(TAG))).into()
}

fn in_webhook(call: Description) -> Description {
    in_workspace(call).id_in_path("webhook", "Id of the webhook.", "wh_BUbkx3PsbzQm5V10")
}

fn new() -> Value {
    let properties = [
        ("url", target_url()),
        ("events", or_null(events())),
        ("subject", about("Only events about it; of anything when it is left out.", or_null(subject()))),
        ("name", or_null(name())),
    ];
    object(&["url"], &properties)
}

fn change() -> Value {
    let properties = [
        ("url", target_url()),
        ("events", events()),
        ("subject", about("Only events about it; null: about anything.", or_null(subject()))),
        ("name", name()),
        ("active", about("`false` switches it off, `true` on again.", json!({"type": "boolean"}))),
    ];
    object(&[], &properties)
}

fn events() -> Value {
    let all = json!({"type": "array", "items": {"const": "*"}, "minItems": 1});
    let some = json!({"type": "array", "items": event_type(), "minItems": 1, "maxItems": WEBHOOK_EVENTS_MAX});
    let mut schema =
        json!({"type": "array", "minItems": 1, "maxItems": WEBHOOK_EVENTS_MAX, "examples": [["order.paid"]]});
    schema["items"] = json!({"type": "string"});
    schema["anyOf"] = json!([all, some, {"type": "null"}]);
    about("Event types; `*` alone, or leaving it out at creation, is every type.", schema)
}
