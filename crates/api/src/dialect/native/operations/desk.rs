//! Calls about those who operate, and about customers at the portal.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::{
    PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PORTAL_LINK_MS_DEFAULT, PORTAL_LINK_MS_MAX, PORTAL_MS_MIN,
    PORTAL_NAME_CHARS_MAX, PORTAL_SESSION_MS_MAX, USERNAME_CHARS_MAX,
};
use signalpost_core::portal_rights::PortalRights;
use signalpost_core::role::Role;
use signalpost_core::scope::Scope;

use super::{NativeOperation, admin, in_workspace, scoped};
use crate::dialect::native::{audit, desk_wire as wire, operator_sessions, operators, portal};
use crate::kit::description::Description;
use crate::kit::operation::Access;
use crate::kit::page::Page;
use crate::kit::schema::{about, object, or_null};

const PORTAL: &str = "Portal";
const OPERATORS: &str = "Operators";

pub(super) fn operations() -> Vec<NativeOperation> {
    let portal = [portal_links(), portal_sessions()];
    let portal = portal.map(|call| call.described(|call| call.tag(PORTAL)));
    let desk = [
        list_operators(),
        create_operator(),
        update_operator(),
        delete_operator(),
        list_sessions(),
        end_session(),
        list_audit(),
    ];
    let desk = desk.map(|call| call.described(|call| call.tag(OPERATORS)));
    portal.into_iter().chain(desk).collect()
}

fn portal_links() -> NativeOperation {
    admin(Method::POST, "/workspaces/{workspace}/portal-links", portal::create_link).described(|call| {
        in_workspace(call)
            .named("createPortalLink", "Make a link to the portal")
            .about(
                "Whoever follows it is let into the portal of this workspace, on the public address. It is not stored: it is good \
                 until its end, however often it is followed, unless all sessions are ended before.",
            )
            .takes("NewPortalLink", new_link(), json!({"rights": "manage", "name": "ann@example.com"}))
            .refuses(&[ErrorCode::Conflict])
            .answers::<wire::PortalLink>(StatusCode::CREATED, "The link.")
            .with_header("Cache-Control", "`no-store`: the answer holds a secret")
    })
}

fn portal_sessions() -> NativeOperation {
    admin(Method::DELETE, "/workspaces/{workspace}/portal-sessions", portal::end_sessions).described(|call| {
        in_workspace(call)
            .named("endPortalSessions", "End all sessions at the portal")
            .about(
                "Once this has answered nobody is there, and no link that was made before lets anybody in.",
            )
            .answers_nothing("They have ended.")
    })
}

fn list_operators() -> NativeOperation {
    scoped(Method::GET, "/operators", Access::Scope(Scope::Admin), operators::list).described(|call| {
        call.named("listOperators", "List operators")
            .about("Oldest first, without their passwords.")
            .paged()
            .answers::<Page<wire::OperatorAccount>>(StatusCode::OK, "A page of operators.")
    })
}

fn create_operator() -> NativeOperation {
    admin(Method::POST, "/operators", operators::create).described(|call| {
        call.named("createOperator", "Make an account for an operator")
            .about("Without a password one is made; it is in this answer and nowhere else.")
            .takes("NewOperator", new_operator(), json!({"username": "ann@example.com", "role": "support"}))
            .refuses(&[ErrorCode::Conflict, ErrorCode::LimitReached])
            .answers::<wire::OperatorAccount>(StatusCode::CREATED, "The operator.")
            .with_header("Cache-Control", "`no-store`: the answer may hold a secret")
    })
}

fn update_operator() -> NativeOperation {
    admin(Method::PATCH, "/operators/{operator}", operators::update).described(|call| {
        in_operator(call)
            .named("updateOperator", "Give an operator another role or password")
            .about(
                "Ends the operator's sessions. With `null` for the password a new one is made; it is in this answer and nowhere else.",
            )
            .takes("OperatorChange", operator_change(), json!({"role": "viewer"}))
            .answers::<wire::OperatorAccount>(StatusCode::OK, "The operator after the change.")
            .with_header("Cache-Control", "`no-store`: the answer may hold a secret")
    })
}

