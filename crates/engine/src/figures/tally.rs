//! Counting by whoever sees it happen, without a lock and, for what was counted a moment ago, without an allocation.

use std::sync::Arc;

use signalpost_core::attempt::Verdict;
use signalpost_core::figures::{Figures, FiguresKey, FiguresOf};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::{
    CORE_FIGURES_OVER_MAX, CORE_FIGURES_WEBHOOKS_MAX, CORE_FIGURES_WORKSPACES_MAX,
};
use signalpost_core::time::Timestamp;

use super::Row;
use crate::attempt::Ending;
use crate::id_map::IdMap;
use crate::metrics::Metrics;

/// What is handed on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// Figures of the installation and of workspaces.
    Wide,
    /// Those of webhooks as well, of which there are many.
    All,
}

/// What one core, or one listener, has counted.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Where it is counted what does not fit.
    metrics: Arc<Metrics>,
    installation: Option<Counting>,
    workspaces: IdMap<WorkspaceId, Counting>,
    webhooks: IdMap<WebhookId, Counting>,
    /// Of minutes and hours that were over before they were handed on, up to [`CORE_FIGURES_OVER_MAX`].
    over: Vec<Row>,
}

/// One row that is being counted for.
#[derive(Debug)]
struct Counting {
    key: FiguresKey,
    figures: Figures,
}

impl Counting {
    fn new(key: FiguresKey) -> Self {
        Self { key, figures: Figures::default() }
    }
}

impl Tally {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        let (workspaces, webhooks) = (IdMap::default(), IdMap::default());
        Self { metrics, installation: None, workspaces, webhooks, over: Vec::new() }
    }

    pub(crate) fn accepted(&mut self, workspace: WorkspaceId, at: Timestamp) {
        self.count(FiguresOf::Workspace(workspace), at, &|figures| figures.events += 1);
    }

    /// An attempt whose outcome is on disk.
    pub(crate) fn ended(&mut self, ending: &Ending, now: Timestamp) {
        let of = FiguresOf::Webhook(ending.workspace, ending.due.id.webhook);
        self.count(of, now, &|figures| {
            match ending.verdict {
                Verdict::Delivered => figures.delivered += 1,
                Verdict::GiveUp => figures.failed += 1,
                Verdict::RetryAt(_) => figures.retries += 1,
                Verdict::HeldUntil(_) | Verdict::Superseded => {}
            }
            match ending.verdict {
                Verdict::Delivered => figures.attempts_succeeded += 1,
                _ => figures.attempts_failed += 1,
            }
            if let Some(ms) = ending.latency_ms {
                figures.latency.saw(ms);
            }
        });
    }

    /// Deliveries that ended with their webhook.
    pub(crate) fn dropped(&mut self, of: FiguresOf, deliveries: usize, now: Timestamp) {
        if deliveries == 0 {
            return;
        }
        self.count(of, now, &|figures| figures.dropped += deliveries as u64);
    }

    /// Counts for whom it is and for all that is wider. Beyond the bounds it counts for what is wider alone, and as left out.
    fn count(&mut self, of: FiguresOf, now: Timestamp, change: &dyn Fn(&mut Figures)) {
        let Self { metrics, installation, workspaces, webhooks, over } = self;
        let leave_out = |figures: &Figures| metrics.figures_left_out.add(figures.happenings());
        let mut add = |counting: Option<&mut Counting>| {
            let Some(counting) = counting else {
                let mut figures = Figures::default();
                change(&mut figures);
                return leave_out(&figures);
            };
            let key = counting.key.of.at(now);
            if counting.key != key {
                let figures = std::mem::take(&mut counting.figures);
                if over.len() >= CORE_FIGURES_OVER_MAX {
                    leave_out(&figures);
                } else if !figures.is_nothing() {
                    over.push((counting.key, figures));
                }
                counting.key = key;
            }
            change(&mut counting.figures);
        };
        add(Some(installation.get_or_insert_with(|| Counting::new(FiguresOf::Installation.at(now)))));
        let Some(workspace) = of.workspace() else { return };
        let whole = FiguresOf::Workspace(workspace);
        add(row(workspaces, workspace, whole.at(now), CORE_FIGURES_WORKSPACES_MAX));
        let FiguresOf::Webhook(_, webhook) = of else { return };
        add(row(webhooks, webhook, of.at(now), CORE_FIGURES_WEBHOOKS_MAX));
    }

    /// Hands on what was counted. What was counted for since the last time keeps its place, for it will be again.
    pub(crate) fn take(&mut self, share: Share) -> Vec<Row> {
        let mut rows = std::mem::take(&mut self.over);
        rows.extend(self.installation.as_mut().and_then(hand_on));
        take_all(&mut self.workspaces, &mut rows);
        if share == Share::All {
            take_all(&mut self.webhooks, &mut rows);
        }
        rows
    }
}

/// The row of a key, if there is one or room for it.
fn row<K: std::hash::Hash + Eq>(
    rows: &mut IdMap<K, Counting>,
    id: K,
    key: FiguresKey,
    rows_max: usize,
) -> Option<&mut Counting> {
    if rows.len() >= rows_max {
        return rows.get_mut(&id);
    }
    Some(rows.entry(id).or_insert_with(|| Counting::new(key)))
}

fn take_all<K>(counted: &mut IdMap<K, Counting>, rows: &mut Vec<Row>) {
    counted.retain(|_, counting| {
        let row = hand_on(counting);
        let goes_on = row.is_some();
        rows.extend(row);
        goes_on
    });
}

/// What was counted for a row, if anything was.
fn hand_on(counting: &mut Counting) -> Option<Row> {
    let figures = std::mem::take(&mut counting.figures);
    (!figures.is_nothing()).then_some((counting.key, figures))
}

#[cfg(test)]
mod tests;
