//! A webhook, and what can be done to it.

pub(crate) mod delete;
pub(crate) mod edit;
mod fields;
mod form;
mod large_forms;
pub(crate) mod new;
mod pending;
pub(crate) mod release;
pub(super) mod rules;
pub(crate) mod secret;
pub(crate) mod show;
mod signing;
pub(crate) mod switch;
pub(crate) mod test;
