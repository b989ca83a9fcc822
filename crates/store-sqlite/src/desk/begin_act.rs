//! `begin_act`: an act on record, as one of which nobody knows yet what came of it.

use rusqlite::params;
use signalpost_core::act::{Act, ActResult};

use crate::failure::Failure;
use crate::write::Write;

pub(crate) const INSERT: &str = "INSERT INTO operator_act
    (id, at, actor, actor_id, actor_name, action, object, workspace, surface, address, request_id, result, detail)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

pub(super) fn run(write: &mut Write<'_>, act: &Act) -> Result<(), Failure> {
    let (actor, actor_id) = act.by.id().parts();
    write.statement(INSERT)?.execute(params![
        act.id.raw(),
        act.at.as_ms(),
        actor,
        actor_id,
        act.by.name(),
        act.action.as_str(),
        act.object,
        act.workspace,
        act.surface.name(),
        act.address.map(|address| address.to_string()),
        act.request_id,
        ActResult::Pending.parts().0,
        act.detail,
    ])?;
    write.news.note_id(act.id.raw());
    Ok(())
}
