//! Bounds on moving a store into another one.

/// Rows that are moved in one transaction: so many that the disk's sync at its end does not count, and so few that a move
/// that was killed loses a second of work at most.
pub const TRANSFER_ROWS_MAX: usize = 5_000;
/// Their bytes, beside those of the last row; they are held in memory twice.
pub const TRANSFER_BYTES_MAX: usize = 8 * 1024 * 1024;
