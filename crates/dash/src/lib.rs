//! Pages for those who operate, and for their customers: what happens, why something did not arrive, and what to press.
//!
//! They are rendered here, read without a script, and ask no other host for anything. A page calls the engine as the API does,
//! and knows no store. [`router()`] belongs on the operator address and nowhere else, [`portal::router()`] on the public one.

mod desk;
mod door;
mod look;
mod on_record;
mod pages;
mod paths;
pub mod portal;
mod request;
mod router;
mod sign_in;
mod trouble;
mod visit;
mod who;

pub use router::router;

/// Where the pages stand on the operator port.
pub const BASE_PATH: &str = "/dash";
/// Where they stand for customers, on the public port.
pub const PORTAL_PATH: &str = "/portal";
