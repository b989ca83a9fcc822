//! Rows of a database that somebody has damaged: an error that names the place, and never a panic. What is read can be
//! shown.

use signalpost_store_sqlite::fuzzing::{Cell, Reader, read, unpack};

use crate::Target;
use crate::feed::Feed;

const BYTES_MAX: usize = 512;
/// More columns than any reader takes.
const COLUMNS: usize = 26;

pub(super) fn target() -> Target {
    Target::new("row", "damaged rows and blobs are errors", BYTES_MAX, |input| {
        let mut feed = Feed::new(input);
        let reader = feed.below(Reader::ALL.len() + 1);
        let Some(reader) = Reader::ALL.get(reader) else { return unpack(feed.rest()) };
        let cells: Vec<Cell<'_>> = (0..COLUMNS).map(|_| cell(&mut feed)).collect();
        read(*reader, &cells);
    })
}

fn cell<'a>(feed: &mut Feed<'a>) -> Cell<'a> {
    match feed.below(7) {
        0 => Cell::Null,
        1 => Cell::Integer(i64::from(feed.byte())),
        2 => Cell::Integer(feed.number()),
        3 => Cell::Real(f64::from_bits(feed.number().cast_unsigned())),
        4 => Cell::Blob(feed.short()),
        // SQLite keeps a text whatever its bytes are.
        _ => Cell::Text(feed.short()),
    }
}
