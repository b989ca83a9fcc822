//! Several short statements in one message, and one answer to all of them.
//!
//! Each statement that is sent by itself is answered by a packet of its own, for which both sides wake up. What goes as text would
//! be planned anew each time, so these statements are prepared under names on every connection. All that goes in and comes out
//! are numbers, so there is nothing to quote.

use std::fmt::Write;

use signalpost_store::StoreError;
use signalpost_store::row::{Columns, Row, Value};
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use crate::failure::Failure;
use crate::ledger::finish;
use crate::locks;
use crate::nodes::fence;
use crate::write;

const BEGIN: &str = "BEGIN";
const COMMIT: &str = "COMMIT";

/// What scripts may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scripted {
    Lock,
    Share,
    SelectHeads,
    SelectEpochs,
    SelectCopied,
    SelectLeaving,
    InsertPlaces,
    UpdateHeads,
    InsertTallies,
}

impl Scripted {
    const ALL: [Self; 9] = [
        Self::Lock,
        Self::Share,
        Self::SelectHeads,
        Self::SelectEpochs,
        Self::SelectCopied,
        Self::SelectLeaving,
        Self::InsertPlaces,
        Self::UpdateHeads,
        Self::InsertTallies,
    ];

    const fn sql(self) -> &'static str {
        match self {
            Self::Lock => locks::LOCK,
            Self::Share => locks::SHARE,
            Self::SelectHeads => write::SELECT_HEADS,
            Self::SelectEpochs => fence::SELECT_EPOCHS,
            Self::SelectCopied => fence::SELECT_COPIED,
            Self::SelectLeaving => finish::SELECT_LEAVING,
            Self::InsertPlaces => write::INSERT_PLACES,
            Self::UpdateHeads => write::UPDATE_HEADS,
            Self::InsertTallies => write::INSERT_TALLIES,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Share => "share",
            Self::SelectHeads => "select_heads",
            Self::SelectEpochs => "select_epochs",
            Self::SelectCopied => "select_copied",
            Self::SelectLeaving => "select_leaving",
            Self::InsertPlaces => "insert_places",
            Self::UpdateHeads => "update_heads",
            Self::InsertTallies => "insert_tallies",
        }
    }
}

/// What a connection has to be sent once before it takes scripts.
pub(crate) fn preparation() -> String {
    Scripted::ALL.map(|one| format!("PREPARE {} AS {}", one.name(), one.sql())).join(";")
}

/// Statements that are run one after the other, up to the first that fails; each sees what was committed before it began.
#[derive(Default)]
pub(crate) struct Script {
    text: String,
    statements: usize,
}

/// A statement of a script, by its place.
#[derive(Clone, Copy)]
pub(crate) struct Asked(usize);

impl Script {
    /// Begins a transaction.
    pub(crate) fn begin(&mut self) {
        self.add(BEGIN);
    }

    pub(crate) fn commit(&mut self) {
        self.add(COMMIT);
    }

    /// Runs a statement with these columns.
    pub(crate) fn run(&mut self, statement: Scripted, columns: &[&[i64]]) -> Asked {
        let columns: Vec<String> = columns.iter().map(|column| array(column)).collect();
        self.add(&format!("EXECUTE {}({})", statement.name(), columns.join(",")))
    }

    fn add(&mut self, statement: &str) -> Asked {
        if self.statements > 0 {
            self.text.push(';');
        }
        self.text.push_str(statement);
        self.statements += 1;
        Asked(self.statements - 1)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// As SQL writes an array of numbers.
fn array(numbers: &[i64]) -> String {
    let mut text = "'{".to_owned();
    for (place, number) in numbers.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        // Writing to a text cannot fail.
        let _ = write!(text, "{comma}{number}");
    }
    text.push_str("}'");
    text
}

/// What a script was answered.
pub(crate) struct Answers(Vec<Vec<SimpleQueryRow>>);

impl Answers {
    pub(crate) fn of(messages: Vec<SimpleQueryMessage>) -> Self {
        let (mut statements, mut rows) = (Vec::new(), Vec::new());
        for message in messages {
            match message {
                SimpleQueryMessage::Row(row) => rows.push(row),
                SimpleQueryMessage::CommandComplete(_) => statements.push(std::mem::take(&mut rows)),
                _ => {}
            }
        }
        Self(statements)
    }

    /// All rows of a statement, in its order.
    pub(crate) fn all<T>(
        &self,
        asked: Asked,
        mut decode: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, Failure> {
        let rows = self.0.get(asked.0).map(Vec::as_slice).unwrap_or_default();
        Ok(rows.iter().map(|row| decode(&Numbers(row))).collect::<Result<_, _>>()?)
    }
}

/// A row as it comes without its types.
struct Numbers<'r>(&'r SimpleQueryRow);

impl Columns for Numbers<'_> {
    fn value(&self, index: usize) -> Result<Value<'_>, String> {
        let text = self.0.try_get(index).map_err(|error| error.to_string())?;
        let number = text.map(|text| text.parse().map_err(|_| format!("{text} is no number")));
        Ok(number.transpose()?.map_or(Value::Null, Value::Integer))
    }
}

/// Every statement of these, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: [&str; Scripted::ALL.len()] = {
    let mut statements = [""; Scripted::ALL.len()];
    let mut place = 0;
    while place < statements.len() {
        statements[place] = Scripted::ALL[place].sql();
        place += 1;
    }
    statements
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_one_text() {
        let mut script = Script::default();
        script.begin();
        let locked = script.run(Scripted::Lock, &[&[i64::MIN, 7]]);
        script.run(Scripted::InsertPlaces, &[&[1], &[]]);
        script.commit();
        assert_eq!(
            script.text(),
            "BEGIN;EXECUTE lock('{-9223372036854775808,7}');EXECUTE insert_places('{1}','{}');COMMIT"
        );
        assert_eq!(locked.0, 1);
    }

    #[test]
    fn each_has_a_name_of_its_own() {
        let names = Scripted::ALL.map(Scripted::name);
        let distinct: std::collections::BTreeSet<&str> = names.into_iter().collect();
        assert_eq!(distinct.len(), Scripted::ALL.len());
    }
}
