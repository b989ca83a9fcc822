//! Filters: expressions in CEL, the Common Expression Language, that say which events a webhook wants.
//!
//! A text is compiled once: `scan` bounds it before the parser sees it, the parser of the crate `cel` reads it,
//! `lower` turns what it read into a small tree and refuses what is unknown or cannot be. The tree is evaluated by
//! `evaluate`, which counts its steps and stops at [`FILTER_COST_MAX`], so that no filter and no event can hold up a
//! delivery core. There is no clock, no randomness and no state: the same filter says the same of the same event.
//!
//! [`FILTER_COST_MAX`]: signalpost_core::limits::FILTER_COST_MAX

mod arithmetic;
mod compare;
mod convert;
mod data;
mod error;
mod evaluate;
mod filter;
mod function;
mod instant;
mod items;
mod kind;
mod lower;
mod node;
mod number;
mod pattern;
mod scan;
mod subject;
mod value;

pub use error::{FilterError, FilterFailure};
pub use filter::Filter;
pub use subject::Subject;
