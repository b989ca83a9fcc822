//! Cells: the databases of an installation that has outgrown one.
//!
//! A workspace and all that is its own lies in exactly one cell, and may be moved to another. So what is made in two of them
//! may never be called the same: each has node numbers of its own, which are a part of ids, and a range of public numbers.

use std::fmt;
use std::ops::Range;

use crate::lane_share::NodeNumber;
use crate::limits::{CELL_PUBLIC_NUMBERS, CELLS_MAX, NODES_MAX};

/// Which cell it is. It is its for ever, and stands in its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellNumber(u8);

impl CellNumber {
    /// `None` from [`CELLS_MAX`] on.
    pub fn new(number: usize) -> Option<Self> {
        u8::try_from(number).ok().filter(|_| number < CELLS_MAX).map(Self)
    }

    pub fn number(self) -> usize {
        usize::from(self.0)
    }

    /// What the processes that work on its database number themselves with.
    pub fn node_numbers(self) -> Range<NodeNumber> {
        let each = NODES_MAX / CELLS_MAX as NodeNumber;
        let first = NodeNumber::from(self.0) * each;
        first..first + each
    }

    /// The ids that are numbers, of each kind.
    pub fn public_numbers(self) -> Range<i64> {
        let before = i64::from(self.0) * CELL_PUBLIC_NUMBERS;
        before + 1..before + CELL_PUBLIC_NUMBERS + 1
    }
}

impl fmt::Display for CellNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_share_no_number() {
        assert_eq!(CellNumber::new(CELLS_MAX), None);
        let cells: Vec<CellNumber> = (0..CELLS_MAX).filter_map(CellNumber::new).collect();
        assert_eq!(cells.len(), CELLS_MAX);
        for pair in cells.windows(2) {
            assert_eq!(pair[0].node_numbers().end, pair[1].node_numbers().start);
            assert_eq!(pair[0].public_numbers().end, pair[1].public_numbers().start);
        }
        assert_eq!((cells[0].node_numbers().start, cells[CELLS_MAX - 1].node_numbers().end), (0, NODES_MAX));
        assert_eq!(cells[0].public_numbers().start, 1);
        assert!(cells[CELLS_MAX - 1].public_numbers().end <= i64::from(i32::MAX), "small readers bear them");
    }
}
