//! The feed of a workspace: what a reader who keeps a cursor has not seen yet.

use signalpost_core::error::Error;
use signalpost_core::event::Sequence;
use signalpost_store::ledger::{Feed, ReadFeed};

use crate::Engine;
use crate::directory::View;

/// One page of a feed.
#[derive(Clone, Debug)]
pub struct FeedQuery {
    /// The place up to which the reader has seen everything; `None` for all that there is.
    pub after: Option<Sequence>,
    /// Only events of these types; of any when it is empty.
    pub types: Vec<String>,
    /// Events of one page, at least one.
    pub limit: usize,
}

impl Engine {
    /// Events behind the cursor, oldest first: as the store's verb of this name. `NotFound` when the workspace was
    /// erased meanwhile, `Conflict` when it keeps no feed.
    pub async fn feed(&self, view: &View, query: FeedQuery) -> Result<Feed, Error> {
        let FeedQuery { after, types, limit } = query;
        let params = ReadFeed { workspace: view.workspace.id, after, types, limit };
        self.store.feed(params).await?.ok_or_else(|| Error::not_found("workspace"))
    }
}
