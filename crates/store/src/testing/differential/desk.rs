//! What operators do in a random sequence.

use proptest::option;
use proptest::prelude::*;
use signalpost_core::role::Role;

use super::operation::{Choice, choice};

#[derive(Clone, Copy, Debug)]
pub enum DeskOperation {
    CreateAccount {
        name: u8,
        role: Role,
        password: u8,
    },
    UpdateAccount {
        account: Choice,
        role: Option<Role>,
        password: Option<u8>,
    },
    DeleteAccount {
        account: Choice,
    },
    /// With a password that may be the account's.
    OpenSessionOf {
        account: Choice,
        hash: u8,
        password: u8,
    },
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
    BeginAct {
        action: u8,
        by_key: bool,
        workspace: Option<u8>,
    },
    EndAct {
        act: Choice,
        status: Option<u16>,
    },
    LookAtActs {
        action: Option<u8>,
        by_key: Option<bool>,
        workspace: Option<u8>,
        limit: usize,
    },
}

pub(super) fn desk_operation() -> impl Strategy<Value = DeskOperation> {
    use DeskOperation as Op;
    let lasts_ms = prop_oneof![Just(10), Just(3_600_000), Just(40 * 24 * 3_600_000)];
    let role = || prop::sample::select(Role::ALL.to_vec());
    prop_oneof![
        2 => (0..4u8, role(), 0..2u8)
            .prop_map(|(name, role, password)| Op::CreateAccount { name, role, password }),
        1 => (choice(), option::of(role()), option::of(0..2u8))
            .prop_map(|(account, role, password)| Op::UpdateAccount { account, role, password }),
        1 => choice().prop_map(|account| Op::DeleteAccount { account }),
        3 => (choice(), 0..6u8, 0..2u8)
            .prop_map(|(account, hash, password)| Op::OpenSessionOf { account, hash, password }),
        4 => (option::weighted(0.8, choice()), 0..6u8, lasts_ms)
            .prop_map(|(key, hash, lasts_ms)| Op::OpenSession { key, hash, lasts_ms }),
        1 => choice().prop_map(|session| Op::EndSession { session }),
        1 => (1..5usize).prop_map(|limit| Op::LookAtSessions { limit }),
        3 => (0..3u8, any::<bool>(), option::of(0..2u8))
            .prop_map(|(action, by_key, workspace)| Op::BeginAct { action, by_key, workspace }),
        2 => (choice(), option::of(200..202u16)).prop_map(|(act, status)| Op::EndAct { act, status }),
        1 => (option::of(0..3u8), option::of(any::<bool>()), option::of(0..2u8), 1..4usize).prop_map(
            |(action, by_key, workspace, limit)| Op::LookAtActs { action, by_key, workspace, limit }
        ),
    ]
}
