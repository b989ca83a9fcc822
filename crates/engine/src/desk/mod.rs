//! The operators' desk: who is signed in there.

pub mod sessions;
