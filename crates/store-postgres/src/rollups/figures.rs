//! `figures`: of the installation, of a workspace or of a webhook, oldest first.

use signalpost_core::figures::Figures;
use signalpost_core::limits::FIGURES_PAGE_MAX;
use signalpost_core::time::Timestamp;
use signalpost_store::rollups::ListFigures;
use signalpost_store::row::{self, figures_columns};

use crate::failure::Failure;
use crate::session::{Session, limit};

/// Those of a workspace that is gone are as good as gone.
pub(crate) const SELECT: &str = concat!(
    "SELECT at, ",
    figures_columns!(),
    " FROM figure WHERE workspace = $1 AND webhook = $2 AND at >= $3 AND at < $4
        AND ($1 = 0 OR EXISTS (SELECT 1 FROM head WHERE workspace = $1))
    ORDER BY at LIMIT $5"
);

pub(super) async fn run(
    session: &Session,
    params: &ListFigures,
) -> Result<Vec<(Timestamp, Figures)>, Failure> {
    let ListFigures { of, from, until, limit: rows } = *params;
    let (workspace, webhook) = of.parts();
    let rows = limit(rows.min(FIGURES_PAGE_MAX));
    session.all(SELECT, &[&workspace, &webhook, &from.as_ms(), &until.as_ms(), &rows], row::figures).await
}
