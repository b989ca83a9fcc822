//! What a random sequence is made of. Numbers choose among what exists when the operation is applied, so that
//! any part of a sequence is a sequence: that is what lets a failure shrink.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use signalpost_core::id_form::Counter;
use signalpost_core::webhook::DisableReason;

use super::change::{Change, WebhookKind, change, webhook_kind};
use super::desk::{DeskOperation, desk_operation};
use super::look::{Look, look};
use super::portal::{PortalOperation, portal_operation};
use super::replays::{ReplayOperation, replay_operation};
use super::rollups::{RollupOperation, rollup_operation};
use super::users::{UserOperation, user_operation};
use crate::ledger::RequeueRule;

/// What workspaces speak.
pub(super) const DIALECTS: [&str; 2] = ["native", "acme"];

/// Chooses among the known objects of a kind, the newest for zero.
pub type Choice = u8;

#[derive(Clone, Debug)]
pub enum Operation {
    Wait {
        ms: i64,
    },
    Catalog(CatalogOperation),
    Accept(Vec<Draft>),
    AcceptOnce {
        drafts: Vec<Draft>,
        call: Call,
    },
    /// Takes the first rows that a webhook is owed in flight.
    Start {
        webhook: Choice,
        rows: usize,
        from: End,
    },
    Finish(Vec<Ended>),
    Requeue {
        delivery: Choice,
        caller: Caller,
        rule: RequeueRule,
    },
    /// The newest deliveries, so many of them.
    RequeueLost {
        deliveries: usize,
        caller: Caller,
    },
    Replay(ReplayOperation),
    Desk(DeskOperation),
    Portal(PortalOperation),
    Rollup(RollupOperation),
    Look(Look),
    Upkeep {
        steps: u8,
    },
    /// A whole walk of retention by these ages.
    Retain {
        event_s: Option<u64>,
        payload_s: Option<u64>,
    },
    Probe,
    Reopen(Goodbye),
}

#[derive(Clone, Debug)]
pub enum CatalogOperation {
    CreateWorkspace {
        name: u8,
    },
    UpdateWorkspace {
        workspace: Choice,
        name: Option<u8>,
        features: Option<u8>,
        /// The age at which its events go; the inner `None` is the rule for all.
        kept_s: Option<Option<u64>>,
    },
    EraseWorkspace {
        workspace: Choice,
    },
    CloseWorkspace {
        workspace: Choice,
        version: Version,
    },
    NextNumber {
        counter: Counter,
    },
    CreateWebhook {
        workspace: Choice,
        name: u8,
        kind: WebhookKind,
        /// Webhooks that the workspace may have.
        at_most: Option<usize>,
    },
    UpdateWebhook {
        webhook: Choice,
        caller: Caller,
        change: Change,
    },
    DeleteWebhook {
        webhook: Choice,
        caller: Caller,
    },
    CreateSigningKey {
        workspace: Choice,
        name: u8,
    },
    DeleteSigningKey {
        key: Choice,
        caller: Caller,
    },
    CreateCredential {
        workspace: Choice,
        hash: u8,
    },
    RevokeCredential {
        credential: Choice,
        caller: Caller,
    },
    User(UserOperation),
    CreateOperatorKey {
        workspace: Option<Choice>,
        hash: u8,
    },
    RotateOperatorKey {
        key: Choice,
        hash: u8,
    },
    RevokeOperatorKey {
        key: Choice,
    },
    /// A webhook of this name, once.
    CreateWebhookOnce {
        workspace: Choice,
        name: u8,
        call: Call,
    },
}

/// A call that happens once: its name, and what it asks for.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub name: u8,
    pub said: u8,
}

/// Who asks: the workspace that an object belongs to, or one that must not find it.
#[derive(Clone, Copy, Debug)]
pub enum Caller {
    Owner,
    Stranger,
}

/// How a process ends.
#[derive(Clone, Copy, Debug)]
pub enum Goodbye {
    Close,
    Drop,
}

#[derive(Clone, Debug)]
pub struct Draft {
    pub workspace: Choice,
    pub event_type: u8,
    pub subject: Option<u8>,
    pub producer: Option<Producer>,
    pub ordering_key: Option<u8>,
    pub version: Version,
    pub id: IdOrder,
}

#[derive(Clone, Copy, Debug)]
pub struct Producer {
    pub id: u8,
    pub meaning: Meaning,
}

