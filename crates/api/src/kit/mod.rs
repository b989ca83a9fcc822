//! The mechanics that every surface shares: bodies, JSON, paths, queries, cursors, request ids and refusals.
//!
//! Nothing here knows a dialect's words; a surface turns what it gets from here into its own shapes.

pub(crate) mod across;
pub(crate) mod auth;
pub(crate) mod bodies;
pub(crate) mod body;
pub(crate) mod caller_address;
pub(crate) mod codes;
pub(crate) mod context;
pub(crate) mod cursor;
pub(crate) mod description;
pub(crate) mod example;
pub(crate) mod fields;
pub(crate) mod host;
pub(crate) mod idempotency;
pub(crate) mod instant;
pub(crate) mod json;
pub(crate) mod limiter;
pub(crate) mod logins;
pub(crate) mod no_room;
pub(crate) mod on_record;
pub(crate) mod openapi;
pub(crate) mod operation;
pub(crate) mod page;
pub(crate) mod params;
pub(crate) mod paths;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod refusal;
pub(crate) mod reply;
pub(crate) mod request_id;
pub(crate) mod schema;
pub(crate) mod standing;
pub(crate) mod vendor;
