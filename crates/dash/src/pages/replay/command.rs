//! Saying how a replay goes on.

use axum::response::{IntoResponse, Redirect};
use signalpost_core::error::Error;
use signalpost_core::replay::Command;

use crate::on_record::Deed;
use crate::pages::webhook::rules::check_feature;
use crate::request::Path;
use crate::sign_in::Nothing;
use crate::trouble::Page;
use crate::visit::Posted;

pub(crate) async fn command(
    Path((workspace, replay, command)): Path<(String, String, String)>,
    Posted(visit, Nothing {}): Posted<Nothing>,
) -> Page {
    visit.must_act()?;
    let (action, command) = match command.as_str() {
        "start" => ("replay.start", Command::Start),
        "pause" => ("replay.pause", Command::Pause),
        "resume" => ("replay.resume", Command::Resume),
        "cancel" => ("replay.cancel", Command::Cancel),
        _ => return Err(Error::not_found("page").into()),
    };
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_feature(&view)?;
    let deed = Deed { action, object: &replay, workspace: Some(&workspace) };
    let change = engine.command_replay(view.workspace.id, &replay, command, visit.who.principal());
    visit.on_record(deed, change).await?;
    Ok(Redirect::to(&visit.paths.replay(&workspace, &replay)).into_response())
}
