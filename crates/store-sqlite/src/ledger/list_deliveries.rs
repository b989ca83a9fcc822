//! `list_deliveries`: newest event first, then by webhook descending; each state is derived from its history.

use std::ops::ControlFlow;

use rusqlite::Connection;
use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_core::limits::LIST_SCAN_ROWS_MAX;
use signalpost_store::ledger::{DeliveryPage, DeliverySummary, ListDeliveries};

use super::history::Lanes;
use super::newest_first::{Scope, one, walk};
use crate::catalog::find;
use crate::failure::Failure;
use signalpost_store::row::Brief;

pub(super) fn run(connection: &Connection, params: &ListDeliveries) -> Result<DeliveryPage, Failure> {
    let mut page = Page { params, lanes: Lanes::default(), rows: Vec::new(), next: None, scanned: 0 };
    if !find::workspace_lives(connection, params.workspace)? {
        return Ok(page.finish());
    }
    if let Some(event) = params.event {
        if let Some(event) = one(connection, params.workspace, event)? {
            let _full: ControlFlow<()> = page.add_event(connection, &event)?;
        }
        return Ok(page.finish());
    }
    let scope = Scope { workspace: params.workspace, webhook: params.webhook };
    let newest = params.before.map_or(i64::MAX, |before| before.event.raw());
    walk(connection, scope, newest, &mut |event| page.add_event(connection, &event))?;
    Ok(page.finish())
}

struct Page<'p> {
    params: &'p ListDeliveries,
    lanes: Lanes,
    rows: Vec<DeliverySummary>,
    next: Option<DeliveryId>,
    scanned: usize,
}

impl Page<'_> {
    fn add_event(&mut self, connection: &Connection, event: &Brief) -> Result<ControlFlow<()>, Failure> {
        let mut targets = event.targets.clone();
        targets.sort_unstable();
        for webhook in targets.into_iter().rev() {
            if self.add(connection, event, webhook)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn add(
        &mut self,
        connection: &Connection,
        event: &Brief,
        webhook: WebhookId,
    ) -> Result<ControlFlow<()>, Failure> {
        let params = self.params;
        let id = DeliveryId { event: event.id, webhook };
        let wanted = params.webhook.is_none_or(|wanted| wanted == webhook)
            && params.before.is_none_or(|before| id < before);
        if !wanted {
            return Ok(ControlFlow::Continue(()));
        }
        self.scanned += 1;
        let summary = self.lanes.summary(connection, event, webhook)?;
        if params.status.is_none_or(|wanted| summary.state.status() == wanted) {
            if self.rows.len() == params.limit {
                self.next = self.rows.last().map(|row| row.id);
                return Ok(ControlFlow::Break(()));
            }
            self.rows.push(summary);
        }
        if self.scanned == LIST_SCAN_ROWS_MAX {
            self.next = Some(id);
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn finish(self) -> DeliveryPage {
        DeliveryPage { rows: self.rows, next: self.next }
    }
}
