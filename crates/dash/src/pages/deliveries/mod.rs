//! The deliveries of a workspace: what support people look at most.

mod filter;
pub(crate) mod show;
