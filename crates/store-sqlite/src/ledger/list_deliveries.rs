//! `list_deliveries`: newest event first, then by webhook descending; each state is derived from its history.

use std::ops::ControlFlow;

use rusqlite::Connection;
use signalpost_core::id::DeliveryId;
use signalpost_store::ledger::{DeliveryPage, ListDeliveries};
use signalpost_store::pages::DeliveryChoice;

use super::history::Lanes;
use super::newest_first::{Scope, one, walk};
use crate::catalog::find;
use crate::failure::Failure;
use signalpost_store::row::Brief;

pub(super) fn run(connection: &Connection, params: &ListDeliveries) -> Result<DeliveryPage, Failure> {
    let mut page = Page { params, lanes: Lanes::default(), choice: DeliveryChoice::of(params) };
    if !find::workspace_lives(connection, params.workspace)? {
        return Ok(page.choice.finish());
    }
    if let Some(event) = params.event {
        if let Some(event) = one(connection, params.workspace, event)? {
            let _full: ControlFlow<()> = page.add_event(connection, &event)?;
        }
        return Ok(page.choice.finish());
    }
    let scope = Scope { workspace: params.workspace, webhook: params.webhook };
    let newest = params.before.map_or(i64::MAX, |before| before.event.raw());
    walk(connection, scope, newest, &mut |event| page.add_event(connection, &event))?;
    Ok(page.choice.finish())
}

struct Page<'p> {
    params: &'p ListDeliveries,
    lanes: Lanes,
    choice: DeliveryChoice<'p>,
}

impl Page<'_> {
    fn add_event(&mut self, connection: &Connection, event: &Brief) -> Result<ControlFlow<()>, Failure> {
        let mut targets = event.targets.clone();
        targets.sort_unstable();
        for webhook in targets.into_iter().rev() {
            if !self.params.wants(DeliveryId { event: event.id, webhook }) {
                continue;
            }
            let summary = self.lanes.summary(connection, event, webhook)?;
            if self.choice.is_full_with(summary) {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
