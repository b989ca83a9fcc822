//! The verbs of the roll-ups: figures of what has happened. One file each.

mod add_figures;
mod figures;
pub(crate) mod forget_figures;
mod top_failing;

use signalpost_store::Answer;
use signalpost_store::rollups::{
    FailingWebhook, FiguresBatch, FiguresPage, ListFigures, Rollups, TopFailing,
};

use crate::job::Growth;
use crate::queue::Admission;
use crate::store::SqliteStore;

/// What a row weighs in a commit, in bytes.
const ROW_BYTES: usize = 256;

impl Rollups for SqliteStore {
    /// Refused while the disk is full: the reserve is for what must not be lost.
    fn add_figures(&self, figures: FiguresBatch) -> Answer<()> {
        let bytes = figures.len() * ROW_BYTES;
        let work = move |write: &mut crate::write::Write<'_>| add_figures::run(write, &figures);
        self.writing().write((Admission::Always, Growth::Grows), bytes, work)
    }

    fn figures(&self, params: ListFigures) -> Answer<FiguresPage> {
        self.read(move |connection| figures::run(connection, &params))
    }

    fn top_failing(&self, params: TopFailing) -> Answer<Vec<FailingWebhook>> {
        self.read(move |connection| top_failing::run(connection, &params))
    }
}

#[cfg(test)]
mod tests;

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    add_figures::UPSERT,
    figures::SELECT_OF_OTHERS,
    figures::SELECT_NEXT_HOUR,
    figures::SELECT_OF_WEBHOOK,
    forget_figures::DELETE_OF_INSTALLATION,
    forget_figures::DELETE_OF_WEBHOOKS,
    forget_figures::DELETE_OF_WORKSPACES,
    forget_figures::DELETE_OF_ERASED,
    forget_figures::DELETE_OF_ERASED_WEBHOOKS,
    top_failing::SELECT,
    top_failing::SELECT_OF_WORKSPACE,
];
