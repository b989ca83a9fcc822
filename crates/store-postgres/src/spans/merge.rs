//! Keeping those spans few that hold what has stayed of others: two of them become one.
//!
//! An event may stay for years, and each departure leaves a span. The later of two is copied together with the earlier when that
//! is not much larger, so a row is copied as often as the number of its neighbours has doubled, and the spans are as many.

use signalpost_store::row::Fields;

use super::depart;
use super::plan::Range;
use crate::failure::Failure;
use crate::session::Session;

/// The latest first.
pub(crate) const SELECT: &str = "SELECT first, ended,
        pg_table_size(format('message_p%s', number)::regclass) + pg_table_size(format('attempt_p%s', number)::regclass)
    FROM span WHERE kind = 'kept' ORDER BY first DESC";

/// How many times as large as the later the earlier of two may be.
const LARGER_MAX: u64 = 2;

struct Span {
    range: Range,
    bytes: u64,
}

impl Span {
    /// What both hold, if they are to be one. Between them nothing may lie: what does lies in no span.
    fn with(&self, later: &Self) -> Option<Range> {
        let (first, ended) = (self.range.first, later.range.ended);
        let are_neighbours = self.range.ended == later.range.first;
        (are_neighbours && self.bytes <= LARGER_MAX * later.bytes).then_some(Range { first, ended })
    }
}

/// Begins to merge two, if there are two to be merged.
pub(super) async fn begin(session: &Session) -> Result<bool, Failure> {
    let spans = session
        .all(SELECT, &[], |row| {
            let mut fields = Fields::new(row, "span", 0);
            let range = Range { first: fields.integer("first")?, ended: fields.integer("ended")? };
            Ok(Span { range, bytes: fields.count("bytes")? })
        })
        .await?;
    let mergeable = spans.windows(2).find_map(|pair| match pair {
        [later, earlier] => earlier.with(later),
        _ => None,
    });
    match mergeable {
        Some(range) => depart::begin_with(session, range).await.map(|()| true),
        None => Ok(false),
    }
}
