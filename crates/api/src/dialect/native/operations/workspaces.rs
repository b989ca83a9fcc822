//! Calls about tenants.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::{RETENTION_AGE_MAX, RETENTION_AGE_MIN, RETENTION_BYTES_MIN};

use super::{NativeOperation, Served, admin, in_workspace, read};
use crate::dialect::native::{wire, workspaces};
use crate::kit::page::Page;
use crate::kit::schema::{about, name, object, or_null, retry_schedule_s, timeout_ms};

const TAG: &str = "Workspaces";

pub(super) fn operations(served: &Served) -> Vec<NativeOperation> {
    let list = read("/workspaces", workspaces::list).described(|call| {
        call.named("listWorkspaces", "List workspaces")
            .about("Oldest first.")
            .paged()
            .answers::<Page<wire::Workspace>>(StatusCode::OK, "A page of workspaces.")
    });
    let create = admin(Method::POST, "/workspaces", workspaces::create).described(|call| {
        call.named("createWorkspace", "Create a workspace")
            .takes("NewWorkspace", new(served), json!({"dialect": "native", "name": "Acme"}))
            .answers::<wire::Workspace>(StatusCode::CREATED, "The new workspace.")
            .with_header("Location", "Where the workspace is found.")
            .refuses(&[ErrorCode::Conflict])
    });
    let get = read("/workspaces/{workspace}", workspaces::get).described(|call| {
        in_workspace(call)
            .named("getWorkspace", "Look at a workspace")
            .answers::<wire::Workspace>(StatusCode::OK, "The workspace.")
    });
    let update = admin(Method::PATCH, "/workspaces/{workspace}", workspaces::update).described(|call| {
        in_workspace(call)
            .named("updateWorkspace", "Change a workspace")
            .about(
                "What is sent changes, what is left out stays. `policy` is merged (RFC 7396): a member that is null \
                 falls back to the dialect's or the server's. Changes are in force for attempts that start after the answer.",
            )
            .takes("WorkspaceChange", change(served), json!({"policy": {"retry_schedule_s": [5, 60], "timeout_ms": 5000}}))
            .answers::<wire::Workspace>(StatusCode::OK, "The workspace as it is now.")
    });
    let delete = admin(Method::DELETE, "/workspaces/{workspace}", workspaces::delete).described(|call| {
        in_workspace(call)
            .named("deleteWorkspace", "Erase a workspace")
            .about("Ends the tenant, secrets first. Nothing is sent for it any more once this has answered.")
            .answers_nothing("It is gone.")
    });
    [list, create, get, update, delete].map(|call| call.described(|call| call.tag(TAG))).into()
}

fn new(served: &Served) -> Value {
    let id = json!({"type": ["string", "null"], "minLength": 1});
    let properties = [
        (
            "dialect",
            about(
                "The public contract that the workspace speaks.",
                json!({"type": "string", "enum": served.dialects}),
            ),
        ),
        ("name", name()),
        ("id", about("An id of your own in the dialect's form; native: `ws_` and 16 letters or digits.", id)),
        ("features", or_null(features(served))),
        ("policy", policy()),
    ];
    object(&["dialect", "name"], &properties)
}

fn change(served: &Served) -> Value {
    object(&[], &[("name", name()), ("features", features(served)), ("policy", policy())])
}

fn features(served: &Served) -> Value {
    let text = "What is switched on; all that the dialect knows when it is left out at creation.";
    let items = json!({"type": "string", "enum": served.features});
    let none_is_known = served.features.is_empty();
    let schema = if none_is_known {
        json!({"type": "array", "maxItems": 0})
    } else {
        json!({"type": "array", "items": items, "maxItems": workspaces::FEATURES_MAX})
    };
    about(text, schema)
}

fn policy() -> Value {
    let text = "How patient deliveries are, and what is kept. Null, here or in a member: as the dialect or the server \
                has it.";
    let members = [
        ("retry_schedule_s", or_null(retry_schedule_s())),
        ("timeout_ms", or_null(timeout_ms())),
        ("event_retention_s", or_null(about("Age at which events go, in seconds.", age_s()))),
        ("payload_retention_s", or_null(about("Age at which payloads go, in seconds.", age_s()))),
        ("retention_bytes", or_null(about("Bytes of this workspace; the oldest events go first.", bytes()))),
    ];
    about(text, or_null(object(&[], &members)))
}

fn age_s() -> Value {
    let (min, max) = (RETENTION_AGE_MIN.as_secs(), RETENTION_AGE_MAX.as_secs());
    json!({"type": "integer", "minimum": min, "maximum": max})
}

fn bytes() -> Value {
    json!({"type": "integer", "minimum": RETENTION_BYTES_MIN})
}
