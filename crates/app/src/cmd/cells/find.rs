//! Opening the cells, and finding the one in which workspaces are that are to be moved.

use std::sync::Arc;

use signalpost_core::cell::CellNumber;
use signalpost_engine::vault::check_keyring;
use signalpost_store::Ledger;
use signalpost_store_postgres::cells::{MoveError, Phase, Seen, Standing};
use signalpost_store_postgres::{Duty, PostgresStore};

use super::failure::move_failure;
use crate::clock::SystemClock;
use crate::cmd::Failure;
use crate::cmd::place::PlaceArgs;
use crate::installation::key_failure;
use crate::key_files::shared_keyring;
use crate::ports::SystemRandom;
use crate::settings::Settings;
use crate::settings::environment::Environment;
use crate::stores::open_postgres;

/// A cell that is open.
pub(super) struct Cell {
    pub(super) number: CellNumber,
    /// By which moves know it.
    pub(super) name: String,
    pub(super) store: PostgresStore,
}

/// Opens all of them, if the master key opens what is stored in each: secrets are moved as they are sealed.
pub(super) async fn open_all(place: &PlaceArgs) -> Result<(Settings, Vec<Cell>), Failure> {
    let settings = place.settings()?;
    let keyring = shared_keyring(&settings.data, &Environment::of_process())?;
    let mut cells = Vec::new();
    for database in &settings.databases {
        let Some(number) = database.cell else { break };
        let store = open_postgres(database, Arc::new(SystemClock::new()), Duty::Serves)?;
        let checked = check_keyring(&store, &keyring, &SystemRandom).await;
        checked.map_err(|error| {
            let failure = key_failure(error);
            Failure { what: format!("cell {number}: {}", failure.what), ..failure }
        })?;
        cells.push(Cell { number, name: number.to_string(), store });
    }
    if cells.len() < 2 {
        return Err(Failure::new("there are no two cells to move between").hint(
            "Name the databases of all cells in SIGNALPOST_DATABASE_URL: 0=postgres://… 1=postgres://…",
        ));
    }
    Ok((settings, cells))
}

pub(super) async fn close_all(cells: &[Cell]) -> Result<(), Failure> {
    for cell in cells {
        let closed = cell.store.close().await;
        closed
            .map_err(|error| Failure::new(format!("cell {} was not closed cleanly: {error}", cell.name)))?;
    }
    Ok(())
}

/// Where workspaces are.
pub(super) enum Found<'c> {
    /// In this one, or on their way from it.
    In(&'c Cell),
    /// Where they are to be.
    There,
}

pub(super) async fn find<'c>(
    cells: &'c [Cell],
    target: &Cell,
    workspaces: &[String],
) -> Result<Found<'c>, Failure> {
    let mut sources: Vec<&Cell> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.number != target.number) {
        if look(cell, workspaces).await?.iter().any(is_source) {
            sources.push(cell);
        }
    }
    match sources[..] {
        [source] => return Ok(Found::In(source)),
        [] => {}
        _ => {
            let names: Vec<&str> = sources.iter().map(|cell| cell.name.as_str()).collect();
            return Err(Failure::new(format!("the workspaces are in several cells: {}", names.join(", ")))
                .hint("Move those of one cell in one command."));
        }
    }
    let there = look(target, workspaces).await?;
    if there.iter().all(|seen| matches!(seen.standing, Standing::Living(_))) {
        return Ok(Found::There);
    }
    // What is left of a move that was given up names the cell that it was to come from.
    let other = there.iter().find_map(|seen| seen.under.as_ref()).map(|under| under.other.as_str());
    match cells.iter().find(|cell| Some(cell.name.as_str()) == other) {
        Some(source) => Ok(Found::In(source)),
        None => Err(move_failure(MoveError::Unknown(workspaces.join(", ")))),
    }
}

fn is_source(seen: &Seen) -> bool {
    match &seen.under {
        Some(under) => under.phase != Phase::Arriving,
        None => matches!(seen.standing, Standing::Living(_) | Standing::Closed),
    }
}

async fn look(cell: &Cell, workspaces: &[String]) -> Result<Vec<Seen>, Failure> {
    let seen = cell.store.look_for_moving(workspaces.to_vec()).await;
    seen.map_err(|error| Failure::new(format!("cell {}: {error}", cell.name)))
}
