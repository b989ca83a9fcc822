//! The tables of spans: texts that make, move and drop them. They cannot be prepared, for names are no values.

use signalpost_core::limits::PARTITION_CHANGE_WAIT;

use super::plan::Range;
use crate::failure::Failure;
use crate::session::Session;

/// A table that is divided into spans, and by what.
struct Tree {
    name: &'static str,
    key: &'static str,
    /// What is noted of those that depart.
    touched_by: &'static str,
}

const MESSAGE: Tree = Tree { name: "message", key: "id", touched_by: "UPDATE OR DELETE" };
const ATTEMPT: Tree = Tree { name: "attempt", key: "event", touched_by: "INSERT OR UPDATE OR DELETE" };
const TREES: [Tree; 2] = [MESSAGE, ATTEMPT];

/// Where the tables of a span may stand.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// Where everybody looks.
    Served,
    /// Those of an heir while it is filled.
    Carried,
    /// Those that were taken away.
    Gone,
}

impl Place {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Served => "",
            Self::Carried => "_carried",
            Self::Gone => "_gone",
        }
    }
}

/// Bounds a change of tables in time, for everybody waits behind it.
pub(super) async fn hurry(session: &Session) -> Result<(), Failure> {
    let wait_ms = PARTITION_CHANGE_WAIT.as_millis();
    // One statement may wait for several locks, and goes through what lies in no span.
    let most_ms = 5 * wait_ms;
    session
        .batch(&format!("SET LOCAL lock_timeout = {wait_ms}; SET LOCAL statement_timeout = {most_ms}"))
        .await
}

/// Takes the tables for itself: nobody reads or writes events until the end of the transaction.
pub(super) async fn stop_everybody(session: &Session) -> Result<(), Failure> {
    session
        .batch("LOCK TABLE ONLY message, ONLY attempt, message_other, attempt_other IN ACCESS EXCLUSIVE MODE")
        .await
}

/// Makes the tables of a span, empty, and puts them into their place.
pub(super) async fn create(
    session: &Session,
    number: i64,
    range: Range,
    place: Place,
) -> Result<(), Failure> {
    let Range { first, ended } = range;
    let texts = TREES.iter().map(|Tree { name, key, .. }| {
        format!(
            "CREATE TABLE {name}_p{number} (LIKE {name},
                CONSTRAINT spanned CHECK ({key} >= '{first}' AND {key} < '{ended}'));"
        )
    });
    session.batch(&texts.collect::<String>()).await?;
    put(session, number, range, place).await
}

/// Puts tables that stand nowhere into a place. What they hold is known by their own checks, so it is not read.
pub(super) async fn put(session: &Session, number: i64, range: Range, place: Place) -> Result<(), Failure> {
    let (Range { first, ended }, suffix) = (range, place.suffix());
    let texts = TREES.iter().map(|Tree { name, .. }| {
        format!(
            "ALTER TABLE {name}{suffix} ATTACH PARTITION {name}_p{number} FOR VALUES FROM ('{first}') TO ('{ended}');"
        )
    });
    session.batch(&texts.collect::<String>()).await
}

/// Takes tables out of a place.
pub(super) async fn take(session: &Session, number: i64, place: Place) -> Result<(), Failure> {
    let suffix = place.suffix();
    let texts = TREES
        .iter()
        .map(|Tree { name, .. }| format!("ALTER TABLE {name}{suffix} DETACH PARTITION {name}_p{number};"));
    session.batch(&texts.collect::<String>()).await
}

pub(super) async fn drop(session: &Session, number: i64) -> Result<(), Failure> {
    let texts = TREES.iter().map(|Tree { name, .. }| format!("DROP TABLE {name}_p{number};"));
    session.batch(&texts.collect::<String>()).await
}

/// From here on whatever is written to these tables is noted.
pub(super) async fn watch(session: &Session, number: i64) -> Result<(), Failure> {
    let texts = TREES.iter().map(|Tree { name, touched_by, .. }| {
        format!(
            "CREATE TRIGGER touch AFTER {touched_by} ON {name}_p{number} FOR EACH ROW EXECUTE FUNCTION touch_{name}();"
        )
    });
    session.batch(&texts.collect::<String>()).await
}

pub(super) async fn unwatch(session: &Session, number: i64) -> Result<(), Failure> {
    let texts = TREES.iter().map(|Tree { name, .. }| format!("DROP TRIGGER touch ON {name}_p{number};"));
    session.batch(&texts.collect::<String>()).await
}

/// What is known of a departure that is over.
pub(super) async fn forget_departure(session: &Session) -> Result<(), Failure> {
    session.batch("DELETE FROM departure; TRUNCATE touched, carried").await
}
