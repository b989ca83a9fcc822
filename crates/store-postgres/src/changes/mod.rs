//! What was changed that nodes remember: written down with each change, and read by every other node.
//!
//! Numbers have no gap and grow in the order of commits, for each is given under a lock that is taken last before a commit.
//! So whoever has read up to one has missed nothing, and whoever finds a gap has.

pub(crate) mod follow;
mod form;
pub(crate) mod note;
pub(crate) mod prune;
pub(crate) mod read;
pub(crate) mod settle;
#[cfg(test)]
mod tests;

use crate::failure::Failure;
use crate::session::Session;

const NEW_ORIGIN: &str = "SELECT (random() * 9e18)::bigint";

/// A number that no other process has.
pub(crate) async fn origin(session: &Session) -> Result<i64, Failure> {
    session.number(NEW_ORIGIN, &[]).await
}

/// Every statement about changes, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    // Once, at the start.
    NEW_ORIGIN,
    follow::UPDATE_SEEN,
    note::INSERT,
    prune::DELETE,
    read::SELECT_SINCE,
    read::SELECT_NEWEST,
    settle::SELECT_SEEN,
];
