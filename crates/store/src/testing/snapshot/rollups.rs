//! Figures of all that there are.

use signalpost_core::figures::{Figures, FiguresOf};
use signalpost_core::limits::FIGURES_PAGE_MAX;
use signalpost_core::time::Timestamp;

use super::Snapshot;
use crate::rollups::ListFigures;
use crate::{Store, StoreError};

/// Rows of one of those.
pub(super) type FiguresRow = (FiguresOf, Timestamp, Figures);

impl Snapshot {
    /// Of the installation, of each workspace and each webhook that was read: no test adds to more rows of one than stand on a page.
    pub(super) async fn read_figures(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let workspaces = self.workspaces.iter().map(|workspace| FiguresOf::Workspace(workspace.id));
        let webhooks = self.webhooks.iter().map(|webhook| FiguresOf::Webhook(webhook.workspace, webhook.id));
        for of in [FiguresOf::Installation].into_iter().chain(workspaces).chain(webhooks) {
            let [from, until] = [i64::MIN, i64::MAX].map(Timestamp::from_ms);
            let rows = store.figures(ListFigures { of, from, until, limit: FIGURES_PAGE_MAX }).await?;
            self.figures.extend(rows.into_iter().map(|(at, figures)| (of, at, figures)));
        }
        Ok(())
    }
}
