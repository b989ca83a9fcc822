//! The one table of this surface, described in the vendor's words.

use std::sync::Arc;

use axum::handler::Handler;
use http::{Method, StatusCode};
use serde_json::json;
use signalpost_core::error::ErrorCode;

use super::{Instance, Surface, create, delete, get, list, schemas, update, wire};
use crate::kit::description::Description;
use crate::kit::operation::{Access, Operation};

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
            .takes("CreateWebhookRequest", schemas::new(instance), schemas::example(instance))
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
            .query(wire::AGENT_ID, "Only webhooks of this agent; of all agents when omitted.", schemas::agent_id(instance))
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
            .takes("UpdateWebhookRequest", schemas::change(instance), json!({wire::ACTIVE: false}))
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
