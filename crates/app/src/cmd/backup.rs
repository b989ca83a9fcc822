//! `signalpost backup`: a copy of a data directory, taken while the server may be working on it.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use signalpost_core::hex;
use signalpost_store_sqlite::copy::{BackupReport, back_up};

use crate::cmd::Failure;
use crate::cmd::copies::{
    KeyCopy, MANIFEST_FILE, ProgressLine, copy_failure, copy_keys, keys_to_copy, mib, now, write_manifest,
};
use crate::cmd::place::PlaceArgs;
use crate::key_files::{MASTER_KEY_FILE, OPERATOR_KEY_FILE};
use crate::telemetry::say;

#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Folder for the backup; made if missing, and it must be empty.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,

    /// Copy operator.key and master.key too. Whoever has such a backup can read every signing secret.
    #[arg(long)]
    with_keys: bool,

    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &BackupArgs) -> Result<(), Failure> {
    // Before anything is read: what is acknowledged from here on may be missing.
    let created_at = now();
    let data = args.place.embedded()?.data;
    let files: &[&str] = if args.with_keys { &[OPERATOR_KEY_FILE, MASTER_KEY_FILE] } else { &[] };
    let keys = keys_to_copy(&data, &args.to, files)?;
    let mut line = ProgressLine::new("copied");
    let report =
        back_up(&data, &args.to, &mut |progress| line.show(progress.done_bytes, progress.total_bytes));
    line.end();
    let report = report.map_err(copy_failure)?;
    copy_keys(&data, &args.to, &keys)?;
    let manifest = json!({
        "format": 1,
        "signalpost": env!("CARGO_PKG_VERSION"),
        "created_at": created_at.to_rfc3339_ms(),
        "schema": report.schema,
        "bytes": report.bytes,
        "sha256": hex::encode(&report.sha256),
        "workspaces": report.workspaces,
        "events": report.events,
        "deliveries_owed": report.owed,
        "keys": keys.iter().map(|key| key.file).collect::<Vec<_>>(),
    });
    write_manifest(&args.to, &manifest)?;
    if args.json {
        say(&format!("{manifest:#}\n"));
    } else {
        say(&told(&args.to, &report, &keys));
    }
    Ok(())
}

fn told(to: &Path, report: &BackupReport, keys: &[KeyCopy]) -> String {
    let BackupReport { bytes, workspaces, events, owed, .. } = report;
    let mut text = format!(
        "Backup in {}: {}, {workspaces} workspaces, {events} events, {owed} deliveries owed.\n{MANIFEST_FILE} holds its \
         checksum.\n",
        to.display(),
        mib(*bytes),
    );
    text.push_str(if keys.is_empty() {
        "The keys are not in it: keep a copy of the master key elsewhere, or no signing secret will open again.\n"
    } else {
        "The keys are in it: whoever has it can read every signing secret.\n"
    });
    text
}
