//! `signalpost cells move`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use clap::Args;
use signalpost_core::cell::CellNumber;
use signalpost_store::transfer::Bounds;
use signalpost_store_postgres::cells::Mover;

use super::failure::move_failure;
use super::find::{Cell, Found, close_all, find, open_all};
use super::progress::Steps;
use super::report;
use crate::cmd::Failure;
use crate::cmd::place::PlaceArgs;
use crate::settings::Settings;
use crate::telemetry::say;

#[derive(Args, Debug)]
pub(crate) struct MoveArgs {
    /// Their ids, as the API calls them.
    #[arg(value_name = "WORKSPACE", required = true)]
    workspaces: Vec<String>,

    /// The number of the cell that they go to.
    #[arg(long, value_name = "NUMBER", value_parser = cell_number)]
    to: CellNumber,

    /// Have them stay: the cell that they are in serves them again, and what has come to the other one is removed.
    #[arg(long)]
    give_up: bool,

    #[command(flatten)]
    place: PlaceArgs,

    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

fn cell_number(text: &str) -> Result<CellNumber, String> {
    let number = text.parse().ok().and_then(CellNumber::new);
    number.ok_or_else(|| "it is not the number of a cell".to_owned())
}

impl MoveArgs {
    /// Each once.
    fn workspaces(&self) -> Vec<String> {
        self.workspaces.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect()
    }
}

pub(super) fn run(args: &MoveArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Failure::io("cannot make a runtime", error))?;
    runtime.block_on(async {
        let (settings, cells) = open_all(&args.place).await?;
        let done = go(args, &settings, &cells).await;
        close_all(&cells).await?;
        say(&done?);
        Ok(())
    })
}

/// What to say about it.
async fn go(args: &MoveArgs, settings: &Settings, cells: &[Cell]) -> Result<String, Failure> {
    let target = cells.iter().find(|cell| cell.number == args.to).ok_or_else(|| {
        Failure::new(format!("there is no cell {}", args.to))
            .hint("SIGNALPOST_DATABASE_URL names the databases of all cells.")
    })?;
    let workspaces = args.workspaces();
    let source = match find(cells, target, &workspaces).await? {
        Found::In(source) => source,
        Found::There => return Ok(report::of_nothing(args.json, &workspaces, &target.name)),
    };
    let mover = Mover {
        source: (&source.store, &source.name),
        target: (&target.store, &target.name),
        rules: settings.retention.clone(),
        longest_attempt: longest_attempt(settings),
        bounds: Bounds::default(),
    };
    let cells = (source.name.as_str(), target.name.as_str());
    if args.give_up {
        mover.give_up(&workspaces).await.map_err(move_failure)?;
        return Ok(report::of_giving_up(args.json, &workspaces, cells));
    }
    let mut steps = Steps::default();
    let mut tell = |step| {
        steps.show(step);
        ControlFlow::Continue(())
    };
    let moved = mover.run(&workspaces, &mut tell).await;
    steps.end();
    Ok(report::of_move(args.json, &workspaces, cells, &moved.map_err(move_failure)?))
}

/// By the dialects that are served; a workspace or a webhook may say otherwise.
fn longest_attempt(settings: &Settings) -> Duration {
    let timeouts = settings.dialects.iter().map(|dialect| dialect.profile.delivery.policy.timeout);
    timeouts.max().unwrap_or_default()
}
