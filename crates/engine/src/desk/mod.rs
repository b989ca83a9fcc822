//! The operators' desk: who may sign in there, who is signed in, and what was done.

pub mod accounts;
pub mod acts;
mod caller;
pub mod sessions;
