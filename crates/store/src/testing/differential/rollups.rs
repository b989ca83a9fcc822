//! What is added up in a random sequence.

use proptest::option;
use proptest::prelude::*;

use super::operation::{Caller, Choice, caller, choice};

#[derive(Clone, Copy, Debug)]
pub enum RollupOperation {
    /// For a webhook, its workspace and the installation, so many hours ago.
    Add {
        webhook: Choice,
        hours_ago: i64,
        succeeded: u64,
        failed: u64,
    },
    /// For a workspace alone, which may be gone.
    AddToWorkspace {
        workspace: Choice,
        events: u64,
    },
    LookAtFailing {
        webhook: Option<Choice>,
        caller: Caller,
        hours: i64,
        limit: usize,
    },
}

pub(super) fn rollup_operation() -> impl Strategy<Value = RollupOperation> {
    use RollupOperation as Op;
    prop_oneof![
        4 => (choice(), 0..3i64, 0..4u64, 0..4u64).prop_map(|(webhook, hours_ago, succeeded, failed)| {
            Op::Add { webhook, hours_ago, succeeded, failed }
        }),
        1 => (choice(), 1..4u64).prop_map(|(workspace, events)| Op::AddToWorkspace { workspace, events }),
        2 => (option::of(choice()), caller(), 0..60i64, 1..4usize).prop_map(
            |(webhook, caller, hours, limit)| Op::LookAtFailing { webhook, caller, hours, limit }
        ),
    ]
}
