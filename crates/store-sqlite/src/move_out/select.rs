//! How the rows of a table are selected, and from what where the schemas differ. [`super::untried`] has a way of its own.

use rusqlite::types::Value;
use signalpost_store::transfer::{Cell, Column, Key, Table};

/// The last place of a workspace stands in its head.
const PLACES: &str = "(SELECT workspace, sequence FROM head)";
/// Ids of removed events are counted apart; how far listing indexes are filled is nobody else's business.
const META: &str = "(SELECT name, CASE name WHEN 'highest_deleted_id'
        THEN (SELECT max(value) FROM meta WHERE name IN ('highest_deleted_id', 'highest_removed_event'))
        ELSE value END AS value
    FROM meta WHERE name NOT IN ('highest_removed_event', 'indexed'))";

/// What stands behind a table of the target.
fn origin(table: &Table) -> String {
    match table.name {
        "place" => PLACES.to_owned(),
        "meta" => META.to_owned(),
        name => format!("\"{name}\""),
    }
}

pub(super) fn all(table: &Table) -> String {
    format!("SELECT {} FROM {}", names(table.columns), origin(table))
}

pub(super) fn count(table: &Table) -> String {
    format!("SELECT count(*) FROM {}", origin(table))
}

/// In the order of the key; its parameters are [`Values::behind`] the same key.
pub(super) fn page(table: &Table, after: Option<&Key>) -> String {
    let key = names(table.key());
    let limit = after.map_or(0, |after| after.0.len()) + 1;
    let behind = after.map_or_else(String::new, |_| {
        let values: Vec<String> = (1..limit).map(|number| format!("?{number}")).collect();
        format!(" WHERE ({key}) > ({})", values.join(", "))
    });
    format!("{}{behind} ORDER BY {key} LIMIT ?{limit}", all(table))
}

fn names(columns: &[Column]) -> String {
    let quoted: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    quoted.join(", ")
}

/// Parameters of a statement.
pub(super) struct Values(Vec<Value>);

impl Values {
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    /// A key, if there is one, and how many rows are wanted.
    pub(super) fn behind(after: Option<&Key>, rows: usize) -> Self {
        let key = after.into_iter().flat_map(|after| &after.0).map(value);
        Self(key.chain([Value::Integer(crate::fetch::limit(rows))]).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Value> {
        self.0.iter()
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(*number),
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Blob(bytes) => Value::Blob(bytes.clone()),
    }
}
