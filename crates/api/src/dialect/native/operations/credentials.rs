//! Calls about API keys of customers, and about users where a dialect has a login.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, USERNAME_CHARS_MAX};

use super::{NativeOperation, Served, admin, in_workspace, read};
use crate::dialect::native::{credential_wire as wire, credentials};
use crate::kit::page::Page;
use crate::kit::schema::{about, instant, name, object, or_null};

const TAG: &str = "Credentials";

pub(super) fn operations(served: &Served) -> Vec<NativeOperation> {
    let list = read("/workspaces/{workspace}/credentials", credentials::list).described(|call| {
        in_workspace(call)
            .named("listCredentials", "List credentials")
            .about(
                "All of them, without their secrets. Rights of users are among them where the dialect has a login.",
            )
            .answers::<Page<wire::Credential>>(StatusCode::OK, "The credentials of the workspace.")
    });
    let create = admin(Method::POST, "/workspaces/{workspace}/credentials", credentials::create);
    let create = create.described(|call| {
        let call = in_workspace(call)
            .named("createCredential", "Issue a credential")
            .about(
                "The secret is in this answer and nowhere else. Where the dialect has a login this makes a user with \
                 rights on the workspace and an open session, or with `user_id` gives a user who is there already \
                 rights on this workspace too, in force at once.",
            )
            .takes("NewCredential", new(served), json!({"name": "production"}))
            .refuses(&[ErrorCode::Conflict, ErrorCode::LimitReached])
            .idempotent();
        call.answers::<wire::IssuedCredential>(StatusCode::CREATED, "The credential, with its secret if it has one.")
            .with_header("Cache-Control", "`no-store`: the answer holds a secret")
    });
    let revoke =
        admin(Method::DELETE, "/workspaces/{workspace}/credentials/{credential}", credentials::revoke);
    let revoke = revoke.described(|call| {
        in_workspace(call)
            .id_in_path("credential", "Id of the credential.", "cred_0aB3dE6gH9jK2mN5")
            .named("revokeCredential", "Revoke a credential")
            .about(
                "It opens nothing any more once this has answered. A user whose last right it was is gone, and so is \
                 the session.",
            )
            .answers_nothing("It is revoked.")
    });
    [list, create, revoke].map(|call| call.described(|call| call.tag(TAG))).into()
}

const USERNAME: &str = "Only where the dialect has a login: the name of a new user, unique in the dialect and compared byte \
                        by byte; one is made when it is left out. No control characters, and no white space at \
                        either end.";
const PASSWORD: &str =
    "Only where the dialect has a login: the password of a new user; one is made when it is left out.";
const USER_ID: &str =
    "Only where the dialect has a login: a user who is there already, by the id that answers show.";

fn new(served: &Served) -> Value {
    let scopes = if served.scopes.is_empty() {
        json!({"type": ["array", "null"], "maxItems": 0})
    } else {
        let items = json!({"type": "string", "enum": served.scopes});
        json!({"type": ["array", "null"], "items": items, "maxItems": credentials::SCOPES_MAX})
    };
    let rights = "Rights in the words of the dialect; all that it knows when they are left out.";
    let text = |length: usize| json!({"type": ["string", "null"], "minLength": 1, "maxLength": length});
    let mut own_rights = scopes.clone();
    if !served.scopes.is_empty() {
        own_rights["minItems"] = json!(1);
    }
    let username = text(USERNAME_CHARS_MAX);
    let mut password = text(PASSWORD_BYTES_MAX);
    password["minLength"] = json!(PASSWORD_CHARS_MIN);
    let mut expires_at = or_null(instant());
    expires_at["examples"] = json!(["2099-12-31T23:59:59Z"]);
    let properties = [
        ("name", or_null(name())),
        ("scopes", about(rights, scopes.clone())),
        ("expires_at", about("An instant in the future from which on it opens nothing.", expires_at)),
        ("rights", about("Another word for `scopes`, where the dialect has a login.", own_rights)),
        ("username", about(USERNAME, username)),
        ("password", about(PASSWORD, password)),
        ("user_id", about(USER_ID, json!({"type": ["string", "integer", "null"], "minimum": 1}))),
    ];
    object(&[], &properties)
}
