//! Lists of what lies in all cells, and what is found by asking each. Ids are distinct across cells.

use std::cmp::Reverse;

use futures_util::future::{join_all, try_join_all};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::{OperatorKeyId, OperatorSessionId};

use super::Cells;
use crate::OpenOperatorSession;
use crate::operator::Operator;
use crate::operator_keys::ShownOperatorKey;

impl Cells {
    /// Operator keys that the caller may know of, oldest first, after `after`.
    pub async fn list_operator_keys(
        &self,
        caller: &Operator,
        after: Option<OperatorKeyId>,
        limit: usize,
    ) -> Result<Vec<ShownOperatorKey>, Error> {
        let each = self.all().iter().map(|cell| cell.engine.list_operator_keys(caller, None, after, limit));
        let mut rows = try_join_all(each).await?.concat();
        rows.sort_by_key(|shown| shown.key.id);
        rows.truncate(limit);
        Ok(rows)
    }

    /// Operators' sessions that are good now, newest first, before `before`.
    pub async fn list_operator_sessions(
        &self,
        before: Option<OperatorSessionId>,
        limit: usize,
    ) -> Result<Vec<OpenOperatorSession>, Error> {
        let each = self.all().iter().map(|cell| cell.engine.list_operator_sessions(before, limit));
        let mut rows = try_join_all(each).await?.concat();
        rows.sort_by_key(|open| Reverse(open.session.id));
        rows.truncate(limit);
        Ok(rows)
    }

    /// When this returns no node lets it in. It lies in the cell of its key; what is in a cell that is out of reach may go on, and
    /// then that cell's error is the answer.
    pub async fn end_operator_session(&self, id: OperatorSessionId) -> Result<(), Error> {
        let each = self.all().iter().map(|cell| cell.engine.end_operator_session(id));
        let ended = join_all(each).await;
        if ended.iter().any(Result::is_ok) {
            return Ok(());
        }
        let failed = |error: &Error| error.code != ErrorCode::NotFound;
        let error = ended.into_iter().filter_map(Result::err).find(failed);
        Err(error.unwrap_or_else(|| Error::not_found("operator session")))
    }
}
