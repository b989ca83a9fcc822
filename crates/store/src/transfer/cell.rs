//! Values on their way from one database to another.

use super::table::{Column, Kind, Table};
use super::{TransferError, error};
use crate::row::{Row, Value};

/// One value, as both databases keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Null,
    Integer(i64),
    /// Without a NUL, which PostgreSQL does not keep.
    Text(String),
    Blob(Vec<u8>),
}

/// A row, column by column.
pub type Record = Vec<Cell>;

/// The values of a row's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(pub Record);

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const TEXT: u8 = 2;
const BLOB: u8 = 3;

impl Cell {
    /// What a value takes, roughly.
    pub const fn bytes(&self) -> usize {
        match self {
            Self::Null | Self::Integer(_) => 8,
            Self::Text(text) => 8 + text.len(),
            Self::Blob(bytes) => 8 + bytes.len(),
        }
    }

    fn of(kind: Kind, value: Value<'_>) -> Result<Self, String> {
        match (kind, value) {
            (_, Value::Null) => Ok(Self::Null),
            (Kind::Integer, Value::Integer(number)) => Ok(Self::Integer(number)),
            (Kind::TextOrNumber, Value::Integer(number)) => Ok(Self::Text(number.to_string())),
            (Kind::Text | Kind::TextOrNumber, Value::Text(bytes)) => text(bytes),
            (Kind::Blob, Value::Blob(bytes)) => Ok(Self::Blob(bytes.to_vec())),
            (kind, other) => Err(format!("{other} is not of the kind {kind:?}")),
        }
    }

    /// A form that says where it ends: no two rows have the same.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        let sized = |bytes: &mut Vec<u8>, tag, content: &[u8]| {
            bytes.push(tag);
            bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
            bytes.extend_from_slice(content);
        };
        match self {
            Self::Null => bytes.push(NULL),
            Self::Integer(number) => {
                bytes.push(INTEGER);
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            Self::Text(text) => sized(bytes, TEXT, text.as_bytes()),
            Self::Blob(content) => sized(bytes, BLOB, content),
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let [tag] = *bytes.split_off(..1)? else { return None };
        if tag == NULL {
            return Some(Self::Null);
        }
        let number = i64::from_le_bytes(bytes.split_off(..8)?.try_into().ok()?);
        if tag == INTEGER {
            return Some(Self::Integer(number));
        }
        let content = bytes.split_off(..usize::try_from(number).ok()?)?.to_vec();
        match tag {
            TEXT => String::from_utf8(content).ok().map(Self::Text),
            BLOB => Some(Self::Blob(content)),
            _ => None,
        }
    }
}

fn text(bytes: &[u8]) -> Result<Cell, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    if text.contains('\0') {
        return Err("it holds a NUL, which PostgreSQL does not keep".to_owned());
    }
    Ok(Cell::Text(text.to_owned()))
}

impl Key {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.iter().for_each(|cell| cell.write(&mut bytes));
        bytes
    }

    /// `None` for bytes that are no key.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut cells = Record::new();
        while !bytes.is_empty() {
            cells.push(Cell::read(&mut bytes)?);
        }
        Some(Self(cells))
    }
}

impl Table {
    /// A row as a database gives it, with the table's columns in their order.
    pub fn read(&self, row: &Row<'_>) -> Result<Record, TransferError> {
        self.columns.iter().enumerate().map(|(place, column)| self.cell(row, place, *column)).collect()
    }

    fn cell(&self, row: &Row<'_>, place: usize, column: Column) -> Result<Cell, TransferError> {
        let cell = row.value(place).and_then(|value| Cell::of(column.kind, value));
        cell.map_err(|problem| TransferError::Value {
            table: self.name,
            key: error::shown_key(row, self.key_columns),
            column: column.name,
            problem,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_returns_as_it_was_written() {
        let cells =
            vec![Cell::Integer(i64::MIN), Cell::Text("a/é".to_owned()), Cell::Blob(vec![0, 255]), Cell::Null];
        let key = Key(cells);
        assert_eq!(Key::from_bytes(&key.to_bytes()), Some(key.clone()));
        for cut in 1..key.to_bytes().len() - 1 {
            let read = Key::from_bytes(&key.to_bytes()[..cut]);
            assert!(read.is_none_or(|short| short.0.len() < key.0.len()), "{cut}");
        }
        assert_eq!(Key::from_bytes(&[9; 20]), None);
    }

    #[test]
    fn values_of_another_kind_are_refused() {
        let table = [
            (Kind::Integer, Value::Text(b"1")),
            (Kind::Text, Value::Integer(1)),
            (Kind::Text, Value::Text(b"a\0b")),
            (Kind::Text, Value::Text(b"\xff")),
            (Kind::Blob, Value::Text(b"a")),
            (Kind::TextOrNumber, Value::Real(0.5)),
        ];
        for (kind, value) in table {
            assert!(Cell::of(kind, value).is_err(), "{kind:?} {value:?}");
        }
        assert_eq!(Cell::of(Kind::TextOrNumber, Value::Integer(200)), Ok(Cell::Text("200".to_owned())));
    }
}
