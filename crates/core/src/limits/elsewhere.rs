//! What other nodes tell.

/// Deliveries that other nodes have told by name which a core looks up at once.
pub const TOLD_AT_ONCE_MAX: usize = 256;
/// Such deliveries that wait for that. Beyond it lanes look through what they are owed instead.
pub const TOLD_WAITING_MAX: usize = 4 * TOLD_AT_ONCE_MAX;
