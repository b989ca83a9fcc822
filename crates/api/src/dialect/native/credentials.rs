//! `/v1/workspaces/{workspace}/credentials`: API keys of the workspace's customers, and users with rights on it where its
//! dialect has a login.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::Error;
use signalpost_core::id::CredentialId;
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_engine::View;
use signalpost_engine::credentials::{IssuedCredential, NewCredential};
use signalpost_engine::once::Stale;
use signalpost_engine::operator::Operator;

use super::{Shared, Surface, convert, credential_wire as wire, users};
use crate::kit::body::{ReadBody, read_json};
use crate::kit::fields::Fields;
use crate::kit::idempotency::{self, Announced, Repeatable};
use crate::kit::json::Object;
use crate::kit::page::Page;
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::{instant, reply};

/// More than any dialect has; what is unknown among them is refused by name.
pub(super) const SCOPES_MAX: usize = 64;

/// Members that make sense for users alone.
const OF_USERS: [&str; 4] = ["rights", "username", "password", "user_id"];

pub(super) async fn create(
    State(surface): Shared,
    Extension(caller): Extension<Operator>,
    Ids([workspace]): Ids<1>,
    request: Request,
) -> Answer {
    let announced = Announced::of("createCredential", &request)?;
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let view = surface.engine.workspace(&workspace).await?;
    let call = announced.with(&body);
    match view.profile.login {
        Some(_) => users::create(&surface, &caller, &view, call, body).await,
        None => create_key(&surface, &view, call, body).await,
    }
}

async fn create_key(surface: &Surface, view: &View, call: Repeatable, body: ReadBody) -> Answer {
    let make = async {
        let mut fields = Fields::new(Object::parse(&body)?);
        let name = fields.optional_text("name");
        let scopes = fields.texts("scopes", SCOPES_MAX).given();
        let expires_at = fields.optional_text("expires_at");
        let expires_at = expires_at.and_then(|text| fields.check("expires_at", instant::parse(&text)));
        for name in OF_USERS {
            if fields.raw(name).given().is_some() {
                fields.note(name, "workspaces of this dialect have no users who log in");
            }
        }
        fields.refuse_rest("is not a property of a credential");
        fields.finish()?;
        let new = NewCredential { name, scopes, expires_at };
        let show = |issued: &IssuedCredential| {
            idempotency::kept(StatusCode::CREATED, "", &convert::issued_key(issued))
        };
        let workspace = &view.workspace.public_id;
        let done = surface.engine.create_credential(workspace, new, call.keep(&show)).await?;
        idempotency::answer(done, show)
    };
    call.once(&surface.engine, Some(view.workspace.id), Stale::Nothing, make).await
}

pub(super) async fn list(State(surface): Shared, Ids([workspace]): Ids<1>) -> Answer {
    let workspace = surface.engine.workspace_id(&workspace).await?;
    let keys = surface.engine.list_credentials(workspace).await?;
    let keys = keys.into_iter().map(|key| wire::Credential::Key(convert::credential(key)));
    let rights = surface.engine.list_rights(workspace).await?;
    let rights = rights.iter().map(|held| wire::Credential::User(convert::held_right(held)));
    reply::json(StatusCode::OK, &Page { data: keys.chain(rights).collect(), next_cursor: None })
}

pub(super) async fn revoke(State(surface): Shared, Ids([workspace, credential]): Ids<2>) -> Answer {
    let workspace = surface.engine.gone_everywhere(surface.engine.workspace_id(&workspace).await).await?;
    let credential = CredentialId::from_public(&credential).ok_or_else(|| Error::not_found("credential"))?;
    surface.engine.revoke_credential(workspace, credential).await?;
    Ok(reply::no_content())
}
