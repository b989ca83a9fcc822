//! One row's columns, read in their order and checked for their types.

use std::fmt;

use crate::StoreError;
use signalpost_core::time::Timestamp;

/// A row as a database gives it, whichever that is.
pub trait Columns {
    /// The value of a column, which count from zero; the error says what is wrong.
    fn value(&self, index: usize) -> Result<Value<'_>, String>;
}

pub type Row<'r> = dyn Columns + 'r;

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'r> {
    Null,
    Integer(i64),
    Real(f64),
    /// Whatever the bytes are.
    Text(&'r [u8]),
    Blob(&'r [u8]),
}

impl Value<'_> {
    const fn type_name(self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Integer(_) => "Integer",
            Self::Real(_) => "Real",
            Self::Text(_) => "Text",
            Self::Blob(_) => "Blob",
        }
    }
}

/// As a part of a row's key.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Integer(value) => value.fmt(f),
            Self::Real(value) => value.fmt(f),
            Self::Text(text) => f.write_str(&String::from_utf8_lossy(text)),
            Self::Blob(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

/// Reads a row's columns from left to right.
pub struct Fields<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    /// Leading columns that say which row it is.
    key_columns: usize,
    next: usize,
}

pub type Field<T> = Result<T, StoreError>;

impl<'r> Fields<'r> {
    pub const fn new(row: &'r Row<'r>, table: &'static str, key_columns: usize) -> Self {
        Self { row, table, key_columns, next: 0 }
    }

    pub fn integer(&mut self, column: &'static str) -> Field<i64> {
        match self.value(column)? {
            Value::Integer(value) => Ok(value),
            other => Err(self.mistyped(column, "an integer", other)),
        }
    }

    pub fn optional_integer(&mut self, column: &'static str) -> Field<Option<i64>> {
        self.optional(column, Self::integer)
    }

    /// An id: never negative, which the public forms rely on.
    pub fn id(&mut self, column: &'static str) -> Field<i64> {
        let value = self.integer(column)?;
        if value < 0 { Err(self.corrupt(column, format!("{value} is no id"))) } else { Ok(value) }
    }

    pub fn optional_id(&mut self, column: &'static str) -> Field<Option<i64>> {
        self.optional(column, Self::id)
    }

    /// A number that is never negative and fits `T`.
    pub fn count<T: TryFrom<i64>>(&mut self, column: &'static str) -> Field<T> {
        let value = self.integer(column)?;
        T::try_from(value).map_err(|_| self.corrupt(column, format!("{value} is out of range")))
    }

    pub fn optional_count<T: TryFrom<i64>>(&mut self, column: &'static str) -> Field<Option<T>> {
        self.optional(column, Self::count)
    }

    pub fn time(&mut self, column: &'static str) -> Field<Timestamp> {
        self.integer(column).map(Timestamp::from_ms)
    }

    pub fn optional_time(&mut self, column: &'static str) -> Field<Option<Timestamp>> {
        self.optional(column, Self::time)
    }

    pub fn text(&mut self, column: &'static str) -> Field<&'r str> {
        match self.value(column)? {
            Value::Text(bytes) => {
                std::str::from_utf8(bytes).map_err(|error| self.corrupt(column, error.to_string()))
            }
            other => Err(self.mistyped(column, "text", other)),
        }
    }

    pub fn optional_text(&mut self, column: &'static str) -> Field<Option<&'r str>> {
        self.optional(column, Self::text)
    }

    pub fn blob(&mut self, column: &'static str) -> Field<&'r [u8]> {
        match self.value(column)? {
            Value::Blob(bytes) => Ok(bytes),
            other => Err(self.mistyped(column, "a blob", other)),
        }
    }

    pub fn optional_blob(&mut self, column: &'static str) -> Field<Option<&'r [u8]>> {
        self.optional(column, Self::blob)
    }

    /// The next column whatever its type.
    pub fn value(&mut self, column: &'static str) -> Field<Value<'r>> {
        let index = self.next;
        self.next += 1;
        self.row.value(index).map_err(|problem| self.corrupt(column, problem))
    }

    pub fn skip(&mut self) {
        self.next += 1;
    }

    /// Says that the value of a column just read makes no sense.
    pub fn corrupt(&self, column: &'static str, problem: String) -> StoreError {
        let part = |index| self.row.value(index).map_or_else(|problem| problem, |value| value.to_string());
        let key = (0..self.key_columns).map(part).collect::<Vec<_>>().join("/");
        StoreError::Corrupt { table: self.table, column, key, problem }
    }

    fn mistyped(&self, column: &'static str, wanted: &str, found: Value<'_>) -> StoreError {
        self.corrupt(column, format!("{} is not {wanted}", found.type_name()))
    }

    pub(super) fn optional<T>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Field<T>,
    ) -> Field<Option<T>> {
        if self.value(column)? == Value::Null {
            return Ok(None);
        }
        self.next -= 1;
        read(self, column).map(Some)
    }
}
