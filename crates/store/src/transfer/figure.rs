//! The table of figures, which has more columns than any other.

use super::table::{Column, Size, Table, integer};

pub(super) const FIGURE: Table =
    Table { name: "figure", columns: COLUMNS, key_columns: 3, size: Size::Bounded };

const COLUMNS: &[Column] = &[
    integer("at"),
    integer("workspace"),
    integer("webhook"),
    integer("events"),
    integer("attempts_succeeded"),
    integer("attempts_failed"),
    integer("delivered"),
    integer("failed"),
    integer("dropped"),
    integer("retries"),
    integer("oldest_due_ms"),
    integer("latency_ms"),
    integer("latency_1"),
    integer("latency_2"),
    integer("latency_3"),
    integer("latency_4"),
    integer("latency_5"),
    integer("latency_6"),
    integer("latency_7"),
    integer("latency_8"),
    integer("latency_9"),
    integer("latency_10"),
    integer("latency_11"),
    integer("latency_12"),
    integer("latency_13"),
    integer("latency_14"),
    integer("latency_15"),
    integer("latency_16"),
];
