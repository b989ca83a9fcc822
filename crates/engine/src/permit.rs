//! What an attempt needs to begin: that its webhook is this node's.

use std::sync::Arc;

use signalpost_core::id::WebhookId;
use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_core::ports::Clock;
use signalpost_store::Ownership;
use signalpost_store::ownership::UnderWay;

/// Given when an attempt is planned, and looked at once more when it begins.
pub(crate) struct Permit {
    ownership: Arc<Ownership>,
    clock: Arc<dyn Clock>,
    group: LaneGroup,
    pub(crate) epoch: GroupEpoch,
}

impl Permit {
    /// `None` for a webhook that is another node's.
    pub(crate) fn of(ownership: &Arc<Ownership>, clock: &Arc<dyn Clock>, webhook: WebhookId) -> Option<Self> {
        let group = LaneGroup::of(webhook);
        let epoch = ownership.epoch_of(group)?;
        Some(Self { ownership: Arc::clone(ownership), clock: Arc::clone(clock), group, epoch })
    }

    /// From here on the attempt is under way.
    pub(crate) fn begin(&self) -> UnderWay {
        self.ownership.begin(self.group)
    }

    /// Whether the webhook is still this node's, and certainly so.
    pub(crate) fn holds(&self) -> bool {
        let Self { ownership, clock, group, epoch } = self;
        ownership.epoch_of(*group) == Some(*epoch) && ownership.is_trusted(clock.monotonic())
    }
}
