//! What was counted and waits for the store: bounded once the store has refused it. Until then it is no more than cores hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::figures::{Figures, FiguresKey};
use signalpost_core::limits::{FIGURES_ROWS_MAX, FIGURES_WAITING_MAX};
use signalpost_store::StoreError;
use signalpost_store::rollups::FiguresBatch;

use super::Row;

#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Those of webhooks stand last, and before them those of workspaces.
    rows: BTreeMap<FiguresKey, Figures>,
    /// Whether the store refused the last of them, which was told then.
    is_refused: bool,
}

impl Waiting {
    pub(super) fn add(&mut self, rows: impl IntoIterator<Item = Row>) {
        for (key, figures) in rows {
            self.rows.entry(key).or_default().add(&figures);
        }
    }

    /// What the store takes at once; the widest first.
    pub(super) fn take(&mut self) -> Option<FiguresBatch> {
        if self.rows.is_empty() {
            return None;
        }
        let batch: BTreeMap<_, _> =
            std::iter::from_fn(|| self.rows.pop_first()).take(FIGURES_ROWS_MAX).collect();
        Some(Arc::new(batch))
    }

    pub(super) fn was_taken(&mut self) {
        if std::mem::take(&mut self.is_refused) {
            tracing::info!("figures are stored again");
        }
    }

    /// Keeps what was refused. Beyond the bound the narrowest go: how much that happened is left out by that.
    pub(super) fn was_refused(&mut self, batch: &BTreeMap<FiguresKey, Figures>, error: &StoreError) -> u64 {
        if !std::mem::replace(&mut self.is_refused, true) {
            tracing::warn!(%error, "figures could not be stored, trying again");
        }
        self.add(batch.iter().map(|(key, figures)| (*key, *figures)));
        let too_many = self.rows.len().saturating_sub(FIGURES_WAITING_MAX);
        let narrowest = std::iter::from_fn(|| self.rows.pop_last()).take(too_many);
        narrowest.map(|(_, figures)| figures.happenings()).sum()
    }
}

#[cfg(test)]
mod tests {
    use signalpost_core::figures::FiguresOf;
    use signalpost_core::id::{WebhookId, WorkspaceId};
    use signalpost_core::time::Timestamp;

    use super::*;

    fn one() -> Figures {
        Figures { events: 1, ..Figures::default() }
    }

    fn webhook(n: usize) -> FiguresKey {
        let id = WebhookId::from_raw(i64::try_from(n).expect("small"));
        FiguresOf::Webhook(WorkspaceId::from_raw(1), id).at(Timestamp::default())
    }

    #[test]
    fn what_was_refused_is_handed_out_again_with_what_came_meanwhile() {
        let mut waiting = Waiting::default();
        assert!(waiting.take().is_none());
        waiting.add((0..FIGURES_ROWS_MAX + 1).map(|n| (webhook(n), one())));
        let batch = waiting.take().expect("some wait");
        assert_eq!(batch.len(), FIGURES_ROWS_MAX, "no more than the store takes at once");
        waiting.add([(webhook(0), one())]);
        waiting.was_refused(&batch, &StoreError::Full);
        let again = waiting.take().expect("they wait");
        assert_eq!((again[&webhook(0)].events, again[&webhook(1)].events), (2, 1));
        assert_eq!(waiting.take().expect("the last one").len(), 1);
        assert!(waiting.take().is_none());
    }

    #[test]
    fn a_store_that_takes_them_is_told_of_all_however_many_there_are() {
        let mut waiting = Waiting::default();
        let rows = 2 * FIGURES_WAITING_MAX + 1;
        waiting.add((0..rows).map(|n| (webhook(n), one())));
        let taken = std::iter::from_fn(|| waiting.take().inspect(|_| waiting.was_taken()));
        assert_eq!(taken.map(|batch| batch.len()).sum::<usize>(), rows);
    }

    #[test]
    fn beyond_the_bound_of_what_was_refused_webhooks_go_first() {
        let mut waiting = Waiting::default();
        waiting.add((0..FIGURES_WAITING_MAX + 1).map(|n| (webhook(n), one())));
        let wider = FiguresOf::Installation.at(Timestamp::default());
        waiting.add([(wider, one())]);
        let batch = waiting.take().expect("some wait");
        assert_eq!(waiting.was_refused(&batch, &StoreError::Full), 2, "they are counted");
        assert_eq!(waiting.rows.len(), FIGURES_WAITING_MAX);
        assert!(
            waiting.rows.contains_key(&wider)
                && !waiting.rows.contains_key(&webhook(FIGURES_WAITING_MAX - 1))
        );
    }
}