#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    Label,
    /// With what the producer said, by which a repetition is known.
    Identity(u8),
}

#[derive(Clone, Copy, Debug)]
pub enum Version {
    Current,
    Wrong,
}

/// From which end rows are taken.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Oldest,
    /// Of what is due since so long ago.
    OldestSince {
        ms: i64,
    },
    /// Of what is due by now.
    Newest,
}

/// Whether an event's id is the highest so far or was minted before the last one.
#[derive(Clone, Copy, Debug)]
pub enum IdOrder {
    Next,
    Late,
}

#[derive(Clone, Copy, Debug)]
pub struct Ended {
    pub in_flight: Choice,
    pub verdict: EndedAs,
    /// Failures in a row, and whether they disable the webhook.
    pub health: Option<(u32, Option<DisableReason>)>,
    pub concurrency: Option<u16>,
    pub afterwards: Afterwards,
}

#[derive(Clone, Copy, Debug)]
pub enum EndedAs {
    Delivered,
    RetryIn { ms: i64 },
    HeldFor { ms: i64 },
    GaveUp,
}

/// Whether an outcome may be told once more later, as after a lost answer.
#[derive(Clone, Copy, Debug)]
pub enum Afterwards {
    Forget,
    Repeat,
}

/// Sequences of up to 60 operations, with those in front that make work for the others.
pub fn sequences() -> impl Strategy<Value = Vec<Operation>> {
    vec(operation(), 1..60)
}

/// Sequences of so many operations.
pub(super) fn sequences_of(length: usize) -> impl Strategy<Value = Vec<Operation>> {
    vec(operation(), length)
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        2 => wait_ms().prop_map(|ms| Operation::Wait { ms }),
        5 => catalog_operation().prop_map(Operation::Catalog),
        8 => vec(draft(), 1..4).prop_map(Operation::Accept),
        4 => (vec(draft(), 1..3), call()).prop_map(|(drafts, call)| Operation::AcceptOnce { drafts, call }),
        8 => (choice(), 1..4usize, end())
            .prop_map(|(webhook, rows, from)| Operation::Start { webhook, rows, from }),
        8 => vec(ended(), 1..4).prop_map(Operation::Finish),
        4 => (choice(), caller(), prop_oneof![Just(RequeueRule::Ended), Just(RequeueRule::Any)])
            .prop_map(|(delivery, caller, rule)| Operation::Requeue { delivery, caller, rule }),
        1 => (1..6usize, caller()).prop_map(|(deliveries, caller)| Operation::RequeueLost { deliveries, caller }),
        8 => replay_operation().prop_map(Operation::Replay),
        2 => desk_operation().prop_map(Operation::Desk),
        1 => portal_operation().prop_map(Operation::Portal),
        1 => rollup_operation().prop_map(Operation::Rollup),
        4 => look().prop_map(Operation::Look),
        2 => (1..4u8).prop_map(|steps| Operation::Upkeep { steps }),
        2 => (age_s(), age_s()).prop_map(|(event_s, payload_s)| Operation::Retain { event_s, payload_s }),
        1 => Just(Operation::Probe),
        1 => prop_oneof![Just(Goodbye::Close), Just(Goodbye::Drop)].prop_map(Operation::Reopen),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        2 => Just(End::Oldest),
        1 => wait_ms().prop_map(|ms| End::OldestSince { ms }),
        1 => Just(End::Newest),
    ]
}

/// A retry, a retention, an idempotency key, a replay that nobody starts, an expired operator key.
fn wait_ms() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(1_000),
        Just(3_600_000),
        Just(25 * 3_600_000),
        Just(8 * 24 * 3_600_000),
        Just(31 * 24 * 3_600_000)
    ]
}

