//! What a workspace has to have before its webhooks are sent anything by hand.

use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::View;

/// `Forbidden` where webhooks are a feature that the workspace does not have.
pub(super) fn check_feature(view: &View) -> Result<(), Error> {
    match &view.profile.webhook_form.feature {
        Some(feature) if !view.workspace.features.contains(feature) => {
            let message =
                format!("this workspace does not have the feature `{feature}`, which webhooks need");
            Err(Error::new(ErrorCode::Forbidden, message))
        }
        _ => Ok(()),
    }
}
