//! How a table is described that is moved.

use super::cell::{Cell, Key, Record};

/// A table of the target.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// Those of the key stand first, in the order in which the source is walked.
    pub columns: &'static [Column],
    /// How many of them are the key's.
    pub key_columns: usize,
    pub size: Size,
}

/// How a table grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// With customers and with what is pending.
    Bounded,
    /// With every event. Nothing is added here that does not change one of the others as well.
    Endless,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// What a column holds where it is not NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Text,
    /// A number, where a column may be of several types, is the same as its digits.
    TextOrNumber,
    Blob,
}

impl Table {
    /// The key of one of its rows.
    pub fn key_of(&self, row: &[Cell]) -> Key {
        Key(row.iter().take(self.key_columns).cloned().collect::<Record>())
    }

    /// The columns of its key.
    pub fn key(&self) -> &'static [Column] {
        &self.columns[..self.key_columns]
    }
}

pub(super) const fn integer(name: &'static str) -> Column {
    Column { name, kind: Kind::Integer }
}

pub(super) const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

pub(super) const fn text_or_number(name: &'static str) -> Column {
    Column { name, kind: Kind::TextOrNumber }
}

pub(super) const fn blob(name: &'static str) -> Column {
    Column { name, kind: Kind::Blob }
}
