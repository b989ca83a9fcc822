//! The only code that dials a user's URL.
//!
//! Everything behind such a URL is a stranger: its name may resolve into our own network, its answer may never
//! end, its certificate may be anybody's. A request goes through these files in this order: [`client`] takes it,
//! `exchange` runs it on an idle connection from `pool` or a fresh one from `connect`, which asks [`resolve`]
//! for addresses and [`guard`] for a judgement on each, and connects to exactly the address that was judged.
//! Redirects are not followed. Every wait has a limit in time and every read one in bytes.

pub mod client;
pub mod egress;
pub mod guard;
pub mod resolve;
pub mod tls;

mod answer;
mod connect;
mod connection;
mod exchange;
mod outcome;
mod pool;
mod request;
mod retry_after;
mod stream;

pub use client::{Client, ClientLimits, ClientOptions};
pub use egress::EgressPolicy;
pub use resolve::{Resolve, ResolveError, SystemResolver};
