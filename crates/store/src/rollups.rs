//! Roll-ups: figures of what has happened, so that nobody who looks makes a store count its history.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::figures::{Figures, FiguresKey, FiguresOf, HOUR_MS};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::WEBHOOK_FIGURES_AGE_MS;
use signalpost_core::time::Timestamp;

use crate::Answer;

/// What is to be added, each row once.
pub type FiguresBatch = Arc<BTreeMap<FiguresKey, Figures>>;
/// Rows with the beginnings of their minutes or hours.
pub type FiguresPage = Vec<(Timestamp, Figures)>;

pub trait Rollups: Send + Sync {
    /// Adds to rows, which it makes where they are missing. What belongs to a workspace that is gone counts for nothing. Not to be
    /// repeated: what it adds a second time counts twice.
    ///
    /// [`crate::Ledger::upkeep`] removes rows that are too old ([`FiguresOf::age_ms`]); those of an erased workspace go with its
    /// rest.
    fn add_figures(&self, figures: FiguresBatch) -> Answer<()>;
    /// Oldest first. A minute or an hour in which nothing was counted has no row.
    fn figures(&self, params: ListFigures) -> Answer<FiguresPage>;
    /// Webhooks by how many attempts to them have failed, most first; of as many by their ids. Of each hour it looks at the
    /// [`signalpost_core::limits::FAILING_LOOKED_AT_MAX`] that failed most.
    fn top_failing(&self, params: TopFailing) -> Answer<Vec<FailingWebhook>>;
}

#[derive(Clone, Copy, Debug)]
pub struct ListFigures {
    pub of: FiguresOf,
    /// The first row that may be among them.
    pub from: Timestamp,
    /// Behind the last one.
    pub until: Timestamp,
    pub limit: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct TopFailing {
    /// Those of all workspaces for `None`.
    pub workspace: Option<WorkspaceId>,
    /// Hours from this one on.
    pub since: Timestamp,
    /// Up to this one.
    pub until: Timestamp,
    pub limit: usize,
}

impl TopFailing {
    /// Beginnings of the hours that it asks for, newest first: no more of them than are kept.
    pub fn hours(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let hour = |at: Timestamp| at.as_ms().div_euclid(HOUR_MS);
        let (newest, oldest) = (hour(self.until), hour(self.since));
        let oldest = oldest.max(newest - WEBHOOK_FIGURES_AGE_MS / HOUR_MS);
        (oldest..=newest).rev().map(|hour| Timestamp::from_ms(hour * HOUR_MS))
    }
}

/// A webhook that is there, and how it fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingWebhook {
    /// Public ids.
    pub workspace: String,
    pub webhook: String,
    pub url: String,
    /// Of the hours in which any failed.
    pub attempts_succeeded: u64,
    pub attempts_failed: u64,
}

/// Adds up what each webhook had in each hour, and chooses those that failed most.
pub fn worst(
    hours: impl IntoIterator<Item = (WebhookId, FailingWebhook)>,
    limit: usize,
) -> Vec<FailingWebhook> {
    let mut sums: BTreeMap<WebhookId, FailingWebhook> = BTreeMap::new();
    for (id, hour) in hours {
        match sums.get_mut(&id) {
            None => {
                sums.insert(id, hour);
            }
            Some(sum) => {
                sum.attempts_succeeded += hour.attempts_succeeded;
                sum.attempts_failed += hour.attempts_failed;
            }
        }
    }
    let mut worst: Vec<FailingWebhook> = sums.into_values().collect();
    // Stable, so that of as many the one with the lower id stands first.
    worst.sort_by_key(|webhook| std::cmp::Reverse(webhook.attempts_failed));
    worst.truncate(limit);
    worst
}
