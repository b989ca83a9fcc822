//! A webhook's login at its receiver: judged, sealed, and shown where a contract says so.

use signalpost_core::basic_auth::{
    AUTHORIZATION, Login, LoginChange, TwoAuthorizations, check_password, check_user,
};
use signalpost_core::custom_header::CustomHeader;
use signalpost_core::error::{Error, FieldErrors};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::profile::Profile;
use signalpost_core::secret::{SealedSecret, Secret};
use signalpost_core::webhook::Webhook;

use crate::Engine;
use crate::sealing::{password_place, unopened};

/// What is to be set of a login.
pub(crate) fn check_login(
    errors: &mut FieldErrors,
    profile: &Profile,
    user: Option<&str>,
    password: Option<&Secret>,
) {
    errors.take("login/user", user.map_or(Ok(()), check_user));
    errors.take("login/password", password.map_or(Ok(()), check_password));
    if user.is_some() || password.is_some() {
        errors.take("login", profile.check_header_name(AUTHORIZATION));
    }
}

/// `Invalid` at the header: the login may be older than the call.
pub(crate) fn check_sole(login: &Login, headers: &[CustomHeader]) -> Result<(), Error> {
    let refused = |two: TwoAuthorizations| Error::field("headers/authorization", two.to_string());
    login.check_beside(headers).map_err(refused)
}

impl Engine {
    /// The same change with its password sealed.
    pub(crate) fn sealed_login(
        &self,
        workspace: WorkspaceId,
        webhook: WebhookId,
        change: LoginChange<Secret>,
    ) -> LoginChange<SealedSecret> {
        let place = password_place(workspace, webhook);
        let seal = |password: Secret| self.keyring.seal(place, &password, self.random.as_ref());
        LoginChange { user: change.user, password: change.password.map(|password| password.map(seal)) }
    }

    /// For contracts that show it; no other surface may. `Unavailable` when no master key opens it.
    pub fn reveal_login_password(&self, webhook: &Webhook) -> Result<Option<Secret>, Error> {
        let place = password_place(webhook.workspace, webhook.id);
        let open = |sealed| self.keyring.open(place, sealed).map_err(unopened);
        webhook.login.password.as_ref().map(open).transpose()
    }
}
