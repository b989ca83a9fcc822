//! What operators do in a random sequence.

use proptest::option;
use proptest::prelude::*;

use super::operation::{Choice, choice};

#[derive(Clone, Copy, Debug)]
pub enum DeskOperation {
    /// With an operator key, or with the installation's own for `None`.
    OpenSession {
        key: Option<Choice>,
        hash: u8,
        lasts_ms: i64,
    },
    EndSession {
        session: Choice,
    },
    /// Those that are good at present.
    LookAtSessions {
        limit: usize,
    },
}

pub(super) fn desk_operation() -> impl Strategy<Value = DeskOperation> {
    use DeskOperation as Op;
    let lasts_ms = prop_oneof![Just(10), Just(3_600_000), Just(40 * 24 * 3_600_000)];
    prop_oneof![
        4 => (option::weighted(0.8, choice()), 0..6u8, lasts_ms)
            .prop_map(|(key, hash, lasts_ms)| Op::OpenSession { key, hash, lasts_ms }),
        1 => choice().prop_map(|session| Op::EndSession { session }),
        1 => (1..5usize).prop_map(|limit| Op::LookAtSessions { limit }),
    ]
}
