//! What the dialect of a workspace lets be done to its webhooks. Customers keep to it, and so do those who operate; but these see and
//! replace secrets in every dialect.

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::webhook_form::{ChangeRule, SecretRule, SwitchRule};
use signalpost_engine::View;

use crate::visit::Visit;

/// `Forbidden` where webhooks are a feature that the workspace does not have.
pub(in crate::pages) fn check_feature(view: &View) -> Result<(), Error> {
    match &view.profile.webhook_form.feature {
        Some(feature) if !view.workspace.features.contains(feature) => {
            let message =
                format!("this workspace does not have the feature `{feature}`, which webhooks need");
            Err(Error::new(ErrorCode::Forbidden, message))
        }
        _ => Ok(()),
    }
}

/// `Forbidden` where a webhook stays as it was made.
pub(super) fn check_changes(view: &View) -> Result<(), Error> {
    check_feature(view)?;
    match view.profile.webhook_form.changes {
        ChangeRule::Nothing => {
            Err(forbidden("webhooks of this dialect are not changed: make another, and delete this one"))
        }
        ChangeRule::AllButSubject | ChangeRule::All => Ok(()),
    }
}

/// `Forbidden` where a webhook's owner cannot switch it.
pub(super) fn check_switching(view: &View) -> Result<(), Error> {
    check_feature(view)?;
    match view.profile.webhook_form.switching {
        SwitchRule::Never => Err(forbidden(
            "webhooks of this dialect are not switched: make another, or delete the one that is off",
        )),
        SwitchRule::OffAndOn => Ok(()),
    }
}

/// `Forbidden` for customers of a dialect that shows a secret once.
pub(super) fn check_secret(visit: &Visit, view: &View) -> Result<(), Error> {
    check_feature(view)?;
    if is_seen_once(visit, view) {
        return Err(forbidden("a secret is shown when the webhook is made, and never again in this dialect"));
    }
    Ok(())
}

/// Whether this is somebody who sees the secret of a webhook when it is made, or not at all.
pub(super) fn is_seen_once(visit: &Visit, view: &View) -> bool {
    visit.who.at_portal_of().is_some() && view.profile.webhook_form.secret == SecretRule::Once
}

fn forbidden(message: &str) -> Error {
    Error::new(ErrorCode::Forbidden, message)
}
