//! A backup, and a restore, with the power cut while the copy is made: there is none, or a whole one; and when the answer
//! was given there is one.

use std::path::Path;
use std::time::Duration;

use signalpost_store_sqlite::copy::{Keys, RestoreOptions, back_up, check, restore};
use signalpost_store_sqlite::holds_database;
use signalpost_testkit::TempDir;

use super::course::{Course, Notes};
use super::place::{Place, Syncing, data};
use super::{judge, verbs};
use crate::Platter;

/// What a backup is made into, inside the folder.
const COPY: &str = "backups/today";

pub(super) fn record_backup(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let place = Place::at(filled(seed)?, syncing);
    let report = back_up(&data(place.folder()), &place.folder().join(COPY), &mut |_| {});
    let report = report.map_err(|error| error.to_string())?;
    place.watch.note(1);
    Ok(course(&place, COPY, report.events))
}

pub(super) fn record_restore(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let (folder, into) = (filled(seed)?, TempDir::new().expect("the system has a temporary folder"));
    let copy = into.path().join(COPY);
    back_up(&data(folder.path()), &copy, &mut |_| {}).map_err(|error| error.to_string())?;
    let place = Place::at(into, syncing);
    let options = RestoreOptions { sha256: None, age: Duration::from_secs(60), keys: Keys::Revoked };
    let report = restore(&copy, &data(place.folder()), &options).map_err(|error| error.to_string())?;
    place.watch.note(1);
    Ok(course(&place, "data", report.events))
}

/// A folder with a store that has worked.
fn filled(seed: u64) -> Result<TempDir, String> {
    let worked = verbs::record(seed, Syncing::AsEver)?;
    let mut platter = Platter::of(&worked.log.base);
    worked.log.ops.iter().for_each(|op| platter.apply(op));
    let folder = TempDir::new().expect("the system has a temporary folder");
    platter.whole().write_to(folder.path()).expect("a temporary folder can be written to");
    Ok(folder)
}

fn course(place: &Place, copy: &'static str, events: u64) -> Course {
    let log = place.watch.log();
    let notes = Notes::of(&log);
    let judge = move |folder: &Path, cut: usize| {
        let (copy, told) = (folder.join(copy), notes.before(cut).next().is_some());
        if !holds_database(&copy) {
            return if told { Err("the copy is gone".to_owned()) } else { Ok(0) };
        }
        judge::check_whole(&copy)?;
        let found = check(&copy, &mut |_| {}).map_err(|error| error.to_string())?;
        if found.events != events {
            return Err(format!("{} of {events} events are in the copy", found.events));
        }
        Ok(usize::from(told))
    };
    Course { log, judge: Box::new(judge) }
}
