//! Calls about subscriptions.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::{
    LANE_IN_FLIGHT_MAX, SECRET_OVERLAP_DEFAULT, SECRET_OVERLAP_MAX, WEBHOOK_EVENTS_MAX,
    WEBHOOK_HEADER_NAME_CHARS_MAX, WEBHOOK_HEADER_VALUE_CHARS_MAX, WEBHOOK_HEADERS_MAX,
    WEBHOOK_METADATA_ENTRIES_MAX, WEBHOOK_METADATA_NAME_CHARS_MAX, WEBHOOK_METADATA_VALUE_CHARS_MAX,
    WEBHOOK_PASSWORD_CHARS_MAX, WEBHOOK_RATE_PER_S_MAX, WEBHOOK_USER_CHARS_MAX,
};
use signalpost_core::order::OnExhausted;

use super::{NativeOperation, admin, in_workspace, issues, read};
use crate::dialect::native::{release, secrets, test_event, webhook_wire, webhooks};
use crate::kit::description::Description;
use crate::kit::page::Page;
use crate::kit::schema::{
    about, event_pattern, event_type, filter, name, object, or_null, release_order, retry_schedule_s,
    subject, target_url, timeout_ms,
};

const TAG: &str = "Webhooks";
const ONE: &str = "/workspaces/{workspace}/webhooks/{webhook}";

