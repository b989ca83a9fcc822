//! `signalpost restore`: a backup becomes a new data directory.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use signalpost_store_sqlite::copy::{RESTORE_SEQUENCE_STEP, restore};

use crate::cmd::Failure;
use crate::cmd::copies::{copy_failure, copy_keys, mib, read_manifest};
use crate::telemetry::say;

#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// Folder that `signalpost backup` has written.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,

    /// The data directory to make; it must be missing or empty.
    #[arg(long, value_name = "DIR", env = "SIGNALPOST_DATA", default_value = "./signalpost-data")]
    data: PathBuf,

    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RestoreArgs) -> Result<(), Failure> {
    let manifest = read_manifest(&args.from)?;
    let report = restore(&args.from, &args.data, Some(manifest.sha256)).map_err(copy_failure)?;
    let keys = copy_keys(&args.from, &args.data)?;
    if args.json {
        let answer = json!({
            "data": args.data.display().to_string(),
            "bytes": report.bytes,
            "workspaces": report.workspaces,
            "events": report.events,
            "deliveries_owed": report.owed,
            "sequences_advanced_by": RESTORE_SEQUENCE_STEP,
            "keys": keys.iter().map(|key| key.file).collect::<Vec<_>>(),
        });
        say(&format!("{answer:#}\n"));
        return Ok(());
    }
    say(&format!(
        "Restored into {}: {}, {} workspaces, {} events. Every sequence was advanced by {RESTORE_SEQUENCE_STEP}.\n\
         {} deliveries were owed when the backup was taken ({}); they go out when the server starts, also those \
         that had been delivered since.\n",
        args.data.display(),
        mib(report.bytes),
        report.workspaces,
        report.events,
        report.owed,
        manifest.created_at,
    ));
    if keys.is_empty() {
        say(
            "The keys were not in the backup: before you start, put the master key into SIGNALPOST_MASTER_KEY or \
             master.key there. A new operator key will be made unless you give one.\n",
        );
    }
    Ok(())
}
