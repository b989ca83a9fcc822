//! Rows into a table, in the binary form of COPY.

use bytes::BytesMut;
use futures_util::pin_mut;
use signalpost_store::transfer::{Cell, Column, Kind, Page, Record, Table};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::{Problem, stand, together};
use crate::session::Session;

pub(super) async fn put(session: &Session, table: &'static Table, page: &Page) -> Result<(), Problem> {
    let work = async {
        if !page.rows.is_empty() {
            copy(session, table, &page.rows).await?;
        }
        stand::raise(session, table, page).await
    };
    together(session, work).await
}

/// Within whatever transaction is open.
pub(crate) async fn copy(
    session: &Session,
    table: &Table,
    rows: &[Record],
) -> Result<(), tokio_postgres::Error> {
    // It keeps the numbers of kept answers, which an INSERT would give anew.
    let sql = format!("COPY \"{}\" ({}) FROM STDIN (FORMAT binary)", table.name, names(table));
    let sink = session.client().copy_in(&sql).await?;
    let types: Vec<Type> = table.columns.iter().map(type_of).collect();
    let writer = BinaryCopyInWriter::new(sink, &types);
    pin_mut!(writer);
    for row in rows {
        writer.as_mut().write_raw(row.iter().map(Put)).await?;
    }
    writer.finish().await?;
    Ok(())
}

/// The columns of a table, in the order in which it is described.
pub(crate) fn names(table: &Table) -> String {
    let quoted: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    quoted.join(", ")
}

const fn type_of(column: &Column) -> Type {
    match column.kind {
        Kind::Integer => Type::INT8,
        Kind::Text | Kind::TextOrNumber => Type::TEXT,
        Kind::Blob => Type::BYTEA,
    }
}

/// A value as the driver takes it.
#[derive(Debug)]
pub(crate) struct Put<'c>(pub(crate) &'c Cell);

impl ToSql for Put<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Cell::Null => Ok(IsNull::Yes),
            Cell::Integer(number) => number.to_sql(kind, out),
            Cell::Text(text) => text.to_sql(kind, out),
            Cell::Blob(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
