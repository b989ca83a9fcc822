//! What a lane needs to know of its webhook to send, loaded once and dropped at every change.

use std::cell::Cell;
use std::sync::Arc;

use signalpost_core::delivery::Cut;
use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::policy::DeliveryPolicy;
use signalpost_core::profile::Profile;
use signalpost_core::seal::{Keyring, OpenError};
use signalpost_core::secret::Secret;
use signalpost_core::sign::Signer;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::Webhook;
use signalpost_core::workspace::Workspace;
use signalpost_store::catalog::LaneRecord;

use crate::webhooks::secret_place;

#[derive(Debug)]
pub(crate) struct LaneConfig {
    pub(crate) webhook: WebhookId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) webhook_public_id: String,
    pub(crate) workspace_public_id: String,
    pub(crate) profile: Arc<Profile>,
    pub(crate) policy: DeliveryPolicy,
    /// The URL and the signer, or why no request can be made.
    pub(crate) target: Result<Target, String>,
    /// Whatever was born up to here has been ended.
    pub(crate) cut_upto: Option<Sequence>,
    pub(crate) consecutive_failures: u32,
    /// Set when the webhook changed: an attempt that was planned under this and has not begun must not begin.
    pub(crate) superseded: Cell<bool>,
}

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) url: Arc<TargetUrl>,
    pub(crate) signer: Option<Signer>,
}

/// What a webhook is good for right now.
pub(crate) enum Loaded {
    /// Deleted or disabled: nothing is to be sent.
    Closed,
    /// Its secret does not open, which is the operator's to mend: nothing is sent, and nothing is given up.
    Locked(OpenError),
    Open(Box<LaneConfig>),
}

impl Loaded {
    pub(crate) fn from_record(record: LaneRecord, profile: Arc<Profile>, keyring: &Keyring) -> Self {
        let LaneRecord { webhook, workspace, cuts } = record;
        if !webhook.state.is_active() {
            return Self::Closed;
        }
        let place = secret_place(webhook.workspace, webhook.id);
        match webhook.secret.as_ref().map(|sealed| keyring.open(place, sealed)).transpose() {
            Ok(secret) => Self::Open(Box::new(LaneConfig::new(webhook, workspace, &cuts, profile, secret))),
            Err(error) => Self::Locked(error),
        }
    }
}

impl LaneConfig {
    fn new(
        webhook: Webhook,
        workspace: Workspace,
        cuts: &[Cut],
        profile: Arc<Profile>,
        secret: Option<Secret>,
    ) -> Self {
        let parsed = TargetUrl::parse(&webhook.url).map_err(|problem| format!("the stored URL {problem}"));
        let target = parsed.and_then(|url| {
            let signer = |secret| Signer::new(profile.delivery.signature.clone(), &secret);
            let signer = secret.map(signer).transpose().map_err(|error| error.to_string())?;
            Ok(Target { url: Arc::new(url), signer })
        });
        Self {
            webhook: webhook.id,
            workspace: workspace.id,
            webhook_public_id: webhook.public_id,
            workspace_public_id: workspace.public_id,
            policy: profile.delivery.policy.with(&workspace.policy),
            profile,
            target,
            cut_upto: cuts.iter().map(|cut| cut.upto).max(),
            consecutive_failures: webhook.consecutive_failures,
            superseded: Cell::new(false),
        }
    }
}
