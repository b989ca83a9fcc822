//! What two tables are compared by.

use sha2::{Digest, Sha256};
use signalpost_core::hex;

use super::cell::Cell;

/// How many rows there are, and the sum of their hashes. It does not depend on the order in which they are read: two
/// databases sort texts differently, and one keeps attempts by event, the other by webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum {
    pub rows: u64,
    sum: [u64; 4],
}

impl Checksum {
    pub fn add(&mut self, row: &[Cell]) {
        let mut bytes = Vec::with_capacity(row.iter().map(Cell::bytes).sum());
        row.iter().for_each(|cell| cell.write(&mut bytes));
        let hash: [u8; 32] = Sha256::digest(&bytes).into();
        for (part, word) in self.sum.iter_mut().zip(hash.as_chunks().0) {
            *part = part.wrapping_add(u64::from_le_bytes(*word));
        }
        self.rows += 1;
    }

    pub fn to_hex(self) -> String {
        hex::encode(self.sum.map(u64::to_be_bytes).as_flattened())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&[Cell]]) -> Checksum {
        let mut checksum = Checksum::default();
        rows.iter().for_each(|row| checksum.add(row));
        checksum
    }

    #[test]
    fn every_value_counts_and_the_order_does_not() {
        let (one, text) = (Cell::Integer(1), |text: &str| Cell::Text(text.to_owned()));
        let rows: [&[Cell]; 2] = [&[one.clone(), text("a")], &[one.clone(), text("b")]];
        let whole = of(&rows);
        assert_eq!(whole, of(&[rows[1], rows[0]]));
        for other in [
            of(&rows[..1]),
            of(&[rows[0], rows[0]]),
            of(&[rows[0], &[one.clone(), Cell::Null]]),
            of(&[rows[0], &[one.clone(), Cell::Blob(b"b".to_vec())]]),
            of(&[rows[0], &[one.clone(), text("b"), Cell::Null]]),
            of(&[&[one.clone(), text("b")], &[one, text("a\u{1}")]]),
        ] {
            assert_ne!(whole, other);
        }
        assert_eq!(whole.to_hex().len(), 64);
    }
}
