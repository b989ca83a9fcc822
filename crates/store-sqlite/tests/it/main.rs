//! The store from outside: the suite that every backend passes, and what only a file can do.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests bring the threads that the store takes by its port"
)]

mod batching;
mod conformance;
mod copies;
mod differential;
mod feed;
mod folding;
mod opening;
mod retention;
mod support;
mod wiping;
