//! A workspace on its way from one cell to another: from this database into a second one, with all that is its own.
//!
//! Each side does its steps in transactions of its own, for no transaction crosses cells, and writes down how far it is. The
//! source marks the workspaces, and its nodes begin nothing for them any more (`mark`, `drain`). What grows with events is
//! copied in pages and compared (`read`, `put`, `compare`); nobody finds it in the target, for all that leads to it is missing
//! there. Then the source gives them up (`leave`), and only then the target has what leads to them, in one transaction
//! (`roots`, `arrive`). Whoever moves goes through these steps (`mover`), and on from any of them.
//!
//! Whoever works with events looks behind the lock of their workspace whether it is moving (`Write::is_moving`).

mod arrive;
mod clean;
mod compare;
mod drain;
mod error;
mod leave;
mod look;
mod mark;
mod mover;
mod put;
mod read;
mod roots;
mod tables;

use signalpost_core::id::WorkspaceId;
use signalpost_store::row::{Field, Fields, Row};

use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::Session;

pub use self::error::MoveError;
pub use self::look::{Seen, Standing, Under};
pub use self::mover::{Moved, Mover, Step};

/// How far a move is in one of its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The source accepts nothing and begins nothing.
    Refusing,
    /// Nothing of them changes in the source any more.
    Copying,
    /// The source does not serve them any more.
    Gone,
    /// They are coming to the target.
    Arriving,
}

impl Phase {
    const fn name(self) -> &'static str {
        match self {
            Self::Refusing => "refusing",
            Self::Copying => "copying",
            Self::Gone => "gone",
            Self::Arriving => "arriving",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Refusing, Self::Copying, Self::Gone, Self::Arriving]
            .into_iter()
            .find(|phase| phase.name() == name)
    }
}

/// A move as both cells know it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Move {
    /// Nobody else's.
    id: i64,
    workspaces: Vec<(WorkspaceId, String)>,
}

impl Move {
    fn ids(&self) -> Vec<i64> {
        self.workspaces.iter().map(|(workspace, _)| workspace.raw()).collect()
    }

    fn public_ids(&self) -> Vec<&str> {
        self.workspaces.iter().map(|(_, public_id)| public_id.as_str()).collect()
    }

    fn locks(&self) -> Vec<Locked> {
        self.workspaces.iter().map(|(workspace, _)| Locked::Workspace(*workspace)).collect()
    }
}

/// What hangs on no workspace by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Parts {
    webhooks: Vec<i64>,
    replays: Vec<i64>,
    users: Vec<i64>,
}

const SELECT_PHASE: &str = "SELECT id, phase FROM cell_move WHERE id = $1";
const INSERT_MOVE: &str = "INSERT INTO cell_move (id, phase, other) VALUES ($1, $2, $3)";
const INSERT_MOVING: &str = "INSERT INTO moving (workspace, public_id, move)
    SELECT k.workspace, k.public_id, $3 FROM unnest($1::bigint[], $2::text[]) AS k (workspace, public_id)";
const UPDATE_PHASE: &str = "UPDATE cell_move SET phase = $2 WHERE id = $1";
const FORGET: [&str; 4] = [
    "DELETE FROM moving_table WHERE move = $1",
    "DELETE FROM moving_part WHERE move = $1",
    "DELETE FROM moving WHERE move = $1",
    "DELETE FROM cell_move WHERE id = $1",
];

/// How far a move is here; `None` where it is not known.
async fn phase(session: &Session, id: i64) -> Result<Option<Phase>, Failure> {
    session.one(SELECT_PHASE, &[&id], decode_phase).await
}

fn decode_phase(row: &Row<'_>) -> Field<Phase> {
    let mut fields = Fields::new(row, "cell_move", 1);
    fields.skip();
    let name = fields.text("phase")?;
    Phase::from_name(name).ok_or_else(|| fields.corrupt("phase", format!("{name:?} is none")))
}

async fn insert(session: &Session, moving: &Move, phase: Phase, other: &str) -> Result<(), Failure> {
    session.execute(INSERT_MOVE, &[&moving.id, &phase.name(), &other]).await?;
    session.execute(INSERT_MOVING, &[&moving.ids(), &moving.public_ids(), &moving.id]).await?;
    Ok(())
}

/// Nothing of a move is known here from now on.
async fn forget(session: &Session, id: i64) -> Result<(), Failure> {
    for sql in FORGET {
        session.execute(sql, &[&id]).await?;
    }
    Ok(())
}

/// Every statement of these, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    SELECT_PHASE,
    INSERT_MOVE,
    INSERT_MOVING,
    UPDATE_PHASE,
    arrive::SELECT_KNOWN,
    arrive::INSERT_PARTS,
    arrive::DELETE_TOMBSTONES,
    arrive::DELETE_PLACES,
    clean::SELECT_PARTS,
    clean::DELETE_PARTS,
    clean::DELETE_USERS,
    drain::ANY_DUE,
    drain::SELECT_LONGEST,
    drain::AWAIT_SWEEPS,
    drain::SELECT_UNBLOCKED,
    drain::SELECT_PARTS,
    leave::HIDE,
    look::SELECT,
    look::SELECT_MOVING,
    mark::SELECT_LIVING,
    mark::SELECT_SHARED,
    mark::INSERT_PARTS,
    mover::NEW_ID,
    put::SELECT,
    put::RAISE,
    put::TOUCH,
    put::SELECT_KNOWN_USER,
    roots::SELECT_HEADS,
    roots::SELECT_PLACES,
    roots::UNCOUNT_KEPT,
];

/// Those whose texts are made of the descriptions of tables.
#[cfg(test)]
pub(crate) fn described_statements() -> Vec<String> {
    let of_bulk = tables::BULK.iter().flat_map(|bulk| [bulk.select_next(), bulk.select_all()]);
    let further = tables::BULK.iter().filter_map(tables::Bulk::select_more);
    of_bulk.chain(further).chain(roots::selects().into_iter().map(|(_, sql)| sql)).collect()
}
