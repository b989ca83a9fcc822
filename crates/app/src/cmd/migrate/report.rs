//! What was moved, and what to do next.

use serde_json::{Map, json};

use super::{MigrateArgs, Tables};

/// What stands in the marker that keeps servers off the data directory.
pub(super) const MARKER_TEXT: &str = "\
`signalpost migrate` has moved all that was in this directory into a PostgreSQL database. What was pending goes out from
there; a server on this directory would deliver it a second time, so none starts while this file is here.

To go on, start the server with the URL of that database and with the same master key.

To go back, stop every server on that database first, and then remove this file. Whatever was published, changed or deleted
since the move is not here, and what was delivered since goes out once more.";

pub(super) fn as_json(args: &MigrateArgs, moved: &Tables) -> String {
    let tables: Map<String, serde_json::Value> = moved
        .iter()
        .map(|(name, sum)| ((*name).to_owned(), json!({ "rows": sum.rows, "checksum": sum.to_hex() })))
        .collect();
    let answer = json!({
        "from": args.from.display().to_string(),
        "moved_before": false,
        "rows": moved.iter().map(|(_, sum)| sum.rows).sum::<u64>(),
        "tables": tables,
    });
    format!("{answer:#}\n")
}

pub(super) fn as_text(args: &MigrateArgs, moved: &Tables) -> String {
    let rows = |wanted: &str| moved.iter().find(|(name, _)| *name == wanted).map_or(0, |(_, sum)| sum.rows);
    let from = args.from.display();
    format!(
        "Moved from {from}: {} workspaces, {} webhooks, {} events, {} attempts, {} deliveries owed.\n\
         {} rows of {} tables are the same on both sides, by number and by checksum.\n\
         No server starts on {from} any more; signalpost.moved in it says why, and how to go back.\n\
         Start with SIGNALPOST_DATABASE_URL and the master key of before, in SIGNALPOST_MASTER_KEY or by --data {from}, \
         where its files still lie.\n",
        rows("workspace"),
        rows("webhook"),
        rows("message"),
        rows("attempt"),
        rows("due"),
        moved.iter().map(|(_, sum)| sum.rows).sum::<u64>(),
        moved.len(),
    )
}

pub(super) fn as_done_before(args: &MigrateArgs) -> String {
    let from = args.from.display().to_string();
    if args.json {
        let answer = json!({ "from": from, "moved_before": true });
        return format!("{answer:#}\n");
    }
    format!("All of {from} was moved into this database before. Nothing was done.\n")
}
