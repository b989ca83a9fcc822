//! The departure of spans: where it stands, and how it begins.

use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;
use signalpost_store::row::{Field, Fields, Row};

use super::plan::{self, Range};
use super::tables::{self, Place};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str = "SELECT first, ended, heir, phase, come_to FROM departure WHERE id = 1";
pub(crate) const INSERT: &str = "INSERT INTO departure (id, first, ended, heir, phase, come_to)
    VALUES (1, $1, $2, $3, 'carrying', $4)";
pub(crate) const UPDATE: &str = "UPDATE departure SET come_to = $1 WHERE id = 1";
pub(crate) const SELECT_OLDEST: &str =
    "SELECT first, ended FROM span WHERE kind <> 'kept' ORDER BY first LIMIT 1";
pub(crate) const SELECT_WITHIN: &str =
    "SELECT number, first, ended FROM span WHERE first >= $1 AND ended <= $2 ORDER BY first";
pub(crate) const NEXT_NUMBER: &str = "SELECT nextval(pg_get_serial_sequence('span', 'number'))";

/// Spans that are going.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departure {
    pub(super) range: Range,
    /// Number of the span that takes their place.
    pub(super) heir: i64,
    pub(super) phase: Phase,
    /// Events up to this id are done in this phase.
    pub(super) come_to: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// What stays is copied.
    Carrying,
    /// What does not is gone, and counted out.
    Counting,
}

/// Whether one is under way.
pub(crate) async fn is_under_way(session: &Session) -> Result<bool, Failure> {
    Ok(Departure::read(session).await?.is_some())
}

impl Departure {
    pub(super) async fn read(session: &Session) -> Result<Option<Self>, Failure> {
        session.one(SELECT, &[], departure).await
    }
}

fn departure(row: &Row<'_>) -> Field<Departure> {
    let mut fields = Fields::new(row, "departure", 0);
    let range = Range { first: fields.integer("first")?, ended: fields.integer("ended")? };
    let heir = fields.integer("heir")?;
    let phase = match fields.text("phase")? {
        "carrying" => Phase::Carrying,
        "counting" => Phase::Counting,
        other => return Err(fields.corrupt("phase", format!("{other:?} is none"))),
    };
    Ok(Departure { range, heir, phase, come_to: fields.integer("come_to")? })
}

/// Writes down how far it has come.
pub(super) async fn come_to(session: &Session, event: i64) -> Result<(), Failure> {
    session.execute(UPDATE, &[&event]).await?;
    Ok(())
}

/// A span that is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) number: i64,
    pub(super) range: Range,
}

/// Those between two ids.
pub(super) async fn within(session: &Session, range: Range) -> Result<Vec<Span>, Failure> {
    session
        .all(SELECT_WITHIN, &[&range.first, &range.ended], |row| {
            let mut fields = Fields::new(row, "span", 1);
            let number = fields.integer("number")?;
            Ok(Span {
                number,
                range: Range { first: fields.integer("first")?, ended: fields.integer("ended")? },
            })
        })
        .await
}

/// Begins with the oldest span that goes as a whole, if that is over.
pub(super) async fn begin(
    session: &Session,
    now: Timestamp,
    rules: &RetentionRules,
) -> Result<bool, Failure> {
    let oldest = session.one(SELECT_OLDEST, &[], |row| {
        let mut fields = Fields::new(row, "span", 0);
        Ok(Range { first: fields.integer("first")?, ended: fields.integer("ended")? })
    });
    match oldest.await?.filter(|range| plan::is_over(*range, now, rules)) {
        Some(range) => begin_with(session, range).await.map(|()| true),
        None => Ok(false),
    }
}

/// Makes the tables of an heir for all spans between two ids, and has noted what is written to theirs from now on.
pub(super) async fn begin_with(session: &Session, range: Range) -> Result<(), Failure> {
    tables::hurry(session).await?;
    let heir = session.number(NEXT_NUMBER, &[]).await?;
    tables::create(session, heir, range, Place::Carried).await?;
    for span in within(session, range).await? {
        tables::watch(session, span.number).await?;
    }
    let before = range.first.saturating_sub(1);
    session.execute(INSERT, &[&range.first, &range.ended, &heir, &before]).await?;
    tracing::debug!(heir, "tables of old events depart");
    Ok(())
}
