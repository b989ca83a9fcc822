//! `/v1/workspaces/{workspace}/credentials`: API keys of the workspace's customers.

use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::Error;
use signalpost_core::id::CredentialId;
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_engine::credentials::{IssuedCredential, NewCredential};
use signalpost_engine::once::Stale;

use super::{Shared, convert};
use crate::kit::body::read_json;
use crate::kit::fields::Fields;
use crate::kit::idempotency::{self, Announced};
use crate::kit::json::Object;
use crate::kit::page::Page;
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::{instant, reply};

/// More than any dialect has; what is unknown among them is refused by name.
pub(super) const SCOPES_MAX: usize = 64;

pub(super) async fn create(State(surface): Shared, Ids([workspace]): Ids<1>, request: Request) -> Answer {
    let announced = Announced::of("createCredential", &request)?;
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let view = surface.engine.workspace(&workspace).await?;
    let call = announced.with(&body);
    let make = async {
        let mut fields = Fields::new(Object::parse(&body)?);
        let name = fields.optional_text("name");
        let scopes = fields.texts("scopes", SCOPES_MAX).given();
        let expires_at = fields.optional_text("expires_at");
        let expires_at = expires_at.and_then(|text| fields.check("expires_at", instant::parse(&text)));
        fields.refuse_rest("is not a property of a credential");
        fields.finish()?;
        let new = NewCredential { name, scopes, expires_at };
        let show = |issued: &IssuedCredential| {
            let shown = convert::credential(issued.credential.clone(), Some(&issued.secret));
            idempotency::kept(StatusCode::CREATED, "", &shown)
        };
        let done = surface.engine.create_credential(&workspace, new, call.keep(&show)).await?;
        idempotency::answer(done, show)
    };
    call.once(&surface.engine, Some(view.workspace.id), Stale::Nothing, make).await
}

pub(super) async fn list(State(surface): Shared, Ids([workspace]): Ids<1>) -> Answer {
    let workspace = surface.engine.workspace_id(&workspace).await?;
    let credentials = surface.engine.list_credentials(workspace).await?;
    let data = credentials.into_iter().map(|credential| convert::credential(credential, None)).collect();
    reply::json(StatusCode::OK, &Page { data, next_cursor: None })
}

pub(super) async fn revoke(State(surface): Shared, Ids([workspace, credential]): Ids<2>) -> Answer {
    let workspace = surface.engine.workspace_id(&workspace).await?;
    let credential = CredentialId::from_public(&credential).ok_or_else(|| Error::not_found("credential"))?;
    surface.engine.revoke_credential(workspace, credential).await?;
    Ok(reply::no_content())
}
