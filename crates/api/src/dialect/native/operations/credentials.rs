//! Calls about API keys of customers.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;

use super::{NativeOperation, Served, admin, in_workspace, issues, read};
use crate::dialect::native::{credentials, wire};
use crate::kit::page::Page;
use crate::kit::schema::{about, instant, name, object, or_null};

const TAG: &str = "Credentials";

pub(super) fn operations(served: &Served) -> Vec<NativeOperation> {
    let list = read("/workspaces/{workspace}/credentials", credentials::list).described(|call| {
        in_workspace(call)
            .named("listCredentials", "List credentials")
            .about("All of them, without their secrets.")
            .answers::<Page<wire::Credential>>(StatusCode::OK, "The credentials of the workspace.")
    });
    let create = admin(Method::POST, "/workspaces/{workspace}/credentials", credentials::create);
    let create = create.described(|call| {
        let call = in_workspace(call)
            .named("createCredential", "Issue a credential")
            .about("The secret is in this answer and nowhere else.")
            .takes("NewCredential", new(served), json!({"name": "production"}))
            .refuses(&[ErrorCode::Conflict])
            .idempotent();
        issues::<wire::Credential>(call, "The credential, with its secret.")
    });
    let revoke =
        admin(Method::DELETE, "/workspaces/{workspace}/credentials/{credential}", credentials::revoke);
    let revoke = revoke.described(|call| {
        in_workspace(call)
            .id_in_path("credential", "Id of the credential.", "cred_0aB3dE6gH9jK2mN5")
            .named("revokeCredential", "Revoke a credential")
            .about("It opens nothing any more once this has answered.")
            .answers_nothing("It is revoked.")
    });
    [list, create, revoke].map(|call| call.described(|call| call.tag(TAG))).into()
}

fn new(served: &Served) -> Value {
    let scopes = if served.scopes.is_empty() {
        json!({"type": ["array", "null"], "maxItems": 0})
    } else {
        let items = json!({"type": "string", "enum": served.scopes});
        json!({"type": ["array", "null"], "items": items, "maxItems": credentials::SCOPES_MAX})
    };
    let rights = "Rights in the words of the dialect; all that it knows when they are left out.";
    let mut expires_at = or_null(instant());
    expires_at["examples"] = json!(["2099-12-31T23:59:59Z"]);
    let properties = [
        ("name", or_null(name())),
        ("scopes", about(rights, scopes)),
        ("expires_at", about("An instant in the future from which on it opens nothing.", expires_at)),
    ];
    object(&[], &properties)
}
