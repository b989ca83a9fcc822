//! What an attempt needs to begin: that its webhook is this node's.

use std::sync::Arc;

use signalpost_core::id::WebhookId;
use signalpost_core::lane_group::{GroupEpoch, LaneGroup};

use crate::Engine;

/// Given when an attempt is planned, and looked at once more when it begins.
pub(crate) struct Permit {
    engine: Arc<Engine>,
    group: LaneGroup,
    pub(crate) epoch: GroupEpoch,
}

impl Permit {
    /// `None` for a webhook that is another node's.
    pub(crate) fn of(engine: &Arc<Engine>, webhook: WebhookId) -> Option<Self> {
        let group = LaneGroup::of(webhook);
        let epoch = engine.ownership.epoch_of(group)?;
        Some(Self { engine: Arc::clone(engine), group, epoch })
    }

    /// Whether the webhook is still this node's, and certainly so.
    pub(crate) fn holds(&self) -> bool {
        let Engine { ownership, clock, .. } = &*self.engine;
        ownership.epoch_of(self.group) == Some(self.epoch) && ownership.is_trusted(clock.monotonic())
    }
}
