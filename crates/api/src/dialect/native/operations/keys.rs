//! Calls about keys of the operator side.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::{KEY_OVERLAP_S_DEFAULT, KEY_OVERLAP_S_MAX, KEY_RATE_PER_S_MAX};
use signalpost_core::scope::Scope;

use super::{NativeOperation, WORKSPACE, admin_of_own_part, issues, read_own_part};
use crate::dialect::native::{keys, wire};
use crate::kit::description::Description;
use crate::kit::page::Page;
use crate::kit::schema::{about, instant, name, object, or_null};

const TAG: &str = "Keys";

pub(super) fn operations() -> Vec<NativeOperation> {
    let list = read_own_part("/keys", keys::list).described(|call| {
        call.named("listKeys", "List operator keys")
            .about("Oldest first, without their secrets. The installation's own key is not among them.")
            .query("workspace", "Only keys bound to the workspace with this id.", json!({"type": "string"}))
            .paged()
            .answers::<Page<wire::OperatorKey>>(StatusCode::OK, "A page of keys.")
            .refuses(&[ErrorCode::NotFound])
    });
    let create = admin_of_own_part(Method::POST, "/keys", keys::create).described(|call| {
        let example = json!({"name": "billing service", "scopes": ["publish"], "workspace": WORKSPACE});
        let call = call
            .named("createKey", "Make an operator key")
            .about(
                "The secret is in this answer and nowhere else. A key can give others no scope that it does not hold \
                 itself, no later end and no higher rate than its own, and one that is bound to a workspace can only \
                 make keys bound to the same one.",
            )
            .takes("NewKey", new(), example)
            .refuses(&[ErrorCode::NotFound, ErrorCode::Conflict])
            .idempotent();
        issues::<wire::OperatorKey>(call, "The key, with its secret.")
    });
    let get = read_own_part("/keys/{key}", keys::get).described(|call| {
        in_key(call)
            .named("getKey", "Look at an operator key")
            .answers::<wire::OperatorKey>(StatusCode::OK, "The key, without its secret.")
    });
    let revoke = admin_of_own_part(Method::DELETE, "/keys/{key}", keys::revoke).described(|call| {
        in_key(call)
            .named("revokeKey", "Revoke an operator key")
            .about("It opens nothing any more once this has answered.")
            .answers_nothing("It is revoked.")
    });
    let rotate = admin_of_own_part(Method::POST, "/keys/{key}/rotate", keys::rotate).described(|call| {
        let call = in_key(call)
            .named("rotateKey", "Rotate an operator key")
            .about(
                "Makes a successor with the same properties. The key itself stays valid for the overlap, or as long \
                 as it would have been, whichever ends first. A key is rotated once. Under an `Idempotency-Key` a \
                 call whose answer was lost can be repeated; otherwise revoke the successor and make a new key.",
            )
            .takes("KeyRotation", rotation(), json!({"overlap_s": 3600}))
            .refuses(&[ErrorCode::Conflict])
            .idempotent();
        issues::<wire::RotatedOperatorKey>(call, "The successor, with its secret.")
    });
    [list, create, get, revoke, rotate].map(|call| call.described(|call| call.tag(TAG))).into()
}

fn in_key(call: Description) -> Description {
    call.id_in_path("key", "Id of the key.", "opk_0aB3dE6gH9jK2mN5")
}

fn new() -> Value {
    let scopes = json!({
        "type": "array", "minItems": 1, "maxItems": Scope::ALL.len(), "uniqueItems": true,
        "items": {"type": "string", "enum": Scope::ALL.map(Scope::name)}
    });
    let rate = json!({"type": "integer", "minimum": 1, "maximum": KEY_RATE_PER_S_MAX});
    let rate_text = "Calls a second, on average; twice as many at once. No limit when it is left out.";
    let workspace = json!({"type": "string"});
    let workspace_text = "The only workspace that the key knows of; all when it is left out.";
    let properties = [
        ("name", or_null(name())),
        ("scopes", about("What the key may do; `admin` includes the others.", scopes)),
        ("workspace", about(workspace_text, or_null(workspace))),
        ("expires_at", about("An instant in the future from which on it opens nothing.", or_null(instant()))),
        ("rate_limit_per_s", about(rate_text, or_null(rate))),
    ];
    object(&["scopes"], &properties)
}

fn rotation() -> Value {
    let overlap = json!({
        "type": "integer", "minimum": 0, "maximum": KEY_OVERLAP_S_MAX, "default": KEY_OVERLAP_S_DEFAULT
    });
    let text = "Seconds for which the key stays valid beside its successor; 0 ends it at once.";
    object(&[], &[("overlap_s", about(text, or_null(overlap)))])
}
