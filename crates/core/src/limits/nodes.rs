//! Bounds of several processes on one database, and of several databases.

/// Lane groups, which are what nodes that share a store divide among themselves. Never changed: it says which group a webhook is
/// in.
pub const LANE_GROUPS: usize = 64;
/// Nodes that share a store: as many as have numbers for the ids that they make.
pub const NODES_MAX: u16 = 1_024;
/// Databases that an installation may be divided into; those share the numbers for nodes among themselves. Never changed.
pub const CELLS_MAX: usize = 16;
/// Ids that are numbers, of each kind in each of them. Never changed.
pub const CELL_PUBLIC_NUMBERS: i64 = 100_000_000;
