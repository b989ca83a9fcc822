//! Rows of `replay`.

use std::num::NonZeroU32;

use signalpost_core::id::{EventId, ReplayId, WebhookId, WorkspaceId};
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Phase, Progress, Replay, Selection, Start, Which};

use super::{Field, Fields, Row, texts};

#[macro_export]
macro_rules! replay_columns {
    () => {
        "r.id, r.workspace, r.source, r.target, r.which, r.since, r.until, r.types, r.subject, r.per_second, \
         r.start, r.phase, r.reason, r.made_by, r.made_at, r.changed_by, r.changed_at, r.planned_to, r.planned, \
         r.done_to, r.sent, r.passed_over"
    };
}
pub use replay_columns;

pub fn replay(row: &Row<'_>) -> Field<Replay> {
    let mut fields = Fields::new(row, "replay", 1);
    let id = ReplayId::from_raw(fields.id("id")?);
    let workspace = WorkspaceId::from_raw(fields.id("workspace")?);
    let source = WebhookId::from_raw(fields.id("source")?);
    let target = WebhookId::from_raw(fields.id("target")?);
    let selection = Selection {
        source,
        which: named(&mut fields, "which", Which::from_name)?,
        since: fields.time("since")?,
        until: fields.time("until")?,
        types: texts(&mut fields, "types")?,
        subject: fields.optional_text("subject")?.map(str::to_owned),
    };
    let per_second = fields.count("per_second")?;
    let per_second = NonZeroU32::new(per_second)
        .ok_or_else(|| fields.corrupt("per_second", "nothing a second is no rate".to_owned()))?;
    Ok(Replay {
        id,
        workspace,
        selection,
        target,
        per_second,
        start: named(&mut fields, "start", Start::from_name)?,
        phase: phase(&mut fields)?,
        made_by: named(&mut fields, "made_by", Principal::from_text)?,
        made_at: fields.time("made_at")?,
        changed_by: named(&mut fields, "changed_by", Principal::from_text)?,
        changed_at: fields.time("changed_at")?,
        progress: progress(&mut fields)?,
    })
}

/// The next two columns.
pub fn phase(fields: &mut Fields<'_>) -> Field<Phase> {
    let name = fields.text("phase")?;
    let reason = match fields.optional_text("reason")? {
        None => None,
        Some(reason) => Some(
            CancelReason::from_name(reason)
                .ok_or_else(|| fields.corrupt("reason", format!("unknown reason {reason:?}")))?,
        ),
    };
    Phase::from_parts(name, reason)
        .ok_or_else(|| fields.corrupt("phase", format!("{name:?} with the reason {reason:?} is no phase")))
}

fn progress(fields: &mut Fields<'_>) -> Field<Progress> {
    Ok(Progress {
        planned_to: fields.optional_id("planned_to")?.map(EventId::from_raw),
        planned: fields.count("planned")?,
        done_to: fields.optional_id("done_to")?.map(EventId::from_raw),
        sent: fields.count("sent")?,
        passed_over: fields.count("passed_over")?,
    })
}

fn named<T>(fields: &mut Fields<'_>, column: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Field<T> {
    let text = fields.text(column)?;
    read(text).ok_or_else(|| fields.corrupt(column, format!("{text:?} is none that is known")))
}
