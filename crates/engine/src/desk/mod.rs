//! The operators' desk: who is signed in there, and what was done.

pub mod acts;
pub mod sessions;
