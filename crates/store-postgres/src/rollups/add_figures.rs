//! `add_figures`: rows that are there grow, others are made.

use std::collections::BTreeMap;

use signalpost_core::figures::{FIGURES_NUMBERS, Figures, FiguresKey};
use signalpost_store::row::{Fields, figures_added, figures_columns};
use tokio_postgres::types::ToSql;

use crate::failure::Failure;
use crate::write::Write;

/// Who is there, until the commit: an erasure comes before or after. In the order of their ids, as everybody locks them.
pub(crate) const LOCK_LIVING: &str =
    "SELECT workspace FROM head WHERE workspace = ANY($1::bigint[]) ORDER BY workspace FOR KEY SHARE";
pub(crate) const UPSERT: &str = concat!(
    "INSERT INTO figure (workspace, webhook, at, ",
    figures_columns!(),
    ") SELECT * FROM unnest(
        $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
        $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[],
        $22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[], $27::bigint[], $28::bigint[])
    ON CONFLICT (workspace, webhook, at) DO UPDATE SET ",
    figures_added!()
);

pub(super) async fn run(write: &Write<'_>, figures: &BTreeMap<FiguresKey, Figures>) -> Result<(), Failure> {
    let mut workspaces: Vec<i64> = figures.keys().map(|key| key.of.parts().0).collect();
    workspaces.dedup();
    let living = write
        .all(LOCK_LIVING, &[&workspaces], |row| Fields::new(row, "head", 0).integer("workspace"))
        .await?;
    let mut columns: [Vec<i64>; 3 + FIGURES_NUMBERS] = std::array::from_fn(|_| Vec::new());
    // In the order of their keys, in which everybody comes to them.
    for (key, figures) in figures {
        let (workspace, webhook) = key.of.parts();
        if workspace != 0 && living.binary_search(&workspace).is_err() {
            continue;
        }
        let numbers = figures.numbers().map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        let row = [workspace, webhook, key.at.as_ms()].into_iter().chain(numbers);
        columns.iter_mut().zip(row).for_each(|(column, number)| column.push(number));
    }
    let params: Vec<&(dyn ToSql + Sync)> =
        columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
    write.execute(UPSERT, &params).await?;
    Ok(())
}
