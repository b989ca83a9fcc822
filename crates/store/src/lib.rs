//! What any store must do, the memory model that defines it, and the suite that checks it.
//!
//! A verb is one atomic unit of work: no transaction object crosses this seam, so each backend uses its own
//! strengths inside one verb. The traits belong to this project and change with it; they are not an extension
//! API. What a verb means exactly is written once, in `testing::memory`, and checked by
//! `testing::conformance` for every backend. What backends have in common stands here too, whatever needs neither SQL nor a
//! connection: how rows are read (`row`), the forms in which lists and records lie in blobs (`pack`), where pages end
//! (`pages`), what retention makes of a history (`retention`), telling of commits (`news`), and how all rows go from one
//! backend to another (`transfer`).

pub mod batch;
pub mod catalog;
pub mod change;
pub mod cluster;
pub mod desk;
mod due;
pub mod error;
pub mod lease_counts;
pub mod ledger;
pub mod named;
pub mod news;
pub mod once;
pub mod ownership;
pub mod pack;
pub mod pack_accepted;
pub mod pack_sealed;
pub mod pages;
pub mod portal;
pub mod replays;
pub mod retention;
pub mod rollups;
pub mod row;
mod space;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transfer;
pub mod vault;
pub mod weight;

use signalpost_core::ports::BoxFuture;

pub use catalog::Catalog;
pub use change::Change;
pub use cluster::Cluster;
pub use desk::Desk;
pub use error::StoreError;
pub use ledger::{CommitListener, Ledger};
pub use named::Named;
pub use once::{Done, Effect, Once};
pub use ownership::Ownership;
pub use portal::Portal;
pub use replays::Replays;
pub use rollups::Rollups;
pub use vault::Vault;

/// What a verb returns: a future that owns its parameters.
pub type Answer<T> = BoxFuture<'static, Result<T, StoreError>>;

/// A complete store.
pub trait Store: Catalog + Desk + Ledger + Portal + Replays + Rollups + Vault {}

impl<S: Catalog + Desk + Ledger + Portal + Replays + Rollups + Vault> Store for S {}
