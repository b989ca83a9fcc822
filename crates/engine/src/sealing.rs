//! Where a webhook's secrets, headers and password are sealed, and how.

use signalpost_core::basic_auth::{LoginChange, PASSWORD_FIELD};
use signalpost_core::custom_header::{CustomHeader, HEADER_FIELD, HeadersChange, TooManyHeaders, merged};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::seal::{OpenError, Place};
use signalpost_core::secret::{SealedSecret, Secret};
use signalpost_core::webhook::{SECRET_FIELD, Webhook};

use crate::Engine;
use crate::logins::check_sole;

/// The newest secret's place and that of those before it.
pub(crate) fn secret_place(workspace: WorkspaceId, webhook: WebhookId) -> Place {
    Place { workspace: workspace.raw(), object: webhook.raw(), field: SECRET_FIELD }
}

pub(crate) fn header_place(workspace: WorkspaceId, webhook: WebhookId) -> Place {
    Place { workspace: workspace.raw(), object: webhook.raw(), field: HEADER_FIELD }
}

pub(crate) fn password_place(workspace: WorkspaceId, webhook: WebhookId) -> Place {
    Place { workspace: workspace.raw(), object: webhook.raw(), field: PASSWORD_FIELD }
}

/// For a caller who asked to see a secret.
pub(crate) fn unopened(cause: OpenError) -> Error {
    let message =
        "a secret stored here does not open with the server's master keys; its operator has to mend that";
    Error { cause: Some(cause.into()), ..Error::new(ErrorCode::Unavailable, message) }
}

impl Engine {
    pub(crate) fn seal_secret(
        &self,
        workspace: WorkspaceId,
        webhook: WebhookId,
        secret: &Secret,
    ) -> SealedSecret {
        self.keyring.seal(secret_place(workspace, webhook), secret, self.random.as_ref())
    }

    /// The headers of a webhook after a change. `Invalid` when there would be too many.
    pub(crate) fn merged_headers(
        &self,
        workspace: WorkspaceId,
        webhook: WebhookId,
        present: &[CustomHeader],
        change: HeadersChange<Secret>,
    ) -> Result<Vec<CustomHeader>, Error> {
        merged(present, &self.sealed_headers(workspace, webhook, change)).map_err(too_many)
    }

    /// The same changes with their values sealed, for a store to merge. `Invalid` when there would be too many headers, or
    /// a login and a header that exclude one another.
    pub(crate) fn sealed_changes(
        &self,
        webhook: &Webhook,
        headers: Option<HeadersChange<Secret>>,
        login: LoginChange<Secret>,
    ) -> Result<(Option<HeadersChange<SealedSecret>>, LoginChange<SealedSecret>), Error> {
        let (workspace, id) = (webhook.workspace, webhook.id);
        let headers = headers.map(|change| self.sealed_headers(workspace, id, change));
        let login = self.sealed_login(workspace, id, login);
        let headers_after = match &headers {
            Some(change) => &merged(&webhook.headers, change).map_err(too_many)?,
            None => &webhook.headers,
        };
        check_sole(&webhook.login.after(&login), headers_after)?;
        Ok((headers, login))
    }

    fn sealed_headers(
        &self,
        workspace: WorkspaceId,
        webhook: WebhookId,
        change: HeadersChange<Secret>,
    ) -> HeadersChange<SealedSecret> {
        let place = header_place(workspace, webhook);
        let seal = |secret: Secret| self.keyring.seal(place, &secret, self.random.as_ref());
        match change {
            HeadersChange::Clear => HeadersChange::Clear,
            HeadersChange::Merge(headers) => HeadersChange::Merge(
                headers
                    .into_iter()
                    .map(|(name, value)| (name.to_ascii_lowercase(), value.map(seal)))
                    .collect(),
            ),
        }
    }
}

fn too_many(problem: TooManyHeaders) -> Error {
    Error::field("headers", problem.to_string())
}
