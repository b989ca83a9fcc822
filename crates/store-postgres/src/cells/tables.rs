//! What is copied, and by what it is found: rows that grow with events, before, and all that leads to them, in the end.

use signalpost_store::transfer::{Cell, Key, Record, TABLES, Table};

use super::{Move, Parts};
use crate::move_in::copy_in::names;

/// On what the rows of a table hang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Workspace,
    Webhook,
    Replay,
    User,
}

/// A table whose rows are copied in pages, while nobody finds them in the target.
#[derive(Debug)]
pub(super) struct Bulk {
    name: &'static str,
    owner: Owner,
    /// The column that names the owner.
    owner_column: &'static str,
    /// The rest of the key by which its rows are walked.
    rest: &'static [&'static str],
}

/// In the order in which they are copied. Users come first, so that their names are taken.
pub(super) const BULK: &[Bulk] = &[
    Bulk { name: "user", owner: Owner::User, owner_column: "id", rest: &[] },
    Bulk { name: "message", owner: Owner::Workspace, owner_column: "workspace", rest: &["id"] },
    Bulk {
        name: "event_key",
        owner: Owner::Workspace,
        owner_column: "workspace",
        rest: &["producer_id", "event"],
    },
    Bulk { name: "feed", owner: Owner::Workspace, owner_column: "workspace", rest: &["sequence"] },
    Bulk { name: "due", owner: Owner::Webhook, owner_column: "webhook", rest: &["due_at", "event"] },
    Bulk { name: "attempt", owner: Owner::Webhook, owner_column: "webhook", rest: &["event", "n"] },
    Bulk { name: "dropped", owner: Owner::Webhook, owner_column: "webhook", rest: &["event"] },
    Bulk { name: "cut", owner: Owner::Webhook, owner_column: "webhook", rest: &["n"] },
    Bulk { name: "replay_plan", owner: Owner::Replay, owner_column: "replay", rest: &["event"] },
    Bulk { name: "figure", owner: Owner::Workspace, owner_column: "workspace", rest: &["webhook", "at"] },
];

/// A table as it is described for every move.
pub(super) fn described(name: &str) -> &'static Table {
    TABLES.iter().find(|table| table.name == name).expect("a table that is described")
}

impl Bulk {
    pub(super) fn table(&self) -> &'static Table {
        described(self.name)
    }

    /// Whether nothing of it changes while it is copied, so that both sides can be compared. Figures are a view and go on: cores
    /// store what they have counted, and upkeep removes old ones on either side.
    pub(super) fn stands_still(&self) -> bool {
        self.name != "figure"
    }

    /// All whose rows are copied, in order.
    pub(super) fn owners(&self, moving: &Move, parts: &Parts) -> Vec<i64> {
        let mut owners = match self.owner {
            Owner::Workspace => moving.ids(),
            Owner::Webhook => parts.webhooks.clone(),
            Owner::Replay => parts.replays.clone(),
            Owner::User => parts.users.clone(),
        };
        owners.sort_unstable();
        owners
    }

    /// Where a row stands in a walk.
    pub(super) fn key_of(&self, row: &Record) -> Key {
        let columns = std::iter::once(&self.owner_column).chain(self.rest);
        let cell = |name: &&str| {
            let place = self.table().columns.iter().position(|column| column.name == *name);
            place.map_or(Cell::Null, |place| row[place].clone())
        };
        Key(columns.map(cell).collect())
    }

    pub(super) const fn key_columns(&self) -> usize {
        1 + self.rest.len()
    }

    /// Further rows of one owner, behind the rest of a key; `None` where each has one row.
    pub(super) fn select_more(&self) -> Option<String> {
        if self.rest.is_empty() {
            return None;
        }
        let values: Vec<String> = (2..2 + self.rest.len()).map(|place| format!("${place}")).collect();
        let limit = 2 + self.rest.len();
        Some(format!(
            "SELECT {} FROM \"{}\" WHERE {} = $1 AND ({order}) > ({}) ORDER BY {order} LIMIT ${limit}",
            names(self.table()),
            self.name,
            self.owner_column,
            values.join(", "),
            order = self.order(),
        ))
    }

    /// The rows of several owners, in their order.
    pub(super) fn select_next(&self) -> String {
        let (columns, order) = (names(self.table()), self.order());
        let order = if order.is_empty() { String::new() } else { format!("ORDER BY {order}") };
        format!(
            "SELECT t.* FROM unnest($1::bigint[]) AS k CROSS JOIN LATERAL (
                SELECT {columns} FROM \"{}\" WHERE {} = k {order} LIMIT $2) AS t LIMIT $2",
            self.name, self.owner_column,
        )
    }

    /// All rows of these owners, in no order.
    pub(super) fn select_all(&self) -> String {
        let columns = names(self.table());
        format!("SELECT {columns} FROM \"{}\" WHERE {} = ANY($1::bigint[])", self.name, self.owner_column)
    }

    /// Events of a workspace are found by an expression, see the schema.
    fn order(&self) -> String {
        if self.name == "message" { "id + 0".to_owned() } else { self.rest.join(", ") }
    }
}
