//! A backup, and a restore, with the power cut while the copy is made: there is none, or a whole one; and when the answer
//! was given there is one. A copy is opened, and shows what the memory model says of the store that was copied.

use std::path::Path;
use std::time::Duration;

use signalpost_core::time::Timestamp;
use signalpost_store::testing::snapshot::Snapshot;
use signalpost_store_sqlite::copy::{Keys, RestoreOptions, back_up, restore};
use signalpost_store_sqlite::holds_database;
use signalpost_testkit::{Rng, TempDir};

use super::course::{Course, Notes};
use super::judge::{self, Loss};
use super::place::{Place, Syncing, data};
use super::verbs;
use crate::Platter;

/// What a backup is made into, inside the folder.
const COPY: &str = "backups/today";

pub(super) fn record_backup(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let (folder, shown) = filled(seed)?;
    let place = Place::at(folder, syncing);
    back_up(&data(place.folder()), &place.folder().join(COPY), &mut |_| {})
        .map_err(|error| error.to_string())?;
    place.watch.note(1);
    Ok(course(&place, COPY, shown))
}

pub(super) fn record_restore(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let ((folder, shown), into) = (filled(seed)?, TempDir::new().expect("the system has a temporary folder"));
    let copy = into.path().join(COPY);
    back_up(&data(folder.path()), &copy, &mut |_| {}).map_err(|error| error.to_string())?;
    let place = Place::at(into, syncing);
    let (keys, shown) = match Rng::new(seed).below(2) {
        0 => (Keys::AsTheyWere, shown),
        _ => (Keys::Revoked, shown.without_keys()),
    };
    let age = Duration::from_secs(60);
    let options = RestoreOptions { sha256: None, age, now: Timestamp::from_ms(0), keys };
    restore(&copy, &data(place.folder()), &options).map_err(|error| error.to_string())?;
    place.watch.note(1);
    Ok(course(&place, "data", shown))
}

/// A folder with a store that has worked, and what it shows.
fn filled(seed: u64) -> Result<(TempDir, Snapshot), String> {
    let worked = verbs::work(seed, Syncing::AsEver)?;
    let mut platter = Platter::of(&worked.log.base);
    worked.log.ops.iter().for_each(|op| platter.apply(op));
    let folder = TempDir::new().expect("the system has a temporary folder");
    platter.whole().write_to(folder.path()).expect("a temporary folder can be written to");
    Ok((folder, worked.last()))
}

fn course(place: &Place, copy: &'static str, shown: Snapshot) -> Course {
    let log = place.watch.log();
    let notes = Notes::of(&log);
    let judge = move |folder: &Path, cut: usize| {
        let (copy, told) = (folder.join(copy), notes.before(cut).next().is_some());
        if !holds_database(&copy) {
            return if told { Err(Loss::Missing("the copy is gone".to_owned())) } else { Ok(0) };
        }
        // As it was found, before anybody works on it.
        judge::check_whole(&copy)?;
        judge::check_same(&shown, &judge::open_at(&copy)?)?;
        Ok(if told { shown.rows() } else { 0 })
    };
    Course { log, judge: Box::new(judge) }
}
