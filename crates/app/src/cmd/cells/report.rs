//! What was moved, in words or as JSON.

use serde_json::{Map, Value, json};
use signalpost_store_postgres::cells::Moved;

pub(super) fn of_move(
    as_json: bool,
    workspaces: &[String],
    (from, to): (&str, &str),
    moved: &Moved,
) -> String {
    let rows: u64 = moved.tables.iter().map(|(_, sum)| sum.rows).sum();
    if as_json {
        let tables: Map<String, Value> = moved
            .tables
            .iter()
            .map(|(name, sum)| ((*name).to_owned(), json!({ "rows": sum.rows, "checksum": sum.to_hex() })))
            .collect();
        let answer = json!({
            "workspaces": workspaces,
            "from": from,
            "to": to,
            "moved_before": false,
            "rows": rows,
            "tables": tables,
        });
        return format!("{answer:#}\n");
    }
    format!(
        "Moved from cell {from} to cell {to}: {}. {rows} rows were the same on both sides, by number and by checksum.\n\
         What cell {from} still has of them is removed bit by bit.\n",
        workspaces.join(", ")
    )
}

pub(super) fn of_nothing(as_json: bool, workspaces: &[String], to: &str) -> String {
    if as_json {
        let answer = json!({ "workspaces": workspaces, "to": to, "moved_before": true });
        return format!("{answer:#}\n");
    }
    format!("In cell {to} already: {}. Nothing was done.\n", workspaces.join(", "))
}

pub(super) fn of_giving_up(as_json: bool, workspaces: &[String], (from, to): (&str, &str)) -> String {
    if as_json {
        let answer = json!({ "workspaces": workspaces, "from": from, "to": to, "given_up": true });
        return format!("{answer:#}\n");
    }
    format!(
        "Given up: {} are served by cell {from}, and cell {to} has nothing of them.\n",
        workspaces.join(", ")
    )
}
