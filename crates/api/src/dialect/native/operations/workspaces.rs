//! Calls about tenants.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::{
    HOLD_AFTER_MAX, HOLD_AFTER_MIN, RETENTION_AGE_MAX, RETENTION_AGE_MIN, RETENTION_BYTES_MAX,
    RETENTION_BYTES_MIN,
};
use signalpost_core::profile::{IdForm, RandomText};

use super::{NativeOperation, Served, WORKSPACE, admin, in_workspace, of_cell, read, read_own_part};
use crate::dialect::native::{wire, workspaces};
use crate::kit::page::Page;
use crate::kit::schema::{about, name, object, or_null, release_order, retry_schedule_s, timeout_ms};

const TAG: &str = "Workspaces";

pub(super) fn operations(served: &Served) -> Vec<NativeOperation> {
    let list = read_own_part("/workspaces", workspaces::list).described(|call| {
        call.named("listWorkspaces", "List workspaces")
            .about("Oldest first.")
            .paged()
            .answers::<Page<wire::Workspace>>(StatusCode::OK, "A page of workspaces.")
    });
    let create = admin(Method::POST, "/workspaces", workspaces::create).described(|call| {
        of_cell(call.named("createWorkspace", "Create a workspace"))
            .takes("NewWorkspace", new(served), json!({"dialect": "native", "name": "Acme"}))
            .answers::<wire::Workspace>(StatusCode::CREATED, "The new workspace.")
            .with_header("Location", "Where the workspace is found.")
            .refuses(&[ErrorCode::Conflict])
            .idempotent()
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
            .about(
                "Ends the tenant, secrets first. Nothing is sent for it any more once this has answered, but \
                 the last event that its dialect may have.",
            )
            .answers_nothing("It is gone.")
    });
    [list, create, get, update, delete].map(|call| call.described(|call| call.tag(TAG))).into()
}

fn new(served: &Served) -> Value {
    let dialects = json!({"type": "string", "enum": served.dialects, "examples": ["native"]});
    let id = json!({"type": ["string", "null"], "examples": [WORKSPACE]});
    let properties = [
        ("dialect", about("The public contract that the workspace speaks.", dialects)),
        ("name", name()),
        ("id", about("An id of your own, for a tenant that has one; in the dialect's form.", id)),
        ("features", or_null(features(served))),
        ("policy", policy()),
    ];
    let mut schema = object(&["dialect", "name"], &properties);
    let dialects = served.dialects.iter().zip(&served.workspace_ids);
    schema["allOf"] = dialects.map(|(dialect, form)| id_of(dialect, form)).collect();
    schema
}

/// Which ids the workspaces of a dialect have.
fn id_of(dialect: &str, form: &IdForm) -> Value {
    let pattern = match form {
        IdForm::Random(form) => pattern_of(form),
        // The engine judges the highest ones.
        IdForm::Number => "^[1-9][0-9]{0,15}$".to_owned(),
    };
    json!({
        "if": {"properties": {"dialect": {"const": dialect}}},
        "then": {"properties": {"id": {"pattern": pattern}}}
    })
}

fn pattern_of(RandomText { prefix, length }: &RandomText) -> String {
    let prefix: String = prefix
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c.to_string() } else { format!("\\{c}") })
        .collect();
    format!("^{prefix}[A-Za-z0-9]{{{length}}}$")
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
        ("pause_after_failing_s", or_null(pause_after_failing_s())),
        (
            "release_order",
            or_null(about("In which order what was held during a pause is sent.", release_order())),
        ),
        ("event_retention_s", or_null(about("Age at which events go, in seconds.", age_s()))),
        ("payload_retention_s", or_null(about("Age at which payloads go, in seconds.", age_s()))),
        ("retention_bytes", or_null(about("Bytes of this workspace; the oldest events go first.", bytes()))),
    ];
    about(text, or_null(object(&[], &members)))
}

fn pause_after_failing_s() -> Value {
    let text = "For how long a receiver has only failed, in seconds, when its webhook is paused by the engine, after 50 failures \
                at least; 0 is never.";
    let (min, max) = (HOLD_AFTER_MIN.as_secs(), HOLD_AFTER_MAX.as_secs());
    let never_or_long_enough = json!([{"maximum": 0}, {"minimum": min}]);
    about(text, json!({"type": "integer", "minimum": 0, "maximum": max, "anyOf": never_or_long_enough}))
}

fn age_s() -> Value {
    let (min, max) = (RETENTION_AGE_MIN.as_secs(), RETENTION_AGE_MAX.as_secs());
    json!({"type": "integer", "minimum": min, "maximum": max})
}

fn bytes() -> Value {
    json!({"type": "integer", "minimum": RETENTION_BYTES_MIN, "maximum": RETENTION_BYTES_MAX})
}
