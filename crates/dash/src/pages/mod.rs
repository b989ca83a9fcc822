//! One page, or one thing that is done from a page, in each file.

pub(crate) mod attempt;
pub(crate) mod audit;
pub(crate) mod deliveries;
pub(crate) mod delivery;
mod due;
pub(crate) mod event;
pub(crate) mod events;
pub(crate) mod figures;
pub(crate) mod find;
pub(crate) mod keys;
pub(crate) mod operators;
pub(crate) mod overview;
pub(crate) mod replay;
pub(crate) mod resend;
pub(crate) mod sessions;
pub(crate) mod webhook;
pub(crate) mod workspace;
pub(crate) mod workspaces;