fn delete_operator() -> NativeOperation {
    admin(Method::DELETE, "/operators/{operator}", operators::delete).described(|call| {
        in_operator(call)
            .named("deleteOperator", "Delete an operator")
            .about("The operator's sessions let nobody in any more once this has answered.")
            .answers_nothing("It is deleted.")
    })
}

fn list_sessions() -> NativeOperation {
    let path = "/operator-sessions";
    scoped(Method::GET, path, Access::Scope(Scope::Admin), operator_sessions::list).described(|call| {
        call.named("listOperatorSessions", "List who is signed in")
            .about("Sessions at the dashboard that are good now, newest first.")
            .paged()
            .answers::<Page<wire::OperatorSession>>(StatusCode::OK, "A page of sessions.")
    })
}

fn end_session() -> NativeOperation {
    admin(Method::DELETE, "/operator-sessions/{session}", operator_sessions::end).described(|call| {
        call.id_in_path("session", "Id of the session.", "ops_0aB3dE6gH9jK2mN5")
            .named("endOperatorSession", "Sign somebody out")
            .answers_nothing("It has ended, and lets nobody in.")
    })
}

fn list_audit() -> NativeOperation {
    scoped(Method::GET, "/audit", Access::Scope(Scope::Admin), audit::list).described(|call| {
        let text = |about: &str| json!({"type": "string", "description": about});
        call.named("listAudit", "Look what was done")
            .about(
                "By operators and by customers at the portal, newest first, for 400 days. With a filter a page may be short, even \
                 empty, and still have a next one.",
            )
            .query("workspace", "Only what concerns the workspace with this id, also one that is gone.", text("An id."))
            .query("action", "Only actions that begin with these words.", text("`webhook` leads to `webhook.delete`."))
            .query("by", "Only what this one did: `root`, or an id.", text("Of a key, an operator, or a session at the portal."))
            .paged()
            .answers::<Page<wire::Act>>(StatusCode::OK, "A page of the record.")
    })
}

fn in_operator(call: Description) -> Description {
    call.id_in_path("operator", "Id of the operator.", "opa_0aB3dE6gH9jK2mN5")
}

fn new_link() -> Value {
    let rights = json!({
        "type": "string", "enum": PortalRights::ALL.map(PortalRights::name), "default": PortalRights::Manages.name()
    });
    let name = json!({"type": "string", "minLength": 1, "maxLength": PORTAL_NAME_CHARS_MAX});
    let time = |ms_max: i64, ms: i64| {
        let (minimum, maximum) = (PORTAL_MS_MIN / 1_000, ms_max / 1_000);
        or_null(json!({"type": "integer", "minimum": minimum, "maximum": maximum, "default": ms / 1_000}))
    };
    let link_time = time(PORTAL_LINK_MS_MAX, PORTAL_LINK_MS_DEFAULT);
    let session_time = time(PORTAL_SESSION_MS_MAX, PORTAL_SESSION_MS_MAX);
    let properties = [
        ("rights", about("What the customer may do; `read` looks and changes nothing.", or_null(rights))),
        (
            "name",
            about("What the customer is called on record, for example an e-mail address.", or_null(name)),
        ),
        ("expires_in_s", about("Seconds for which the link opens the portal.", link_time)),
        ("session_s", about("Seconds for which a session lasts that it opens.", session_time)),
    ];
    object(&[], &properties)
}

fn new_operator() -> Value {
    let username = json!({"type": "string", "minLength": 1, "maxLength": USERNAME_CHARS_MAX});
    let properties = [
        ("username", about("With which they sign in; each has one of their own.", username)),
        ("role", about("What they may do.", role())),
        ("password", about("One is made without it.", or_null(password()))),
    ];
    object(&["username", "role"], &properties)
}

fn operator_change() -> Value {
    let properties = [
        ("role", about("What they may do.", role())),
        ("password", about("One is made for `null`.", or_null(password()))),
    ];
    object(&[], &properties)
}

fn role() -> Value {
    json!({"type": "string", "enum": Role::ALL.map(Role::name)})
}

fn password() -> Value {
    json!({"type": "string", "minLength": PASSWORD_CHARS_MIN, "maxLength": PASSWORD_BYTES_MAX})
}
