//! What rows count for in a workspace's bytes: near to what the disk gives for them, and the same number when a row
//! comes and when it goes. A migration of store-sqlite counts what was stored before in the same way.

/// An event's row with its keys and index rows.
const MESSAGE_BYTES: usize = 200;
/// Each of the 8 bytes of a target stands for six of its index row and of its row while it is owed.
const PER_TARGET_BYTE: usize = 6;
/// A step of a delivery's history.
const STEP_BYTES: usize = 60;

/// Of an event, from the lengths of its columns.
pub fn of_message(data: usize, attributes: usize, targets: usize) -> i64 {
    signed(MESSAGE_BYTES + data + attributes + PER_TARGET_BYTE * targets)
}

/// What a further target adds to an event.
pub fn of_target() -> i64 {
    signed(PER_TARGET_BYTE * size_of::<i64>())
}

/// Of a step, from the length of its detail.
pub fn of_step(detail: usize) -> i64 {
    signed(STEP_BYTES + detail)
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
