//! Figures: what happens is counted in memory, and what was counted is added to the store's roll-ups now and then.
//!
//! A view and never the truth. A crash loses what was counted since the last time; a store that did what it was told and could not
//! say so is told again, so some may count twice. Deliveries, their attempts and their histories know nothing of any of this.

mod tally;
mod waiting;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signalpost_core::error::Error;
use signalpost_core::figures::{Figures, FiguresKey, FiguresOf};
use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::{FIGURES_INTERVAL, FIGURES_PAGE_MAX, FIGURES_WEBHOOKS_INTERVAL};
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::Stored;
use signalpost_store::rollups::{FailingWebhook, FiguresPage, ListFigures, TopFailing};

use crate::Engine;
use crate::metrics::Metrics;

pub(crate) use self::tally::{Share, Tally};
use self::waiting::Waiting;

/// A row of what was counted.
pub(crate) type Row = (FiguresKey, Figures);

/// What was counted and is not in the store yet, but for what delivery cores keep to themselves.
#[derive(Debug)]
pub(crate) struct Counted {
    /// Of commits: whoever tells of them does so once for each. No core comes here.
    accepted: Mutex<Tally>,
    waiting: Mutex<Waiting>,
}

impl Counted {
    pub(crate) fn new(metrics: &Arc<Metrics>) -> Self {
        Self { accepted: Mutex::new(Tally::new(Arc::clone(metrics))), waiting: Mutex::default() }
    }

    pub(crate) fn accepted(&self, events: &[Stored]) {
        let mut tally = lock(&self.accepted);
        for stored in events {
            tally.accepted(stored.event.workspace, stored.event.accepted_at);
        }
    }

    /// What a core has counted, to be stored.
    pub(crate) fn hand_in(&self, rows: Vec<Row>) {
        lock(&self.waiting).add(rows);
    }
}

impl Engine {
    /// Adds what was counted to the store's figures, now and then. Never returns; run it once per process, beside the cores.
    pub async fn keep_figures(&self) {
        let mut all_since = self.clock.monotonic();
        loop {
            self.clock.sleep(FIGURES_INTERVAL).await;
            let now = self.clock.monotonic();
            let is_due = Duration::from_micros(now.us_since(all_since)) >= FIGURES_WEBHOOKS_INTERVAL;
            let share = if is_due { Share::All } else { Share::Wide };
            if is_due {
                all_since = now;
            }
            for rows in self.doorbell.counted(share).await {
                self.counted.hand_in(rows);
            }
            self.store_figures(share).await;
        }
    }

    /// What is left when all cores have ended.
    pub async fn store_last_figures(&self) {
        self.store_figures(Share::All).await;
    }

    /// Figures of a minute or an hour each, oldest first; those in which nothing was counted are left out.
    pub async fn figures(
        &self,
        of: FiguresOf,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<FiguresPage, Error> {
        let params = ListFigures { of, from, until, limit: FIGURES_PAGE_MAX };
        Ok(self.store.figures(params).await?)
    }

    /// Webhooks to which most attempts have failed since an instant, of all workspaces or of one.
    pub async fn top_failing(
        &self,
        workspace: Option<WorkspaceId>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<FailingWebhook>, Error> {
        let params = TopFailing { workspace, since, until: self.clock.now(), limit };
        Ok(self.store.top_failing(params).await?)
    }

    async fn store_figures(&self, share: Share) {
        let now = self.clock.now();
        let accepted = lock(&self.counted.accepted).take(share);
        self.counted.hand_in(accepted);
        if let Some(oldest_due_ms) = self.metrics.oldest_due.recent_worst_ms(now).filter(|ms| *ms > 0) {
            let figures = Figures { oldest_due_ms, ..Figures::default() };
            self.counted.hand_in(vec![(FiguresOf::Installation.at(now), figures)]);
        }
        loop {
            let Some(batch) = lock(&self.counted.waiting).take() else { return };
            let added = self.store.add_figures(batch.clone()).await;
            let mut waiting = lock(&self.counted.waiting);
            match added {
                Ok(()) => waiting.was_taken(),
                // The next turn tries again: neither events nor deliveries wait for this.
                Err(error) => {
                    let left_out = waiting.was_refused(&batch, &error);
                    return self.metrics.figures_left_out.add(left_out);
                }
            }
        }
    }
}

fn lock<T>(counted: &Mutex<T>) -> MutexGuard<'_, T> {
    counted.lock().unwrap_or_else(PoisonError::into_inner)
}
