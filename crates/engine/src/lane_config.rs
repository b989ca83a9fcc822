//! What a lane needs to know of its webhook to send, loaded once and dropped at every change.

use std::sync::Arc;

use signalpost_core::delivery::Cut;
use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::policy::DeliveryPolicy;
use signalpost_core::profile::Profile;
use signalpost_core::seal::Keyring;
use signalpost_core::sign::Signer;
use signalpost_core::target_url::TargetUrl;
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
    Open(Box<LaneConfig>),
}

impl Loaded {
    pub(crate) fn from_record(record: LaneRecord, profile: Arc<Profile>, keyring: &Keyring) -> Self {
        if record.webhook.state.is_active() {
            Self::Open(Box::new(LaneConfig::new(record, profile, keyring)))
        } else {
            Self::Closed
        }
    }
}

impl LaneConfig {
    fn new(record: LaneRecord, profile: Arc<Profile>, keyring: &Keyring) -> Self {
        let LaneRecord { webhook, workspace, cuts } = record;
        let target = TargetUrl::parse(&webhook.url)
            .map_err(|problem| format!("the stored URL {problem}"))
            .and_then(|url| {
                let place = secret_place(webhook.workspace, webhook.id);
                let open = |sealed| keyring.open(place, sealed).map_err(|error| error.to_string());
                let secret = webhook.secret.as_ref().map(open).transpose()?;
                let recipe = || profile.delivery.signature.clone();
                let signer =
                    secret.map(|secret| Signer::new(recipe(), &secret).map_err(|error| error.to_string()));
                Ok(Target { url: Arc::new(url), signer: signer.transpose()? })
            });
        Self {
            webhook: webhook.id,
            workspace: workspace.id,
            webhook_public_id: webhook.public_id,
            workspace_public_id: workspace.public_id,
            policy: profile.delivery.policy.with(&workspace.policy),
            profile,
            target,
            cut_upto: cuts.iter().map(|cut: &Cut| cut.upto).max(),
            consecutive_failures: webhook.consecutive_failures,
        }
    }
}