fn catalog_operation() -> impl Strategy<Value = CatalogOperation> {
    use CatalogOperation as Op;
    prop_oneof![
        2 => (0..6u8).prop_map(|name| Op::CreateWorkspace { name }),
        2 => (choice(), option::of(0..3u8), option::of(0..3u8), option::weighted(0.3, age_s())).prop_map(
            |(workspace, name, features, kept_s)| Op::UpdateWorkspace { workspace, name, features, kept_s }
        ),
        1 => choice().prop_map(|workspace| Op::EraseWorkspace { workspace }),
        2 => (choice(), version()).prop_map(|(workspace, version)| Op::CloseWorkspace { workspace, version }),
        2 => prop::sample::select(Counter::ALL.to_vec()).prop_map(|counter| Op::NextNumber { counter }),
        6 => (choice(), 0..12u8, webhook_kind(), option::weighted(0.3, 0..4usize)).prop_map(
            |(workspace, name, kind, at_most)| Op::CreateWebhook { workspace, name, kind, at_most }
        ),
        12 => (choice(), caller(), change())
            .prop_map(|(webhook, caller, change)| Op::UpdateWebhook { webhook, caller, change }),
        2 => (choice(), caller()).prop_map(|(webhook, caller)| Op::DeleteWebhook { webhook, caller }),
        3 => (choice(), 0..4u8).prop_map(|(workspace, name)| Op::CreateSigningKey { workspace, name }),
        2 => (choice(), caller()).prop_map(|(key, caller)| Op::DeleteSigningKey { key, caller }),
        2 => (choice(), 0..4u8).prop_map(|(workspace, hash)| Op::CreateCredential { workspace, hash }),
        1 => (choice(), caller()).prop_map(|(credential, caller)| Op::RevokeCredential { credential, caller }),
        3 => user_operation().prop_map(Op::User),
        2 => (option::of(choice()), 0..4u8)
            .prop_map(|(workspace, hash)| Op::CreateOperatorKey { workspace, hash }),
        1 => (choice(), 0..4u8).prop_map(|(key, hash)| Op::RotateOperatorKey { key, hash }),
        1 => choice().prop_map(|key| Op::RevokeOperatorKey { key }),
        2 => (choice(), 0..12u8, call())
            .prop_map(|(workspace, name, call)| Op::CreateWebhookOnce { workspace, name, call }),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    (0..3u8, prop_oneof![4 => Just(0), 1 => Just(1)]).prop_map(|(name, said)| Call { name, said })
}

pub(super) fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![3 => 0..3u8, 1 => 0..40u8]
}

/// Between the times that sequences wait.
fn age_s() -> impl Strategy<Value = Option<u64>> {
    option::of(prop_oneof![Just(1), Just(1_800), Just(40_000)])
}

pub(super) fn caller() -> impl Strategy<Value = Caller> {
    prop_oneof![9 => Just(Caller::Owner), 1 => Just(Caller::Stranger)]
}

pub(super) fn reason() -> impl Strategy<Value = DisableReason> {
    prop::sample::select(DisableReason::ALL.to_vec())
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![30 => Just(Version::Current), 1 => Just(Version::Wrong)]
}

fn draft() -> impl Strategy<Value = Draft> {
    let meaning = prop_oneof![1 => Just(Meaning::Label), 3 => (0..2u8).prop_map(Meaning::Identity)];
    let producer = (0..3u8, meaning).prop_map(|(id, meaning)| Producer { id, meaning });
    let version = version();
    let id = prop_oneof![6 => Just(IdOrder::Next), 1 => Just(IdOrder::Late)];
    let ordering_key = option::weighted(0.8, 0..2u8);
    (choice(), 0..2u8, option::of(0..2u8), option::weighted(0.3, producer), ordering_key, version, id)
        .prop_map(|(workspace, event_type, subject, producer, ordering_key, version, id)| Draft {
            workspace,
            event_type,
            subject,
            producer,
            ordering_key,
            version,
            id,
        })
}

fn ended() -> impl Strategy<Value = Ended> {
    let verdict = prop_oneof![
        2 => Just(EndedAs::Delivered),
        1 => prop_oneof![Just(0), Just(60_000)].prop_map(|ms| EndedAs::HeldFor { ms }),
        3 => prop_oneof![Just(0), Just(5_000), Just(60_000)].prop_map(|ms| EndedAs::RetryIn { ms }),
        2 => Just(EndedAs::GaveUp),
    ];
    let health = option::of((0..4u32, prop_oneof![5 => Just(None), 1 => reason().prop_map(Some)]));
    let afterwards = prop_oneof![3 => Just(Afterwards::Forget), 1 => Just(Afterwards::Repeat)];
    let ended = (choice(), verdict, health, option::of(1..4u16), afterwards);
    ended.prop_map(|(in_flight, verdict, health, concurrency, afterwards)| Ended {
        in_flight,
        verdict,
        health,
        concurrency,
        afterwards,
    })
}
