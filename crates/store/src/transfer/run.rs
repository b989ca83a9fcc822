//! A move from its beginning to its end.

use std::ops::ControlFlow;

use sha2::{Digest, Sha256};

use super::ends::{Identity, Source, Stand, Target};
use super::table::{Size, Table};
use super::{Checksum, TABLES, TransferError};

/// What is done at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    Copying,
    Verifying,
}

/// How far a table is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub doing: Doing,
    pub table: &'static str,
    /// Copied by this run.
    pub rows: u64,
    /// `None` where that is not known before.
    pub rows_in_all: Option<u64>,
}

/// Who a source is and what it holds, by everything that does not only grow.
pub fn identity(source: &mut dyn Source) -> Result<Identity, TransferError> {
    let mut state = Sha256::new();
    for table in TABLES.iter().filter(|table| table.size == Size::Bounded) {
        let sum = source.checksum(table)?;
        state.update(format!("{} {} {}\n", table.name, sum.rows, sum.to_hex()));
    }
    Ok(Identity { source: source.source_digest()?, state: state.finalize().into() })
}

/// Copies what is not in the target yet. `tell` is asked before each page whether to go on.
pub fn copy(
    source: &mut dyn Source,
    target: &mut dyn Target,
    tell: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<(), TransferError> {
    for table in TABLES {
        let Stand::At(mut after) = target.stand(table)? else { continue };
        let mut progress =
            Progress { doing: Doing::Copying, table: table.name, rows: 0, rows_in_all: source.count(table)? };
        loop {
            if tell(progress).is_break() {
                return Err(TransferError::Stopped);
            }
            let page = source.page(table, after.as_ref())?;
            target.put(table, &page)?;
            progress.rows += page.rows.len() as u64;
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

/// Reads both sides as a whole and compares them, table by table; gives what there is in each.
pub fn verify(
    source: &mut dyn Source,
    target: &mut dyn Target,
    tell: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<(&'static str, Checksum)>, TransferError> {
    let mut found = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let rows_in_all = source.count(table)?;
        let progress = Progress { doing: Doing::Verifying, table: table.name, rows: 0, rows_in_all };
        if tell(progress).is_break() {
            return Err(TransferError::Stopped);
        }
        found.push((table.name, alike(source, target, table)?));
    }
    let (source_id, target_id) = (source.highest_id()?, target.highest_id()?);
    // Below it an id would be given out twice.
    if source_id != target_id {
        return Err(TransferError::HighestId { source_id, target_id });
    }
    Ok(found)
}

fn alike(
    source: &mut dyn Source,
    target: &mut dyn Target,
    table: &'static Table,
) -> Result<Checksum, TransferError> {
    let (source_sum, target_sum) = (source.checksum(table)?, target.checksum(table)?);
    if source_sum == target_sum {
        return Ok(source_sum);
    }
    Err(TransferError::Differs { table: table.name, source_sum, target_sum })
}
