//! One row's columns, read in their order and checked for their types.

use rusqlite::Row;
use rusqlite::types::ValueRef;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;

/// Reads a row's columns from left to right.
pub(crate) struct Fields<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    /// Leading columns that say which row it is.
    key_columns: usize,
    next: usize,
}

pub(crate) type Field<T> = Result<T, StoreError>;

impl<'r> Fields<'r> {
    pub(crate) const fn new(row: &'r Row<'r>, table: &'static str, key_columns: usize) -> Self {
        Self { row, table, key_columns, next: 0 }
    }

    pub(crate) fn integer(&mut self, column: &'static str) -> Field<i64> {
        match self.value(column)? {
            ValueRef::Integer(value) => Ok(value),
            other => Err(self.mistyped(column, "an integer", other)),
        }
    }

    pub(crate) fn optional_integer(&mut self, column: &'static str) -> Field<Option<i64>> {
        self.optional(column, Self::integer)
    }

    /// An id: never negative, which the public forms rely on.
    pub(crate) fn id(&mut self, column: &'static str) -> Field<i64> {
        let value = self.integer(column)?;
        if value < 0 { Err(self.corrupt(column, format!("{value} is no id"))) } else { Ok(value) }
    }

    pub(crate) fn optional_id(&mut self, column: &'static str) -> Field<Option<i64>> {
        self.optional(column, Self::id)
    }

    /// A number that is never negative and fits `T`.
    pub(crate) fn count<T: TryFrom<i64>>(&mut self, column: &'static str) -> Field<T> {
        let value = self.integer(column)?;
        T::try_from(value).map_err(|_| self.corrupt(column, format!("{value} is out of range")))
    }

    pub(crate) fn optional_count<T: TryFrom<i64>>(&mut self, column: &'static str) -> Field<Option<T>> {
        self.optional(column, Self::count)
    }

    pub(crate) fn time(&mut self, column: &'static str) -> Field<Timestamp> {
        self.integer(column).map(Timestamp::from_ms)
    }

    pub(crate) fn optional_time(&mut self, column: &'static str) -> Field<Option<Timestamp>> {
        self.optional(column, Self::time)
    }

    pub(crate) fn text(&mut self, column: &'static str) -> Field<&'r str> {
        match self.value(column)? {
            ValueRef::Text(bytes) => {
                std::str::from_utf8(bytes).map_err(|error| self.corrupt(column, error.to_string()))
            }
            other => Err(self.mistyped(column, "text", other)),
        }
    }

    pub(crate) fn optional_text(&mut self, column: &'static str) -> Field<Option<&'r str>> {
        self.optional(column, Self::text)
    }

    pub(crate) fn blob(&mut self, column: &'static str) -> Field<&'r [u8]> {
        match self.value(column)? {
            ValueRef::Blob(bytes) => Ok(bytes),
            other => Err(self.mistyped(column, "a blob", other)),
        }
    }

    pub(crate) fn optional_blob(&mut self, column: &'static str) -> Field<Option<&'r [u8]>> {
        self.optional(column, Self::blob)
    }

    /// The next column whatever its type.
    pub(crate) fn value(&mut self, column: &'static str) -> Field<ValueRef<'r>> {
        let index = self.next;
        self.next += 1;
        self.row.get_ref(index).map_err(|error| self.corrupt(column, error.to_string()))
    }

    pub(crate) fn skip(&mut self) {
        self.next += 1;
    }

    /// Says that the value of a column just read makes no sense.
    pub(crate) fn corrupt(&self, column: &'static str, problem: String) -> StoreError {
        let part = |index| match self.row.get_ref(index) {
            Ok(ValueRef::Integer(value)) => value.to_string(),
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            Ok(ValueRef::Blob(bytes)) => format!("{} bytes", bytes.len()),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        };
        let key = (0..self.key_columns).map(part).collect::<Vec<_>>().join("/");
        StoreError::Corrupt { table: self.table, column, key, problem }
    }

    fn mistyped(&self, column: &'static str, wanted: &str, found: ValueRef<'_>) -> StoreError {
        self.corrupt(column, format!("{} is not {wanted}", found.data_type()))
    }

    pub(super) fn optional<T>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Field<T>,
    ) -> Field<Option<T>> {
        if self.value(column)? == ValueRef::Null {
            return Ok(None);
        }
        self.next -= 1;
        read(self, column).map(Some)
    }
}
