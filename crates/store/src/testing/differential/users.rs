//! What a random sequence does about users.

use proptest::prelude::*;

use super::operation::{Caller, Choice, caller, choice};

/// `name` and `key` are numbers that make a username and a session's key.
#[derive(Clone, Copy, Debug)]
pub enum UserOperation {
    Create { workspace: Choice, name: u8, key: u8 },
    Grant { workspace: Choice, user: Choice, duration: Duration },
    Revoke { right: Choice, caller: Caller },
    Login { user: Choice, key: u8 },
}

/// How long a right of a user lasts.
#[derive(Clone, Copy, Debug)]
pub enum Duration {
    ForGood,
    AnHour,
}

pub(super) fn user_operation() -> impl Strategy<Value = UserOperation> {
    use UserOperation as Op;
    let duration = prop_oneof![Just(Duration::ForGood), Just(Duration::AnHour)];
    prop_oneof![
        3 => (choice(), 0..4u8, 0..4u8).prop_map(|(workspace, name, key)| Op::Create { workspace, name, key }),
        3 => (choice(), choice(), duration)
            .prop_map(|(workspace, user, duration)| Op::Grant { workspace, user, duration }),
        2 => (choice(), caller()).prop_map(|(right, caller)| Op::Revoke { right, caller }),
        2 => (choice(), 0..4u8).prop_map(|(user, key)| Op::Login { user, key }),
    ]
}
