//! `list_deliveries`: newest event first, then by webhook descending; each state is derived from its history.

use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_core::limits::LIST_SCAN_ROWS_MAX;
use signalpost_store::ledger::{DeliveryPage, DeliverySummary, ListDeliveries};
use signalpost_store::row::Brief;

use super::history;
use super::newest_first::{self, Scope};
use crate::catalog::find;
use crate::failure::Failure;
use crate::session::Session;

/// Events that are looked at in one query.
const LOOK_ROWS: usize = 128;

pub(super) async fn run(session: &Session, params: &ListDeliveries) -> Result<DeliveryPage, Failure> {
    let mut page = Page { params, rows: Vec::new(), next: None, scanned: 0 };
    if !find::workspace_lives(session, params.workspace).await? {
        return Ok(page.finish());
    }
    if let Some(event) = params.event {
        let event = newest_first::one(session, params.workspace, event).await?;
        page.add_events(session, &event.into_iter().collect::<Vec<_>>()).await?;
        return Ok(page.finish());
    }
    let scope = Scope { workspace: params.workspace, webhook: params.webhook };
    let mut newest = params.before.map_or(i64::MAX, |before| before.event.raw());
    // One more than is wanted shows whether there is a next page, and one may be the cursor's own.
    let rows =
        if params.status.is_none() { params.limit.saturating_add(2).min(LOOK_ROWS) } else { LOOK_ROWS };
    loop {
        let events = newest_first::page(session, scope, newest, rows).await?;
        let is_full = page.add_events(session, &events).await?;
        match events.last() {
            Some(last) if events.len() == rows && !is_full => newest = last.id.raw().saturating_sub(1),
            _ => return Ok(page.finish()),
        }
    }
}

struct Page<'p> {
    params: &'p ListDeliveries,
    rows: Vec<DeliverySummary>,
    next: Option<DeliveryId>,
    scanned: usize,
}

impl Page<'_> {
    /// Takes those of the events' deliveries that are wanted; whether the page ends with them.
    async fn add_events(&mut self, session: &Session, events: &[Brief]) -> Result<bool, Failure> {
        let left = LIST_SCAN_ROWS_MAX - self.scanned;
        let wanted: Vec<(&Brief, WebhookId)> =
            events.iter().flat_map(|event| self.wanted(event)).take(left).collect();
        for summaries in wanted.chunks(LOOK_ROWS.max(self.params.limit.saturating_add(1))) {
            for summary in history::summaries(session, summaries).await? {
                if self.is_full_with(summary) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// By webhook descending.
    fn wanted<'e>(&self, event: &'e Brief) -> Vec<(&'e Brief, WebhookId)> {
        let params = self.params;
        let mut targets = event.targets.clone();
        targets.sort_unstable();
        let is_wanted = |webhook: &WebhookId| {
            let id = DeliveryId { event: event.id, webhook: *webhook };
            params.webhook.is_none_or(|wanted| wanted == *webhook)
                && params.before.is_none_or(|before| id < before)
        };
        targets.into_iter().rev().filter(is_wanted).map(|webhook| (event, webhook)).collect()
    }

    fn is_full_with(&mut self, summary: DeliverySummary) -> bool {
        self.scanned += 1;
        let id = summary.id;
        if self.params.status.is_none_or(|wanted| summary.state.status() == wanted) {
            if self.rows.len() == self.params.limit {
                self.next = self.rows.last().map(|row| row.id);
                return true;
            }
            self.rows.push(summary);
        }
        if self.scanned == LIST_SCAN_ROWS_MAX {
            self.next = Some(id);
        }
        self.scanned == LIST_SCAN_ROWS_MAX
    }

    fn finish(self) -> DeliveryPage {
        DeliveryPage { rows: self.rows, next: self.next }
    }
}
