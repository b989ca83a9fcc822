//! Parameters and answers of lists with a cursor.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use signalpost_core::error::FieldErrors;
use signalpost_core::limits::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX};

use crate::kit::cursor;
use crate::kit::query::Query;

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    /// Leads to the next page; null on the last one. A page may be shorter than its limit and still have a next one.
    #[schemars(example = &"MS5ldmVudHMuMTAw")]
    pub(crate) next_cursor: Option<String>,
}

/// Names, explanations and schemas of the parameters that [`take`] takes.
pub(crate) fn parameters() -> [(&'static str, &'static str, Value); 2] {
    let limit =
        json!({"type": "integer", "minimum": 1, "maximum": PAGE_ROWS_MAX, "default": PAGE_ROWS_DEFAULT});
    let cursor = json!({"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": cursor::CHARS_MAX});
    [("cursor", "`next_cursor` of the page before.", cursor), ("limit", "Rows of the page, at most.", limit)]
}

/// Which page is asked for: `limit` rows after the row at `position`.
#[derive(Debug)]
pub(crate) struct Wanted<const N: usize> {
    pub(crate) position: Option<[i64; N]>,
    pub(crate) limit: usize,
}

/// Takes `cursor` and `limit` from a query.
pub(crate) fn take<const N: usize>(list: &str, query: &mut Query, errors: &mut FieldErrors) -> Wanted<N> {
    let position = query.take("cursor").and_then(|text| {
        let decoded = cursor::decode(list, &text);
        errors.take("cursor", decoded.ok_or_else(|| "is not a cursor of this list".to_owned()))
    });
    let limit = query.take("limit").and_then(|text| {
        let limit = text.parse().ok().filter(|limit| (1..=PAGE_ROWS_MAX).contains(limit));
        errors.take("limit", limit.ok_or_else(|| format!("must be a number from 1 to {PAGE_ROWS_MAX}")))
    });
    Wanted { position, limit: limit.unwrap_or(PAGE_ROWS_DEFAULT) }
}

/// Cuts a list that was read one row too long, and says whether there was such a row.
pub(crate) fn cut<T>(rows: &mut Vec<T>, limit: usize) -> bool {
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}
