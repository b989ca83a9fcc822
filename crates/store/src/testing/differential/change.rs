//! How a random sequence changes a webhook.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use signalpost_core::health::ReleaseOrder;
use signalpost_core::order::{OnExhausted, OrderRule};
use signalpost_core::webhook::DisableReason;

use super::operation::{Choice, choice, reason};

#[derive(Clone, Copy, Debug)]
pub struct WebhookKind {
    pub only_type: Option<u8>,
    pub subject: Option<u8>,
    pub filter: Option<u8>,
    pub order: OrderRule,
}

#[derive(Clone, Copy, Debug)]
pub enum Change {
    Nothing,
    Name(u8),
    NoName,
    Kind(WebhookKind),
    /// Its own rules, the workspace's for `None`.
    Patience {
        retry: Option<u8>,
        timeout: Option<u8>,
    },
    /// Each by itself: left as it is, taken away, or set.
    Ceilings {
        in_flight: Option<Option<u8>>,
        rate: Option<Option<u8>>,
    },
    Order(OrderRule),
    Headers(Headers),
    /// Each part by itself: left as it is, taken away, or set.
    Login {
        user: Option<Option<u8>>,
        password: Option<Option<u8>>,
    },
    /// A merge of one entry, or the end of all.
    Metadata(Option<(u8, Option<u8>)>),
    /// Whatever workspace it belongs to.
    SigningKey(Option<Choice>),
    /// To a secret of this number, with the one before it kept for so long.
    Rotate {
        secret: u8,
        keep_ms: Option<i64>,
    },
    RevokeSecrets,
    Enable,
    Disable(DisableReason),
    Release(ReleaseOrder),
}

/// A merge of one header, or the end of all.
#[derive(Clone, Copy, Debug)]
pub enum Headers {
    Set {
        name: u8,
        value: u8,
    },
    Remove {
        name: u8,
    },
    /// The one that excludes a login.
    SetAuthorization {
        value: u8,
    },
    Clear,
}

pub(super) fn webhook_kind() -> impl Strategy<Value = WebhookKind> {
    let rarely = || prop_oneof![3 => Just(None), 1 => (0..2u8).prop_map(Some)];
    (rarely(), rarely(), rarely(), order()).prop_map(|(only_type, subject, filter, order)| WebhookKind {
        only_type,
        subject,
        filter,
        order,
    })
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    let keep_ms = option::of(prop_oneof![Just(500), Just(10_000), Just(24 * 3_600_000)]);
    prop_oneof![
        1 => Just(Change::Nothing),
        1 => (0..3u8).prop_map(Change::Name),
        1 => Just(Change::NoName),
        1 => webhook_kind().prop_map(Change::Kind),
        1 => (option::of(0..3u8), option::of(0..3u8))
            .prop_map(|(retry, timeout)| Change::Patience { retry, timeout }),
        1 => (part(), part()).prop_map(|(in_flight, rate)| Change::Ceilings { in_flight, rate }),
        2 => order().prop_map(Change::Order),
        1 => headers().prop_map(Change::Headers),
        2 => (part(), part()).prop_map(|(user, password)| Change::Login { user, password }),
        1 => option::weighted(0.9, (0..20u8, option::weighted(0.8, any::<u8>()))).prop_map(Change::Metadata),
        3 => option::weighted(0.8, choice()).prop_map(Change::SigningKey),
        3 => (any::<u8>(), keep_ms).prop_map(|(secret, keep_ms)| Change::Rotate { secret, keep_ms }),
        1 => Just(Change::RevokeSecrets),
        4 => Just(Change::Enable),
        2 => reason().prop_map(Change::Disable),
        3 => select(&ReleaseOrder::ALL).prop_map(Change::Release),
    ]
}

fn order() -> impl Strategy<Value = OrderRule> {
    let on_exhausted = prop::sample::select(OnExhausted::ALL.to_vec());
    (prop::bool::weighted(0.7), on_exhausted)
        .prop_map(|(by_key, on_exhausted)| OrderRule { by_key, on_exhausted })
}

fn headers() -> impl Strategy<Value = Headers> {
    prop_oneof![
        3 => (0..3u8, any::<u8>()).prop_map(|(name, value)| Headers::Set { name, value }),
        1 => (0..3u8).prop_map(|name| Headers::Remove { name }),
        1 => any::<u8>().prop_map(|value| Headers::SetAuthorization { value }),
        1 => Just(Headers::Clear),
    ]
}

/// A part of a login, or of the ceilings.
fn part() -> impl Strategy<Value = Option<Option<u8>>> {
    option::weighted(0.7, option::weighted(0.8, 0..3u8))
}
