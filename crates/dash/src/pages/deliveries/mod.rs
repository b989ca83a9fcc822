//! The deliveries of a workspace: what support people look at most.

mod filter;
mod form;
pub(crate) mod show;
