//! The engines of an installation: one as a rule, and one for each cell where an installation is divided into several
//! databases. No call is about two of them, but for lists of what lies in all.

mod lists;
mod whose;

use std::sync::Arc;

use signalpost_core::cell::CellNumber;
use signalpost_core::error::{Error, ErrorCode};

use crate::Engine;

/// All that a process serves, in ascending order of their numbers.
#[derive(Clone)]
pub struct Cells {
    all: Arc<[Cell]>,
    new_workspaces: Option<CellNumber>,
}

/// One of them.
#[derive(Clone)]
pub struct Cell {
    /// `None` of an installation that is not divided.
    pub number: Option<CellNumber>,
    pub engine: Arc<Engine>,
}

impl Cells {
    /// At least one; `new_workspaces` is where those are made that name none, the first otherwise.
    ///
    /// # Panics
    /// Without any.
    pub fn new(all: Vec<Cell>, new_workspaces: Option<CellNumber>) -> Self {
        assert!(!all.is_empty(), "somebody must answer");
        Self { all: all.into(), new_workspaces }
    }

    pub fn all(&self) -> &[Cell] {
        &self.all
    }

    /// What is the installation's as a whole lies there, as keys that are bound to no workspace.
    pub fn first(&self) -> &Cell {
        &self.all[0]
    }

    pub fn is_divided(&self) -> bool {
        self.all.len() > 1
    }

    /// `NotFound` for one that is not there.
    pub fn numbered(&self, number: CellNumber) -> Result<usize, Error> {
        let place = self.all.iter().position(|cell| cell.number == Some(number));
        place.ok_or_else(|| Error::new(ErrorCode::NotFound, format!("there is no cell {number} here")))
    }

    /// Where a workspace is made that names no cell.
    pub fn of_new_workspaces(&self) -> Result<usize, Error> {
        self.new_workspaces.map_or(Ok(0), |number| self.numbered(number))
    }
}

impl From<Arc<Engine>> for Cells {
    fn from(engine: Arc<Engine>) -> Self {
        Self::new(vec![Cell { number: None, engine }], None)
    }
}
