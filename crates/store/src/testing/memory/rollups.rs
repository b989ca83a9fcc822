//! The model's figures.

use signalpost_core::figures::{Figures, FiguresKey, FiguresOf};
use signalpost_core::id::WebhookId;
use signalpost_core::limits::{FAILING_LOOKED_AT_MAX, FIGURES_PAGE_MAX};
use signalpost_core::time::Timestamp;

use super::MemoryStore;
use super::data::Data;
use crate::Answer;
use crate::rollups::{FailingWebhook, FiguresBatch, FiguresPage, ListFigures, Rollups, TopFailing, worst};

impl Rollups for MemoryStore {
    fn add_figures(&self, figures: FiguresBatch) -> Answer<()> {
        self.run(move |data| {
            let lives = |key: &FiguresKey| {
                key.of.workspace().is_none_or(|workspace| data.living_workspace(workspace).is_some())
            };
            let counting: Vec<_> = figures.iter().filter(|(key, _)| lives(key)).collect();
            for (key, figures) in counting {
                data.figures.entry(*key).or_default().add(figures);
            }
            Ok(())
        })
    }

    fn figures(&self, params: ListFigures) -> Answer<FiguresPage> {
        self.run(move |data| {
            let ListFigures { of, from, until, limit } = params;
            let is_wanted = |key: &FiguresKey| key.of == of && (from..until).contains(&key.at);
            let rows = data.figures.iter().filter(|(key, _)| is_wanted(key));
            Ok(rows.map(|(key, figures)| (key.at, *figures)).take(limit.min(FIGURES_PAGE_MAX)).collect())
        })
    }

    fn top_failing(&self, params: TopFailing) -> Answer<Vec<FailingWebhook>> {
        self.run(move |data| {
            let hours = params.hours().flat_map(|hour| data.failing_in(hour, &params));
            Ok(worst(hours.collect::<Vec<_>>(), params.limit))
        })
    }
}

impl Data {
    /// Those that failed most in an hour.
    fn failing_in(&self, hour: Timestamp, params: &TopFailing) -> Vec<(WebhookId, FailingWebhook)> {
        let mut failing: Vec<_> = self
            .figures
            .iter()
            .filter(|(key, figures)| key.at == hour && figures.attempts_failed > 0)
            .filter(|(key, _)| params.workspace.is_none() || key.of.workspace() == params.workspace)
            .filter_map(|(key, figures)| self.failing_webhook(key.of, figures))
            .collect();
        failing.sort_by_key(|(id, webhook)| (std::cmp::Reverse(webhook.attempts_failed), *id));
        failing.truncate(FAILING_LOOKED_AT_MAX);
        failing
    }

    fn failing_webhook(&self, of: FiguresOf, figures: &Figures) -> Option<(WebhookId, FailingWebhook)> {
        let FiguresOf::Webhook(workspace, id) = of else { return None };
        let (workspace, row) = (self.living_workspace(workspace)?, self.living_webhook(workspace, id)?);
        let webhook = FailingWebhook {
            workspace: workspace.workspace.public_id.clone(),
            webhook: row.webhook.public_id.clone(),
            url: row.webhook.url.clone(),
            attempts_succeeded: figures.attempts_succeeded,
            attempts_failed: figures.attempts_failed,
        };
        Some((id, webhook))
    }

    pub(super) fn forget_figures(&mut self, now: Timestamp) {
        self.figures.retain(|key, _| key.at > now.plus_ms(-key.of.age_ms()));
    }
}
