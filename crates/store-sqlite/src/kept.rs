//! What the answers kept for calls take, counted as they come and go: for each workspace in its `head`, for the operator
//! side and in all in `meta`.

use rusqlite::Connection;
use signalpost_core::id::WorkspaceId;
use signalpost_core::idempotency::KeptBytes;

use crate::failure::Failure;
use crate::meta;
use crate::write::Write;

/// The sums that no workspace's head holds.
#[derive(Clone, Copy)]
pub(crate) struct KeptSums {
    in_all: i64,
    /// Of the operator side as a whole.
    outside: i64,
    /// Differs from what is stored.
    touched: bool,
}

impl KeptSums {
    fn read(connection: &Connection) -> Result<Self, Failure> {
        let in_all = meta::read(connection, meta::KEPT_BYTES)?;
        let outside = meta::read(connection, meta::KEPT_BYTES_OUTSIDE)?;
        Ok(Self { in_all, outside, touched: false })
    }
}

impl Write<'_> {
    /// What is kept in all and of a workspace, or of the operator side as a whole, this transaction included.
    pub(crate) fn kept(&mut self, place: Option<WorkspaceId>) -> Result<KeptBytes, Failure> {
        let unsigned = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
        let KeptSums { in_all, outside, .. } = self.kept_sums()?;
        let of_place = match place {
            None => outside,
            Some(workspace) => self.kept_of(workspace)?,
        };
        Ok(KeptBytes { in_all: unsigned(in_all), of_place: unsigned(of_place) })
    }

    /// Adds to what is kept of a place; of a workspace that is gone nothing is counted any more but in all.
    pub(crate) fn count_kept(&mut self, place: Option<WorkspaceId>, bytes: i64) -> Result<(), Failure> {
        let mut sums = self.kept_sums()?;
        sums.in_all = sums.in_all.saturating_add(bytes);
        match place {
            None => sums.outside = sums.outside.saturating_add(bytes),
            Some(workspace) => self.add_kept_of(workspace, bytes)?,
        }
        self.caches.kept = Some(KeptSums { touched: true, ..sums });
        Ok(())
    }

    /// Writes the sums back, before a commit.
    pub(crate) fn flush_kept(&mut self) -> Result<(), Failure> {
        let Some(sums) = self.caches.kept.filter(|sums| sums.touched) else { return Ok(()) };
        meta::write(self.connection, meta::KEPT_BYTES, sums.in_all)?;
        meta::write(self.connection, meta::KEPT_BYTES_OUTSIDE, sums.outside)?;
        self.caches.kept = Some(KeptSums { touched: false, ..sums });
        Ok(())
    }

    fn kept_sums(&mut self) -> Result<KeptSums, Failure> {
        let sums = match self.caches.kept {
            Some(sums) => sums,
            None => KeptSums::read(self.connection)?,
        };
        self.caches.kept = Some(sums);
        Ok(sums)
    }
}
