//! The one table of the native API: what can be called, by whom, and how it is described. One file for each group.
//!
//! `GET` needs the scope `read`, publishing `publish`, everything else `admin`.

mod cluster;
mod credentials;
mod deliveries;
mod desk;
mod events;
mod keys;
mod replays;
mod storage;
mod webhooks;
mod workspaces;

use std::sync::Arc;

use axum::handler::Handler;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::profile::IdForm;
use signalpost_core::scope::Scope;

pub(super) use self::cluster::operations as about_the_cluster;
use super::{Surface, choose};
use crate::dialect::Dialect;
use crate::kit::description::{Content, Description, Shape};
use crate::kit::operation::{Access, Operation};

type NativeOperation = Operation<Arc<Surface>>;

/// The example workspace of every path.
const WORKSPACE: &str = "ws_4fT7dK2mQ9xZ1bNc";

/// Groups in the order in which a newcomer meets them.
pub(crate) const TAGS: [(&str, &str); 12] = [
    ("Workspaces", "Tenants and how they are served."),
    (
        "Credentials",
        "API keys with which the customers of a workspace call its dialect on the public address.",
    ),
    ("Events", "Publish what happened, and look at what was published."),
    ("Webhooks", "Subscriptions. Changes through this API are for workspaces of the native dialect."),
    ("Deliveries", "What became of each event for each webhook."),
    (
        "Replays",
        "Sending many deliveries again, or to another webhook: planned, looked at, and sent at a steady rate.",
    ),
    ("Storage", "What the whole store takes, and the rules that keep it so."),
    ("Cluster", "The processes that share one store, and which of them delivers what."),
    (
        "Keys",
        "Operator keys with fewer rights than the installation's own: by scope, by workspace, for a time.",
    ),
    ("Portal", "Letting customers of a workspace into their pages on the public address."),
    ("Operators", "People who sign in at the dashboard, and what was done."),
    ("Operation", "Health, metrics and documents; open to whoever reaches the operator address."),
];

/// What the dialects that are served permit, for the schemas of requests.
pub(super) struct Served {
    dialects: Vec<String>,
    /// Forms of workspace ids, in the order of `dialects`.
    workspace_ids: Vec<IdForm>,
    features: Vec<String>,
    /// Scopes of customers' credentials.
    scopes: Vec<String>,
    /// Names of further attributes of events.
    attributes: Vec<String>,
}

impl Served {
    pub(super) fn by(dialects: &[Dialect]) -> Self {
        let collected = |of: fn(&Dialect) -> Vec<String>| {
            let mut names: Vec<String> = dialects.iter().flat_map(of).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let mut named: Vec<&Dialect> = dialects.iter().collect();
        named.sort_unstable_by_key(|dialect| &dialect.name);
        Self {
            dialects: named.iter().map(|dialect| dialect.name.clone()).collect(),
            workspace_ids: named.iter().map(|dialect| dialect.profile.workspace_id.clone()).collect(),
            features: collected(|dialect| dialect.profile.features.clone()),
            scopes: collected(|dialect| dialect.profile.scopes.clone()),
            attributes: collected(|dialect| {
                dialect.profile.attributes.iter().map(|rule| rule.name.clone()).collect()
            }),
        }
    }
}

/// Everything below the base path of the API.
pub(super) fn operations(served: &Served) -> Vec<NativeOperation> {
    let groups = [
        workspaces::operations(served),
        credentials::operations(served),
        events::operations(served),
        webhooks::operations(),
        deliveries::operations(),
        replays::operations(),
        storage::operations(),
        cluster::operations(),
        keys::operations(),
        desk::operations(),
    ];
    groups.into_iter().flatten().collect()
}

/// A call that looks and changes nothing.
fn read<H, T>(path: &'static str, handler: H) -> NativeOperation
where
    H: Handler<T, Arc<Surface>>,
    T: 'static,
{
    scoped(Method::GET, path, Access::Scope(Scope::Read), handler)
}

/// As [`read`], of which a key that is bound to a workspace sees its own part.
fn read_own_part<H, T>(path: &'static str, handler: H) -> NativeOperation
where
    H: Handler<T, Arc<Surface>>,
    T: 'static,
{
    scoped(Method::GET, path, Access::OwnPart(Scope::Read), handler)
}

/// A call that publishes.
fn publish<H, T>(path: &'static str, handler: H) -> NativeOperation
where
    H: Handler<T, Arc<Surface>>,
    T: 'static,
{
    let access = Access::Scope(Scope::Publish);
    changing(described(Operation::ending_with_its_commit(path, access, handler)))
}

/// A call that changes anything else.
fn admin<H, T>(method: Method, path: &'static str, handler: H) -> NativeOperation
where
    H: Handler<T, Arc<Surface>>,
    T: 'static,
{
    changing(scoped(method, path, Access::Scope(Scope::Admin), handler))
}

/// As [`admin`], for a key that is bound to a workspace within its own part.
fn admin_of_own_part<H, T>(method: Method, path: &'static str, handler: H) -> NativeOperation
where
    H: Handler<T, Arc<Surface>>,
    T: 'static,
{
    changing(scoped(method, path, Access::OwnPart(Scope::Admin), handler))
}

fn scoped<H, T>(method: Method, path: &'static str, access: Access, handler: H) -> NativeOperation
where
    H: Handler<T, Arc<Surface>>,
    T: 'static,
{
    described(Operation::new(method, path, access, handler))
}

fn described(operation: NativeOperation) -> NativeOperation {
    operation.described(|call| {
        call.refuses(&[
            ErrorCode::Unauthenticated,
            ErrorCode::Forbidden,
            ErrorCode::RateLimited,
            ErrorCode::Unavailable,
            ErrorCode::Internal,
        ])
    })
}

/// What is stored needs room.
fn changing(operation: NativeOperation) -> NativeOperation {
    operation.described(|call| call.refuses(&[ErrorCode::StorageFull]))
}

/// Where an installation is divided, which of its databases a call is about that names nothing of one.
fn of_cell(call: Description) -> Description {
    let about = "The number of a cell, where the installation is divided into several databases. Without it: the one for new \
         workspaces to make one, else the first.";
    call.header(choose::HEADER, about)
}

/// The path's first id, of everything that stands below a workspace.
fn in_workspace(call: Description) -> Description {
    call.id_in_path("workspace", "Id of the workspace.", WORKSPACE)
}

/// A 201 whose body holds a secret that is shown this once.
fn issues<T: schemars::JsonSchema>(call: Description, about: &'static str) -> Description {
    call.answers::<T>(StatusCode::CREATED, about).with_secret()
}

/// A body of lines, each a JSON value of its own.
fn lines(of: &'static str, example: Value) -> Content {
    let about = format!("One `{of}` a line, in JSON. Empty lines count for nothing.");
    let schema = Shape::Inline(json!({"type": "string", "description": about}));
    Content { media_type: "application/x-ndjson", schema, example: Some(example) }
}
