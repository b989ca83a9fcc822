//! Inbound HTTP: a shared kit, one folder per dialect, and the routers that mount them.
//!
//! Two routers leave this crate. [`public_router`] serves what customers see: the dialects. [`operator_router`]
//! serves the native API, health and metrics, and must never be reachable through the public port; of a process that only
//! delivers [`worker_router`] takes its place. They are thin: they authenticate, read, call the engine once and write the answer in their surface's words.

pub mod dialect;
mod docs;
mod kit;
mod router;

pub use dialect::native::OperatorAccess;
pub use dialect::{Dialect, Shape, ShapeError, ShapeValues};
pub use kit::body::BodyTimedOut;
pub use kit::no_room::NoRoom;
pub use router::{Beside, built_in_dialects, built_in_shapes, operator_router, public_router, worker_router};
