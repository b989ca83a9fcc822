//! `create_replay`: a new job, which is to be planned.

use signalpost_core::replay::Replay;
use signalpost_store::StoreError;
use signalpost_store::change::Change;
use signalpost_store::pack::pack_texts;

use super::find;
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const INSERT: &str = "INSERT INTO replay
    (id, workspace, source, target, which, since, until, types, subject, per_second, start, phase, reason,
        made_by, made_at, changed_by, changed_at, planned_to, planned, done_to, sent, passed_over)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, NULL, 0, NULL, 0, 0)";

pub(crate) async fn run(write: &mut Write<'_>, replay: &Replay) -> Result<(), Failure> {
    write.lock(replay.workspace).await?;
    if write.version(replay.workspace).is_none() {
        return Err(StoreError::Missing("workspace").into());
    }
    if find::target(write, replay).await?.is_none() {
        return Err(StoreError::Missing("webhook").into());
    }
    find::counts(write, replay.workspace).await?.check_new()?;
    insert(write, replay).await?;
    write.news.note_id(replay.id.raw());
    write.note_change(Change::Replay(replay.target));
    Ok(())
}

async fn insert(write: &Write<'_>, replay: &Replay) -> Result<(), Failure> {
    let selection = &replay.selection;
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 17] = [
        &replay.id.raw(),
        &replay.workspace.raw(),
        &selection.source.raw(),
        &replay.target.raw(),
        &selection.which.name(),
        &selection.since.as_ms(),
        &selection.until.as_ms(),
        &pack_texts(&selection.types),
        &selection.subject,
        &i64::from(replay.per_second.get()),
        &replay.start.name(),
        &replay.phase.name(),
        &replay.phase.reason().map(|reason| reason.name()),
        &replay.made_by.to_text(),
        &replay.made_at.as_ms(),
        &replay.changed_by.to_text(),
        &replay.changed_at.as_ms(),
    ];
    write.execute(INSERT, &params).await?;
    Ok(())
}
