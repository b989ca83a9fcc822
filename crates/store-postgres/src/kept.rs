//! What the answers kept for calls take, counted as they come and go: for each workspace in its `head`, for the operator
//! side and in all in `meta`, and beside each of them in `tally` until that is added up.

use signalpost_core::idempotency::KeptBytes;
use signalpost_store::once::OUTSIDE;

use crate::failure::Failure;
use crate::session::Session;
use crate::write::Write;

pub(crate) const SELECT_OF_WORKSPACE: &str =
    "SELECT (coalesce((SELECT kept_bytes FROM head WHERE workspace = $1), 0)
    + coalesce((SELECT sum(kept_bytes) FROM tally WHERE workspace = $1), 0))::bigint";
pub(crate) const SELECT_OUTSIDE: &str =
    "SELECT (coalesce((SELECT sum(kept_bytes) FROM tally WHERE workspace = 0), 0)
    + (SELECT value FROM meta WHERE name = 'kept_bytes_outside'))::bigint";
pub(crate) const SELECT_IN_ALL: &str = "SELECT (coalesce((SELECT sum(kept_bytes) FROM tally), 0)
    + (SELECT value FROM meta WHERE name = 'kept_bytes'))::bigint";

/// What was kept before a transaction, of the place that it keeps an answer for and in all.
pub(crate) struct KeptSums {
    place: i64,
    of_place: i64,
    in_all: i64,
    /// `in_all` is what this node knew, without what others have kept or forgotten since it asked.
    remembered: bool,
}

impl KeptSums {
    /// The place is locked: what stands there is all that there is.
    pub(crate) async fn read(write: &Write<'_>, place: i64) -> Result<Self, Failure> {
        let of_place = match place {
            OUTSIDE => write.number(SELECT_OUTSIDE, &[]).await?,
            workspace => write.number(SELECT_OF_WORKSPACE, &[&workspace]).await?,
        };
        let (in_all, remembered) = match write.shared.kept_in_all.get() {
            Some(known) => (known, true),
            None => (in_all(write).await?, false),
        };
        write.shared.kept_in_all.set(Some(in_all));
        Ok(Self { place, of_place, in_all, remembered })
    }

    pub(crate) const fn place(&self) -> i64 {
        self.place
    }

    pub(crate) const fn is_remembered(&self) -> bool {
        self.remembered
    }

    /// Asks what is kept in all.
    pub(crate) async fn ask(&mut self, write: &Write<'_>) -> Result<(), Failure> {
        self.in_all = in_all(write).await?;
        self.remembered = false;
        write.shared.kept_in_all.set(Some(self.in_all));
        Ok(())
    }

    /// With what the transaction has kept and forgotten so far.
    pub(crate) fn with(&self, write: &Write<'_>) -> KeptBytes {
        let unsigned = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
        let of_place = self.of_place.saturating_add(write.kept_unwritten(self.place));
        let in_all = self.in_all.saturating_add(write.news.kept_bytes);
        KeptBytes { in_all: unsigned(in_all), of_place: unsigned(of_place) }
    }
}

async fn in_all(session: &Session) -> Result<i64, Failure> {
    session.number(SELECT_IN_ALL, &[]).await
}
