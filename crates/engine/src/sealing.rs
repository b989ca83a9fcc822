//! Where a webhook's secrets and headers are sealed, and how.

use signalpost_core::custom_header::{CustomHeader, HEADER_FIELD, HeadersChange, TooManyHeaders, merged};
use signalpost_core::error::Error;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::seal::Place;
use signalpost_core::secret::{SealedSecret, Secret};
use signalpost_core::webhook::{SECRET_FIELD, Webhook};

use crate::Engine;

/// The newest secret's place and that of those before it.
pub(crate) fn secret_place(workspace: WorkspaceId, webhook: WebhookId) -> Place {
    Place { workspace: workspace.raw(), object: webhook.raw(), field: SECRET_FIELD }
}

pub(crate) fn header_place(workspace: WorkspaceId, webhook: WebhookId) -> Place {
    Place { workspace: workspace.raw(), object: webhook.raw(), field: HEADER_FIELD }
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

    /// The same change with its values sealed, for a store to merge. `Invalid` when there would be too many.
    pub(crate) fn sealed_change(
        &self,
        webhook: &Webhook,
        change: HeadersChange<Secret>,
    ) -> Result<HeadersChange<SealedSecret>, Error> {
        let sealed = self.sealed_headers(webhook.workspace, webhook.id, change);
        merged(&webhook.headers, &sealed).map_err(too_many)?;
        Ok(sealed)
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
