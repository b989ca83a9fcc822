//! The layer under SQLite, and a short form of the proof.

mod layer;
mod short_proof;
