//! The model's closing of a workspace: one last event, and the webhooks that wait for its delivery to end.

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::{Cut, CutReason};
use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};

use super::catalog::wipe;
use super::data::{Data, Life};
use crate::StoreError;
use crate::catalog::{CloseWorkspace, EraseWorkspace};
use crate::ledger::{Accepted, Finished, Stored};

impl Data {
    pub(super) fn close_workspace(
        &mut self,
        params: CloseWorkspace,
        stored: &mut Vec<Stored>,
    ) -> Result<Option<Accepted>, StoreError> {
        let CloseWorkspace { farewell } = params;
        let (workspace, at) = (farewell.workspace, farewell.accepted_at);
        let row = self.living_workspace(workspace).ok_or(StoreError::Missing("workspace"))?;
        if row.version != farewell.version {
            return Err(StoreError::CatalogMoved);
        }
        let (event, targets) = (farewell.id, farewell.targets.clone());
        for webhook in &targets {
            self.cut(*webhook, at, CutReason::Deleted);
        }
        let accepted = match targets.is_empty() {
            true => None,
            false => self.accept(vec![farewell], stored)?.pop(),
        };
        for webhook in targets {
            self.webhooks.get_mut(&webhook).expect("just cut").life = Life::Ended;
            self.leaving.insert(webhook, event);
        }
        self.erase_workspace(EraseWorkspace { workspace, at })?;
        Ok(accepted)
    }

    /// Workspaces that are closed and not erased yet.
    pub(super) fn closing_workspaces(&self) -> impl Iterator<Item = WorkspaceId> {
        self.leaving.keys().map(|webhook| self.webhooks[webhook].webhook.workspace)
    }

    /// What an attempt means for a webhook that leaves.
    pub(super) fn leave_after(&mut self, finished: &Finished) {
        let id = finished.due.id;
        let Some(last_event) = self.leaving.get(&id.webhook) else { return };
        let disabled = finished.health.is_some_and(|health| health.disable.is_some());
        let has_ended = *last_event == id.event && !matches!(finished.attempt.verdict, Verdict::RetryAt(_));
        if disabled || has_ended {
            return self.end_leaving(id.webhook, finished);
        }
        let row = self.webhooks.get_mut(&id.webhook).expect("it leaves");
        if let Some(health) = finished.health {
            row.webhook.health = health.health;
        }
        if row.webhook.workspace == finished.workspace {
            row.webhook.concurrency = finished.concurrency.or(row.webhook.concurrency);
        }
    }

    fn end_leaving(&mut self, id: WebhookId, finished: &Finished) {
        self.leaving.remove(&id);
        let row = self.webhooks.get_mut(&id).expect("it leaves");
        wipe(&mut row.webhook);
        let workspace = row.webhook.workspace;
        let cut = Cut { upto: Sequence(i64::MAX), at: finished.attempt.at, reason: CutReason::Deleted };
        row.cuts.push(cut);
        if self.closing_workspaces().all(|closing| closing != workspace) {
            self.end_signing_keys(workspace);
        }
    }
}
