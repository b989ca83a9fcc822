//! `add_figures`: rows that are there grow, others are made.

use std::collections::BTreeMap;

use rusqlite::params_from_iter;
use signalpost_core::figures::{Figures, FiguresKey};
use signalpost_store::row::{figures_added, figures_columns};

use crate::failure::Failure;
use crate::write::Write;

/// Unless the workspace is gone.
pub(crate) const UPSERT: &str = concat!(
    "INSERT INTO figure (workspace, webhook, at, ",
    figures_columns!(),
    ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28
    WHERE ?1 = 0 OR EXISTS (SELECT 1 FROM head WHERE workspace = ?1)
    ON CONFLICT (at, workspace, webhook) DO UPDATE SET ",
    figures_added!()
);

pub(super) fn run(write: &mut Write<'_>, figures: &BTreeMap<FiguresKey, Figures>) -> Result<(), Failure> {
    let mut upsert = write.statement(UPSERT)?;
    for (key, figures) in figures {
        let (workspace, webhook) = key.of.parts();
        let numbers = figures.numbers().map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        upsert.execute(params_from_iter([workspace, webhook, key.at.as_ms()].into_iter().chain(numbers)))?;
    }
    Ok(())
}
