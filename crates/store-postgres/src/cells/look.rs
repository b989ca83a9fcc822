//! What a cell knows of workspaces that are to be moved.

use signalpost_core::id::WorkspaceId;
use signalpost_store::row::{Field, Fields, Row};
use signalpost_store::{Answer, StoreError};

use super::{Move, MoveError, Phase};
use crate::failure::Failure;
use crate::session::Session;
use crate::store::PostgresStore;

pub(super) const SELECT: &str = "SELECT k.public_id, w.id, w.erased_at IS NOT NULL,
        EXISTS (SELECT 1 FROM leaving l WHERE l.workspace = w.id),
        EXISTS (SELECT 1 FROM rest r WHERE r.workspace = w.id), v.workspace, v.move, c.phase, c.other
    FROM unnest($1::text[]) AS k (public_id) LEFT JOIN workspace w ON w.public_id = k.public_id
    LEFT JOIN moving v ON v.public_id = k.public_id LEFT JOIN cell_move c ON c.id = v.move";
pub(super) const SELECT_MOVING: &str =
    "SELECT workspace, public_id FROM moving WHERE move = $1 ORDER BY workspace";

/// What a cell knows of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub public_id: String,
    pub standing: Standing,
    /// The move that it takes part in.
    pub under: Option<Under>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Unknown,
    Living(WorkspaceId),
    /// It waits for its last deliveries.
    Closed,
    /// Erased, or moved to another cell, and something of it is left.
    Rest,
    /// Nothing is left but its name.
    Tombstone(WorkspaceId),
}

/// A move that a workspace takes part in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Under {
    pub phase: Phase,
    /// Name of the other cell.
    pub other: String,
    pub(super) id: i64,
}

impl PostgresStore {
    /// What is known here of workspaces with these public ids, in any order.
    pub fn look_for_moving(&self, public_ids: Vec<String>) -> Answer<Vec<Seen>> {
        self.read_snapshot(async move |session| run(session, &public_ids).await)
    }
}

pub(super) async fn run(session: &Session, public_ids: &[String]) -> Result<Vec<Seen>, Failure> {
    session.all(SELECT, &[&public_ids], seen).await
}

fn seen(row: &Row<'_>) -> Field<Seen> {
    let mut fields = Fields::new(row, "workspace", 1);
    let public_id = fields.text("public_id")?.to_owned();
    let id = fields.optional_id("id")?.map(WorkspaceId::from_raw);
    let mut is = |column| Ok::<_, StoreError>(fields.integer(column)? != 0);
    let (erased, closed, rest) = (is("erased_at")?, is("leaving")?, is("rest")?);
    let standing = match id {
        None => Standing::Unknown,
        Some(_) if closed => Standing::Closed,
        Some(_) if rest => Standing::Rest,
        Some(id) if erased => Standing::Tombstone(id),
        Some(id) => Standing::Living(id),
    };
    fields.skip();
    let under = match fields.optional_integer("move")? {
        None => None,
        Some(id) => {
            let name = fields.text("phase")?;
            let phase = Phase::from_name(name);
            let phase = phase.ok_or_else(|| fields.corrupt("phase", format!("{name:?} is none")))?;
            Some(Under { phase, other: fields.text("other")?.to_owned(), id })
        }
    };
    Ok(Seen { public_id, standing, under })
}

/// The move that these workspaces take part in, all of them and no other, to or from this other cell; `None` where none does.
pub(super) async fn common(
    session: &Session,
    public_ids: &[String],
    other: &str,
) -> Result<Result<Option<(Move, Phase)>, MoveError>, Failure> {
    let seen = run(session, public_ids).await?;
    let Some((first, under)) = seen.iter().find_map(|one| Some((one, one.under.as_ref()?))) else {
        return Ok(Ok(None));
    };
    let workspaces = session
        .all(SELECT_MOVING, &[&under.id], |row| {
            let mut fields = Fields::new(row, "moving", 1);
            Ok((WorkspaceId::from_raw(fields.id("workspace")?), fields.text("public_id")?.to_owned()))
        })
        .await?;
    let are_the_same = under.other == other
        && workspaces.len() == seen.len()
        && workspaces.iter().all(|(_, known)| public_ids.contains(known));
    if !are_the_same {
        let others: Vec<&str> = workspaces.iter().map(|(_, public_id)| public_id.as_str()).collect();
        let with = others.join(", ");
        let (public_id, other) = (first.public_id.clone(), under.other.clone());
        return Ok(Err(MoveError::UnderWay { public_id, other, with }));
    }
    Ok(Ok(Some((Move { id: under.id, workspaces }, under.phase))))
}
