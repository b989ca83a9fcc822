//! `requeue`: a delivery that has ended is owed once more, with a fresh round.

use rusqlite::params;
use signalpost_core::delivery::{DeliveryStatus, Due};
use signalpost_store::StoreError;
use signalpost_store::ledger::Requeue;

use super::accept::INSERT_DUE;
use super::delivery;
use super::history::REQUEUED;
use crate::catalog::find;
use crate::failure::Failure;
use crate::weight;
use crate::write::Write;

pub(crate) const INSERT_STEP: &str = "INSERT INTO attempt
    (event, webhook, n, at, verdict, outcome, retry_at, born, detail)
    VALUES (?1, ?2, ?3, ?4, ?5, NULL, NULL, ?6, NULL)";

pub(crate) fn run(write: &mut Write<'_>, params: Requeue) -> Result<Due, Failure> {
    let Requeue { workspace, delivery: id, at } = params;
    let record = delivery::run(write.connection, workspace, id)?.ok_or(StoreError::Missing("delivery"))?;
    let webhook = find::webhook(write.connection, workspace, id.webhook)?;
    let webhook = webhook.ok_or(StoreError::WrongState("the webhook is deleted"))?;
    if !webhook.state.is_active() {
        return Err(StoreError::WrongState("the webhook is disabled").into());
    }
    if record.summary.state.status() == DeliveryStatus::Pending {
        return Err(StoreError::WrongState("the delivery is still pending").into());
    }
    if record.event.payload_removed_at.is_some() {
        let sentence = "the payload of the event was removed, as its retention asks";
        return Err(StoreError::WrongState(sentence).into());
    }
    let born = write.next_sequence(workspace)?;
    write.count(workspace, 0, weight::of_step(0))?;
    let number = record.steps.last().map_or(1, |step| step.number().saturating_add(1));
    let (event, lane) = (id.event.raw(), id.webhook.raw());
    write.statement(INSERT_STEP)?.execute(params![event, lane, number, at.as_ms(), REQUEUED, born.0])?;
    write.statement(INSERT_DUE)?.execute(params![lane, at.as_ms(), event, born.0, number, 0])?;
    let due = Due { id, due_at: at, born, steps: number, tries: 0 };
    write.news.requeued.push((due, workspace));
    Ok(due)
}
