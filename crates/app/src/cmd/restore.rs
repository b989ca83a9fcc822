//! `signalpost restore`: a backup becomes a new data directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use signalpost_store_sqlite::copy::{Keys, RestoreOptions, RestoreReport, restore};

use crate::cmd::Failure;
use crate::cmd::copies::{KeyCopy, Manifest, copy_failure, copy_keys, keys_to_copy, mib, now, read_manifest};
use crate::cmd::place::PlaceArgs;
use crate::key_files::{MASTER_KEY_FILE, OPERATOR_KEY_FILE};
use crate::telemetry::say;

#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// Folder that `signalpost backup` has written.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,

    #[command(flatten)]
    place: PlaceArgs,

    /// Let no operator key and no credential or portal link of a customer open anything that was made before.
    ///
    /// Without it those open that were good when the backup was taken, also what was revoked since. With it the
    /// backup's operator.key is left where it is, and a new one is made at the start unless you give one.
    #[arg(long)]
    revoke_keys: bool,

    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

/// What was done.
struct Restored {
    data: PathBuf,
    report: RestoreReport,
    manifest: Manifest,
    key_files: Vec<KeyCopy>,
}

pub(super) fn run(args: &RestoreArgs) -> Result<(), Failure> {
    let manifest = read_manifest(&args.from)?;
    let data = args.place.embedded()?.data;
    let key_files = key_files(args, &data)?;
    let now = now();
    let age = Duration::from_millis(now.ms_since(manifest.created_at).unsigned_abs());
    let keys = if args.revoke_keys { Keys::Revoked } else { Keys::AsTheyWere };
    let options = RestoreOptions { sha256: Some(manifest.sha256), age, now, keys };
    let report = restore(&args.from, &data, &options).map_err(copy_failure)?;
    copy_keys(&args.from, &data, &key_files)?;
    let done = Restored { data, report, manifest, key_files };
    say(&if args.json { as_json(args, &done) } else { as_text(args, &done) });
    Ok(())
}

/// The key files that the new data directory gets from the backup.
fn key_files(args: &RestoreArgs, data: &Path) -> Result<Vec<KeyCopy>, Failure> {
    if !args.revoke_keys {
        return keys_to_copy(&args.from, data, &[OPERATOR_KEY_FILE, MASTER_KEY_FILE]);
    }
    let old = args.from.join(OPERATOR_KEY_FILE);
    let ready = data.join(OPERATOR_KEY_FILE);
    if let (Ok(old), Ok(ready)) = (std::fs::read(&old), std::fs::read(&ready))
        && old == ready
    {
        return Err(Failure::new(format!(
            "{OPERATOR_KEY_FILE} in {} is the backup's, which is to be revoked",
            data.display()
        ))
        .hint("Take it away, or put a new one there."));
    }
    keys_to_copy(&args.from, data, &[MASTER_KEY_FILE])
}

fn as_json(args: &RestoreArgs, done: &Restored) -> String {
    let Restored { data, report, key_files, .. } = done;
    let answer = json!({
        "data": data.display().to_string(),
        "bytes": report.bytes,
        "workspaces": report.workspaces,
        "events": report.events,
        "deliveries_owed": report.owed,
        "sequences_advanced_by": report.sequence_step,
        "operator_keys": report.operator_keys,
        "credentials": report.credentials,
        "users": report.users,
        "keys_revoked": args.revoke_keys,
        "keys": key_files.iter().map(|key| key.file).collect::<Vec<_>>(),
    });
    format!("{answer:#}\n")
}

fn as_text(args: &RestoreArgs, done: &Restored) -> String {
    let Restored { data, report, manifest, key_files } = done;
    let RestoreReport { bytes, workspaces, events, owed, sequence_step, operator_keys, credentials, users } =
        report;
    let mut text = format!(
        "Restored into {}: {}, {workspaces} workspaces, {events} events. Every sequence was advanced by \
         {sequence_step}.\n{owed} deliveries were owed when the backup was taken ({}); they go out when the server \
         starts, also those that had been delivered since.\n",
        data.display(),
        mib(*bytes),
        manifest.created_at,
    );
    text.push_str(&if args.revoke_keys {
        format!(
            "{operator_keys} operator keys, {credentials} credentials of customers and {users} users were revoked, and \
             {OPERATOR_KEY_FILE} was not taken from the backup.\n"
        )
    } else {
        format!(
            "{operator_keys} operator keys, {credentials} credentials of customers and {users} users are as they were then: \
             what was revoked since opens again. Revoke it once more, or restore with --revoke-keys.\n"
        )
    });
    if !key_files.iter().any(|key| key.file == MASTER_KEY_FILE) {
        text.push_str(
            "The master key was not in the backup: before you start, put it into SIGNALPOST_MASTER_KEY or master.key \
             there.\n",
        );
    }
    if !key_files.iter().any(|key| key.file == OPERATOR_KEY_FILE) {
        text.push_str("A new operator key will be made at the start unless you give one.\n");
    }
    text
}