pub(super) fn operations() -> Vec<NativeOperation> {
    let list = read("/workspaces/{workspace}/webhooks", webhooks::list).described(|call| {
        in_workspace(call)
            .named("listWebhooks", "List webhooks")
            .about("Newest first, of any dialect.")
            .paged()
            .answers::<Page<webhook_wire::Webhook>>(StatusCode::OK, "A page of webhooks.")
    });
    let create = admin(Method::POST, "/workspaces/{workspace}/webhooks", webhooks::create).described(|call| {
        let example = json!({"url": "https://example.com/hooks", "events": ["order.paid"], "name": "billing"});
        let call = in_workspace(call)
            .named("createWebhook", "Create a webhook")
            .about("It gets events that are accepted from now on. A secret that was made here is in this answer and nowhere else.")
            .takes("NewWebhook", new(), example)
            .refuses(&[ErrorCode::Conflict])
            .idempotent();
        issues::<webhook_wire::Webhook>(call, "The webhook, with its secret.")
    });
    let get = read(ONE, webhooks::get).described(|call| {
        in_webhook(call)
            .named("getWebhook", "Look at a webhook")
            .answers::<webhook_wire::Webhook>(StatusCode::OK, "The webhook.")
    });
    let update = admin(Method::PATCH, ONE, webhooks::update).described(|call| {
        in_webhook(call)
            .named("updateWebhook", "Change a webhook")
            .about(
                "What is sent changes, what is left out stays. No attempt starts under the old properties once this \
                 has answered. `active: false` drops what is pending, on record.",
            )
            .takes("WebhookChange", change(), json!({"active": false}))
            .answers::<webhook_wire::Webhook>(StatusCode::OK, "The webhook as it is now.")
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
    let calls = [list, create, get, update, delete, rotate(), revoke(), release(), test()];
    calls.map(|call| call.described(|call| call.tag(TAG))).into()
}

fn rotate() -> NativeOperation {
    const PATH: &str = "/workspaces/{workspace}/webhooks/{webhook}/rotate-secret";
    admin(Method::POST, PATH, secrets::rotate).described(|call| {
        in_webhook(call)
            .named("rotateWebhookSecret", "Replace a webhook's secret")
            .about(
                "Deliveries are signed with the new secret from now on, and for the overlap with the replaced one as \
                 well: `webhook-signature` holds a signature of each, the newest first, and a receiver that knows \
                 either accepts. Asking for the secret that is the newest already changes nothing, so the call can \
                 be repeated.",
            )
            .takes("SecretRotation", rotation(), json!({"overlap_s": 3_600}))
            .or_no_body()
            .answers::<webhook_wire::RotatedSecret>(StatusCode::OK, "The webhook, with its new secret.")
            .with_secret()
            .refuses(&[ErrorCode::Conflict])
            .idempotent()
    })
}

fn revoke() -> NativeOperation {
    const PATH: &str = "/workspaces/{workspace}/webhooks/{webhook}/previous-secrets";
    admin(Method::DELETE, PATH, secrets::revoke_previous).described(|call| {
        in_webhook(call)
            .named("revokePreviousSecrets", "Revoke a webhook's replaced secrets")
            .about("No attempt that is signed with one of them starts any more once this has answered.")
            .answers_nothing("Only the newest secret signs.")
            .refuses(&[ErrorCode::Conflict])
    })
}

fn release() -> NativeOperation {
    const PATH: &str = "/workspaces/{workspace}/webhooks/{webhook}/release";
    admin(Method::POST, PATH, release::release).described(|call| {
        in_webhook(call)
            .named("releaseWebhook", "End a pause by the engine")
            .about(
                "What was held is sent at once, with one request at a time at first: the oldest first, the newest first, or, with \
                 `skip`, not at all: it is dropped, on record, with the reason `skipped`. As the workspace's policy says when \
                 nothing is asked for. Refused while the webhook is not paused by the engine.",
            )
            .takes("Release", release_schema(), json!({"order": "newest_first"}))
            .or_no_body()
            .answers::<webhook_wire::Webhook>(StatusCode::OK, "The webhook as it is now.")
            .refuses(&[ErrorCode::Conflict])
    })
}

fn release_schema() -> Value {
    object(&[], &[("order", or_null(release_order()))])
}

fn test() -> NativeOperation {
    const PATH: &str = "/workspaces/{workspace}/webhooks/{webhook}/test";
    admin(Method::POST, PATH, test_event::send).described(|call| {
        in_webhook(call)
            .named("testWebhook", "Send a test event")
            .about(
                "A real event for this webhook alone, whatever it selects and filters: stored, signed, retried and listed as any \
                 other. Its subject is the webhook's own. Refused while the webhook is disabled.",
            )
            .takes("TestEvent", test_schema(), json!({"type": "order.paid", "data": {"order": 42}}))
            .or_no_body()
            .answers::<webhook_wire::TestReceipt>(StatusCode::ACCEPTED, "It is on disk and on its way.")
            .refuses(&[ErrorCode::Conflict])
            .idempotent()
    })
}

fn in_webhook(call: Description) -> Description {
    in_workspace(call).id_in_path("webhook", "Id of the webhook.", "wh_BUbkx3PsbzQm5V10")
}

const FILTER: &str = "An expression in CEL over `type`, `subject`, `time` and `data` that yields a bool: of the events \
    that are selected otherwise, only those are sent for which it is true. Null: all of them. A mistake is refused with its \
    place; an event about which it cannot decide, for example because a member is missing, is not sent.";

fn new() -> Value {
    let own = "A secret of your own: `whsec_` and the padded base64 of 24 to 64 random bytes; one is made otherwise.";
    let mut properties = vec![
        ("url", target_url()),
        ("events", or_null(events())),
        ("subject", about("Only events about it; of anything when it is left out.", or_null(subject()))),
        ("filter", about(FILTER, or_null(filter()))),
        ("name", or_null(name())),
        ("secret", about(own, or_null(secret()))),
        (
            "active",
            about(
                "`false`: it gets nothing until it is switched on.",
                or_null(json!({"type": "boolean", "default": true})),
            ),
        ),
    ];
    properties.extend(options());
    object(&["url"], &properties)
}

fn change() -> Value {
    let mut properties = vec![
        ("url", target_url()),
        ("events", events()),
        ("subject", about("Only events about it; null: about anything.", or_null(subject()))),
        ("filter", about(FILTER, or_null(filter()))),
        ("name", about("Null takes it away.", or_null(name()))),
        ("active", about("`false` switches it off, `true` on again.", json!({"type": "boolean"}))),
    ];
    properties.extend(options());
    object(&[], &properties)
}

fn options() -> [(&'static str, Value); 9] {
    let patience = "Null: as the workspace has it. In force for attempts that start after the answer.";
    let at_once = "Requests that may be in flight at once. How many its receiver bears is learned; this is a ceiling. Null: none.";
    let ordered = "Whether events with the same `ordering_key` are sent one after the other, in the order of their `sequence`. In \
                   force for events that are accepted after the answer.";
    let exhausted = "What becomes of a key when a delivery of it is given up: `skip` goes on with the next one; `block` sends \
                     nothing more of the key until that delivery was redelivered with success, or until this is changed.";
    let a_second = "Requests a second, evenly spaced, retries included. Null: no ceiling.";
    [
        ("headers", headers()),
        ("basic_auth", basic_auth()),
        ("metadata", metadata()),
        ("retry_schedule_s", about(patience, or_null(retry_schedule_s()))),
        ("timeout_ms", about(patience, or_null(timeout_ms()))),
        ("max_in_flight", about(at_once, or_null(whole_to(LANE_IN_FLIGHT_MAX as u64, 4)))),
        ("ordered", about(ordered, or_null(json!({"type": "boolean", "default": false})))),
        ("on_exhausted", about(exhausted, or_null(on_exhausted()))),
        ("rate_per_second", about(a_second, or_null(whole_to(WEBHOOK_RATE_PER_S_MAX.into(), 50)))),
    ]
}

fn on_exhausted() -> Value {
    json!({"enum": OnExhausted::ALL.map(OnExhausted::name), "default": OnExhausted::default().name()})
}

fn whole_to(max: u64, example: u64) -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": max, "examples": [example]})
}

fn headers() -> Value {
    let text = "Headers that are sent along, after those of the delivery. Merged by name in a change (RFC 7396): null \
                removes one, and all of them in the place of the object. Values are kept sealed and never shown. \
                Names of the delivery's own headers and of those that say how a message travels are refused.";
    let value = json!({
        "type": ["string", "null"], "minLength": 1, "maxLength": WEBHOOK_HEADER_VALUE_CHARS_MAX,
        "pattern": "^[!-~]([\\t -~]*[!-~])?$"
    });
    let name = json!({
        "minLength": 1, "maxLength": WEBHOOK_HEADER_NAME_CHARS_MAX, "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
    });
    about(
        text,
        json!({
            "type": ["object", "null"], "propertyNames": name, "additionalProperties": value,
        "maxProperties": WEBHOOK_HEADERS_MAX,
            "examples": [{"x-api-key": "4fT7dK2mQ9xZ1bNc"}]
        }),
    )
}

fn basic_auth() -> Value {
    let text = "A login at the receiver, sent as HTTP Basic (RFC 7617) in UTF-8 with every request; given as a whole, and \
                null takes it away. The password is kept sealed and never shown. It excludes a header `authorization`.";
    let controls = "\\u0000-\\u001f\\u007f-\\u009f";
    let text_of = |min: usize, max: usize, pattern: String| json!({"type": "string", "minLength": min, "maxLength": max, "pattern": pattern});
    let login = object(
        &["username", "password"],
        &[
            ("username", text_of(1, WEBHOOK_USER_CHARS_MAX, format!("^[^:{controls}]*$"))),
            ("password", text_of(0, WEBHOOK_PASSWORD_CHARS_MAX, format!("^[^{controls}]*$"))),
        ],
    );
    let mut login = or_null(login);
    login["examples"] = json!([{"username": "signalpost", "password": "4fT7dK2mQ9xZ1bNc"}]);
    about(text, login)
}

fn metadata() -> Value {
    let text = "Small texts that you keep with the webhook; they mean nothing here. Merged by name in a change \
                (RFC 7396): null removes one, and all of them in the place of the object.";
    let value = json!({
        "type": ["string", "null"], "maxLength": WEBHOOK_METADATA_VALUE_CHARS_MAX, "pattern": "^[^\\u0000]*$"
    });
    let name = json!({
        "minLength": 1, "maxLength": WEBHOOK_METADATA_NAME_CHARS_MAX,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
    });
    about(
        text,
        json!({
            "type": ["object", "null"], "propertyNames": name, "additionalProperties": value,
            "maxProperties": WEBHOOK_METADATA_ENTRIES_MAX, "examples": [{"team": "billing"}]
        }),
    )
}

/// `core::profile::SecretForm`: whole groups of four, and a rest whose unused bits are zero (RFC 4648 section 3.5).
fn secret() -> Value {
    const PATTERN: &str = "^whsec_(([A-Za-z0-9+/]{4}){8,21}([A-Za-z0-9+/][AQgw]==)?\
                           |([A-Za-z0-9+/]{4}){8,20}[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)$";
    json!({"type": "string", "pattern": PATTERN})
}

fn rotation() -> Value {
    let overlap = json!({
        "type": ["integer", "null"], "minimum": 0, "maximum": SECRET_OVERLAP_MAX.as_secs(),
        "default": SECRET_OVERLAP_DEFAULT.as_secs()
    });
    let properties = [
        ("overlap_s", about("How long the replaced secret signs as well, in seconds; 0: no more.", overlap)),
        ("secret", about("A secret of your own; one is made otherwise.", or_null(secret()))),
    ];
    object(&[], &properties)
}

fn test_schema() -> Value {
    let properties = [
        ("type", about("`webhook.test` when it is left out.", or_null(event_type()))),
        ("data", json!({"description": "Any JSON value; a short message when it is left out."})),
    ];
    object(&[], &properties)
}

fn events() -> Value {
    let all = json!({"type": "array", "items": {"const": "*"}, "minItems": 1});
    let some = json!({"type": "array", "items": {"anyOf": [event_type(), event_pattern()]}, "minItems": 1, "maxItems": WEBHOOK_EVENTS_MAX});
    let mut schema =
        json!({"type": "array", "minItems": 1, "maxItems": WEBHOOK_EVENTS_MAX, "examples": [["order.*"]]});
    schema["items"] = json!({"type": "string"});
    schema["anyOf"] = json!([all, some, {"type": "null"}]);
    about(
        "Event types, and patterns: `order.*` is every type below `order.`, at any depth. `*` alone, or leaving it out \
         at creation, is every type.",
        schema,
    )
}
