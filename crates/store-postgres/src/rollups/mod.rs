//! The verbs of the roll-ups: figures of what has happened. One file each.

mod add_figures;
mod figures;
pub(crate) mod forget_figures;
mod top_failing;

use signalpost_store::Answer;
use signalpost_store::rollups::{
    FailingWebhook, FiguresBatch, FiguresPage, ListFigures, Rollups, TopFailing,
};

use crate::store::PostgresStore;

impl Rollups for PostgresStore {
    fn add_figures(&self, figures: FiguresBatch) -> Answer<()> {
        self.write(async move |write| add_figures::run(write, &figures).await)
    }

    fn figures(&self, params: ListFigures) -> Answer<FiguresPage> {
        self.read(async move |session| figures::run(session, &params).await)
    }

    fn top_failing(&self, params: TopFailing) -> Answer<Vec<FailingWebhook>> {
        self.read(async move |session| top_failing::run(session, &params).await)
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    add_figures::LOCK_LIVING,
    add_figures::UPSERT,
    figures::SELECT,
    forget_figures::DELETE_OF_INSTALLATION,
    forget_figures::DELETE_OF_WORKSPACES,
    forget_figures::DELETE_OF_WEBHOOKS,
    forget_figures::DELETE_OF_ERASED,
    top_failing::SELECT,
    top_failing::SELECT_OF_WORKSPACE,
];
