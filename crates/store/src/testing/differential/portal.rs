//! What customers do at the portal in a random sequence.

use proptest::prelude::*;

use super::operation::{Caller, Choice, caller, choice};

#[derive(Clone, Copy, Debug)]
pub enum PortalOperation {
    /// With a link that was made so long ago.
    Open {
        workspace: Choice,
        hash: u8,
        age_ms: i64,
        lasts_ms: i64,
    },
    End {
        session: Choice,
        caller: Caller,
    },
    EndAll {
        workspace: Choice,
    },
    Look {
        hash: u8,
    },
}

pub(super) fn portal_operation() -> impl Strategy<Value = PortalOperation> {
    use PortalOperation as Op;
    let lasts_ms = prop_oneof![Just(10), Just(3_600_000), Just(40 * 24 * 3_600_000)];
    prop_oneof![
        4 => (choice(), 0..6u8, prop_oneof![Just(0), Just(20)], lasts_ms)
            .prop_map(|(workspace, hash, age_ms, lasts_ms)| Op::Open { workspace, hash, age_ms, lasts_ms }),
        1 => (choice(), caller()).prop_map(|(session, caller)| Op::End { session, caller }),
        1 => choice().prop_map(|workspace| Op::EndAll { workspace }),
        1 => (0..6u8).prop_map(|hash| Op::Look { hash }),
    ]
}
