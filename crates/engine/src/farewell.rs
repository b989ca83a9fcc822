//! The last event of a workspace, for those of its webhooks that want it.

use bytes::Bytes;
use signalpost_core::event::{Event, EventContent, Sequence};
use signalpost_core::id::EventId;
use signalpost_core::profile::Farewell;
use signalpost_core::template::{Scope, Template};
use signalpost_core::time::Timestamp;
use signalpost_core::workspace::Workspace;
use signalpost_store::StoreError;
use signalpost_store::catalog::{CloseWorkspace, FanOut};
use signalpost_store::ledger::AcceptEvent;

use crate::Engine;
use crate::decisions::Decisions;
use crate::fan_out::{Pace, TurnedAway};
use crate::ingest::CHOICES_MAX;
use crate::subscriptions::Subscriptions;

impl Engine {
    /// Closes a workspace with its last event, and chooses who wants it anew when webhooks have changed meanwhile.
    pub(crate) async fn say_farewell(
        &self,
        workspace: Workspace,
        farewell: &Farewell,
    ) -> Result<(), StoreError> {
        let mut answer = Err(StoreError::CatalogMoved);
        let mut turned_away = TurnedAway::default();
        // The same in each round, as what filters have said of it.
        let content = content(farewell, &workspace, self.clock.now());
        let mut decisions = Decisions::default();
        for _ in 0..CHOICES_MAX {
            let fan_out = self.store.fan_out(workspace.id).await?;
            let FanOut { workspace, version, webhooks } = fan_out.ok_or(StoreError::Missing("workspace"))?;
            let (id, accepted_at) = (EventId::from_raw(self.mint_id()), self.clock.now());
            let subscriptions = Subscriptions::of(&webhooks);
            let (mut round, mut pace) = (decisions.round(&subscriptions), Pace::by(self.clock.as_ref()));
            let targets = self.targets(&mut round, 0, &content, &mut pace).await;
            turned_away = targets.turned_away;
            let (content, targets, workspace) = (content.clone(), targets.webhooks, workspace.id);
            let event = AcceptEvent {
                id,
                workspace,
                version,
                content,
                targets,
                accepted_at,
                dedupe: None,
                ordered: Vec::new(),
            };
            answer = self.store.close_workspace(CloseWorkspace { farewell: event }).await;
            if !matches!(answer, Err(StoreError::CatalogMoved)) {
                break;
            }
        }
        if let Some(accepted) = answer? {
            self.metrics.accepted(&[accepted], &[turned_away]);
        }
        Ok(())
    }
}

/// What the profile's templates say of this workspace.
fn content(farewell: &Farewell, workspace: &Workspace, time: Timestamp) -> EventContent {
    let content = EventContent {
        producer_id: None,
        event_type: farewell.event_type.clone(),
        subject: None,
        time,
        attributes: Vec::new(),
        data: Bytes::new(),
        ordering_key: None,
    };
    let bare = Event {
        id: EventId::from_raw(0),
        workspace: workspace.id,
        sequence: Sequence(0),
        content: content.clone(),
        targets: Vec::new(),
        accepted_at: time,
        payload_removed_at: None,
    };
    let scope = Scope {
        event: &bare,
        workspace: &workspace.public_id,
        webhook: "",
        delivery: "",
        attempt_at: time,
        body: b"",
        signature: "",
    };
    let attribute = |(name, value): &(String, Template)| (name.clone(), value.render_text(scope));
    let mut attributes: Vec<_> = farewell.attributes.iter().map(attribute).collect();
    attributes.sort();
    EventContent { attributes, data: farewell.data.render(scope).into(), ..content }
}
