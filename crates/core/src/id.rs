//! Identities. Inside, a 64-bit number that sorts by time; at the edge, a prefixed text.
//!
//! Layout of a number: 42 bits of milliseconds since the epoch, 10 bits of node, 12 bits of sequence.

use crate::base62;
use crate::time::Timestamp;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            pub const fn from_raw(raw: i64) -> Self {
                Self(raw)
            }

            pub const fn raw(self) -> i64 {
                self.0
            }
        }
    };
}

id!(
    /// One tenant.
    WorkspaceId
);
id!(
    /// One subscription.
    WebhookId
);
id!(
    /// One published event.
    EventId
);
id!(
    /// One API key or token of a workspace, or one right of a user on it.
    CredentialId
);
id!(
    /// One user who logs in.
    UserId
);
id!(
    /// One key of the operator side.
    OperatorKeyId
);
id!(
    /// One account of whoever operates.
    OperatorAccountId
);
id!(
    /// One entry of what operators have done.
    ActId
);
id!(
    /// One session of whoever operates.
    OperatorSessionId
);
id!(
    /// One session of a customer at the portal.
    PortalSessionId
);
id!(
    /// One signing key of a workspace.
    SigningKeyId
);
id!(
    /// One replay of a workspace.
    ReplayId
);

/// One event for one webhook. It keeps its identity over all retries and redeliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    pub event: EventId,
    pub webhook: WebhookId,
}

const EVENT_PREFIX: &str = "evt_";
const CREDENTIAL_PREFIX: &str = "cred_";
const OPERATOR_KEY_PREFIX: &str = "opk_";
const OPERATOR_ACCOUNT_PREFIX: &str = "opa_";
const OPERATOR_SESSION_PREFIX: &str = "ops_";
const PORTAL_SESSION_PREFIX: &str = "pss_";
const ACT_PREFIX: &str = "act_";
const DELIVERY_PREFIX: &str = "dlv_";
const REPLAY_PREFIX: &str = "rpl_";
/// 62^16 is just above 2^95: sixteen digits hold any 95-bit number.
const EVENT_DIGITS: usize = 16;
const EVENT_MASK: u128 = (1 << 95) - 1;
/// An odd constant and its inverse modulo 2^95: multiplication spreads neighbouring numbers over all digits,
/// and a text that nobody issued decodes to more than 63 bits and is refused.
const EVENT_SPREAD: u128 = 0x2545_F491_4F6C_DD1D_9E37_79B9_7F4A_7C15 & EVENT_MASK;
const EVENT_GATHER: u128 = inverse_of(EVENT_SPREAD);
const DELIVERY_DIGITS: usize = 22;

impl EventId {
    /// `evt_` and 16 alphanumerics.
    pub fn to_public(self) -> String {
        spread_text(EVENT_PREFIX, self.0)
    }

    pub fn from_public(text: &str) -> Option<Self> {
        gather_text(EVENT_PREFIX, text).map(Self)
    }
}

impl CredentialId {
    /// `cred_` and 16 alphanumerics.
    pub fn to_public(self) -> String {
        spread_text(CREDENTIAL_PREFIX, self.0)
    }

    pub fn from_public(text: &str) -> Option<Self> {
        gather_text(CREDENTIAL_PREFIX, text).map(Self)
    }
}

impl OperatorKeyId {
    /// `opk_` and 16 alphanumerics.
    pub fn to_public(self) -> String {
        spread_text(OPERATOR_KEY_PREFIX, self.0)
    }

    pub fn from_public(text: &str) -> Option<Self> {
        gather_text(OPERATOR_KEY_PREFIX, text).map(Self)
    }
}

impl OperatorAccountId {
    /// `opa_` and 16 alphanumerics.
    pub fn to_public(self) -> String {
        spread_text(OPERATOR_ACCOUNT_PREFIX, self.0)
    }

    pub fn from_public(text: &str) -> Option<Self> {
        gather_text(OPERATOR_ACCOUNT_PREFIX, text).map(Self)
    }
}

impl ActId {
    /// `act_` and 16 alphanumerics.
    pub fn to_public(self) -> String {
        spread_text(ACT_PREFIX, self.0)
    }

    pub fn from_public(text: &str) -> Option<Self> {
        gather_text(ACT_PREFIX, text).map(Self)
    }
}

impl OperatorSessionId {
    /// `ops_` and 16 alphanumerics.
    pub fn to_public(self) -> String {
        spread_text(OPERATOR_SESSION_PREFIX, self.0)
    }

    pub fn from_public(text: &str) -> Option<Self> {
        gather_text(OPERATOR_SESSION_PREFIX, text).map(Self)
    }
}

impl PortalSessionId {
    /// `pss_` and 16 alphanumerics.
    pub fn to_public(self) -> String {
        spread_text(PORTAL_SESSION_PREFIX, self.0)
    }

    pub fn from_public(text: &str) -> Option<Self> {
        gather_text(PORTAL_SESSION_PREFIX, text).map(Self)
    }
}

impl ReplayId {
    /// `rpl_` and 16 alphanumerics.
    pub fn to_public(self) -> String {
        spread_text(REPLAY_PREFIX, self.0)
    }

    pub fn from_public(text: &str) -> Option<Self> {
        gather_text(REPLAY_PREFIX, text).map(Self)
    }
}

fn spread_text(prefix: &str, raw: i64) -> String {
    let raw = u128::try_from(raw).expect("ids are positive");
    let spread = raw.wrapping_mul(EVENT_SPREAD) & EVENT_MASK;
    format!("{prefix}{}", base62::encode(spread, EVENT_DIGITS))
}

fn gather_text(prefix: &str, text: &str) -> Option<i64> {
    let digits = text.strip_prefix(prefix).filter(|digits| digits.len() == EVENT_DIGITS)?;
    let raw = base62::decode(digits)?.wrapping_mul(EVENT_GATHER) & EVENT_MASK;
    let raw = i64::try_from(raw).ok()?;
    // Two texts could stand for one number modulo 2^95; only the one we would print is accepted.
    (spread_text(prefix, raw) == text).then_some(raw)
}

impl DeliveryId {
    /// `dlv_` and 22 alphanumerics that hold both halves.
    pub fn to_public(self) -> String {
        let halves = [self.event.0, self.webhook.0].map(|id| u128::try_from(id).expect("ids are positive"));
        format!("{DELIVERY_PREFIX}{}", base62::encode(halves[0] << 64 | halves[1], DELIVERY_DIGITS))
    }

    pub fn from_public(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(DELIVERY_PREFIX).filter(|digits| digits.len() == DELIVERY_DIGITS)?;
        let both = base62::decode(digits)?;
        let half = |bits: u128| i64::try_from(bits & u128::from(u64::MAX)).ok();
        Some(Self { event: EventId(half(both >> 64)?), webhook: WebhookId(half(both)?) })
    }
}

/// Mints numbers that only grow, whatever the clock does.
#[derive(Clone, Debug)]
pub struct IdMint {
    node: u16,
    last: i64,
}

const SEQUENCE_BITS: u32 = 12;
const NODE_BITS: u32 = 10;

impl IdMint {
    /// `floor` is the highest number ever handed out (zero for a new store); `node` is below 1,024.
    pub fn new(node: u16, floor: i64) -> Self {
        let mut mint = Self { node: 0, last: floor };
        mint.be_node(node);
        mint
    }

    /// Mints as another node, below 1,024, from here on.
    pub fn be_node(&mut self, node: u16) {
        assert!(node < 1 << NODE_BITS, "a node number has {NODE_BITS} bits");
        self.node = node;
    }

    /// The next number. A clock that stands still or steps back only uses up sequence numbers.
    pub fn mint(&mut self, now: Timestamp) -> i64 {
        let shift = SEQUENCE_BITS + NODE_BITS;
        let by_clock = now.as_ms().max(0) << shift | i64::from(self.node) << SEQUENCE_BITS;
        self.last = if by_clock > self.last { by_clock } else { self.following() };
        self.last
    }

    /// The number after `last` that carries our node: sequence first, then the next millisecond.
    fn following(&self) -> i64 {
        let sequence_mask = (1i64 << SEQUENCE_BITS) - 1;
        let ours = self.last >> SEQUENCE_BITS & ((1 << NODE_BITS) - 1) == i64::from(self.node);
        if ours && self.last & sequence_mask < sequence_mask {
            return self.last + 1;
        }
        let shift = SEQUENCE_BITS + NODE_BITS;
        ((self.last >> shift) + 1) << shift | i64::from(self.node) << SEQUENCE_BITS
    }
}

/// The instant at which a number was minted, or a later one: numbers go ahead of a clock that stands still or was set back.
pub const fn minted_at(raw: i64) -> Timestamp {
    Timestamp::from_ms(raw >> (SEQUENCE_BITS + NODE_BITS))
}

/// The lowest number that is minted at this instant, whatever the node; zero before the epoch.
pub fn first_id_at(at: Timestamp) -> i64 {
    const MS_MAX: i64 = i64::MAX >> (SEQUENCE_BITS + NODE_BITS);
    at.as_ms().clamp(0, MS_MAX) << (SEQUENCE_BITS + NODE_BITS)
}

/// Newton's iteration: each round doubles the number of correct low bits, six rounds pass 95.
const fn inverse_of(odd: u128) -> u128 {
    let mut inverse = odd;
    let mut round = 0;
    while round < 7 {
        inverse = inverse.wrapping_mul(2u128.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse & EVENT_MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_on_when_the_node_gets_another_one() {
        let (now, mut mint) = (Timestamp::from_ms(5_000), IdMint::new(7, 0));
        let mut last = 0;
        for node in [7, 7, 3, 9, 3] {
            mint.be_node(node);
            let id = mint.mint(now);
            assert!(id > last && id >> 12 & 1_023 == i64::from(node), "{id:b} of {node} after {last:b}");
            last = id;
        }
    }

    #[test]
    fn event_texts_return_and_strangers_do_not() {
        for raw in [0, 1, 2, 1 << 40, i64::MAX] {
            let text = EventId(raw).to_public();
            assert_eq!(text.len(), 20);
            assert_eq!(EventId::from_public(&text), Some(EventId(raw)));
        }
        for text in [
            "",
            "evt_",
            "evt_0000000000000001",
            "evt_zzzzzzzzzzzzzzzz",
            "dlv_0000000000000000",
            "evt_000000000000000é",
        ] {
            assert_eq!(EventId::from_public(text), None, "{text}");
        }
    }

    #[test]
    fn credential_texts_return_and_are_no_event_texts() {
        let text = CredentialId(1 << 40).to_public();
        assert_eq!(CredentialId::from_public(&text), Some(CredentialId(1 << 40)));
        assert_eq!(EventId::from_public(&text), None);
        assert_eq!(CredentialId::from_public(&EventId(1 << 40).to_public()), None);
        let key = OperatorKeyId(1 << 40).to_public();
        assert_eq!(OperatorKeyId::from_public(&key), Some(OperatorKeyId(1 << 40)));
        assert_eq!(CredentialId::from_public(&key), None);
    }

    #[test]
    fn delivery_texts_return_and_strangers_do_not() {
        let id = DeliveryId { event: EventId(i64::MAX), webhook: WebhookId(7) };
        assert_eq!(DeliveryId::from_public(&id.to_public()), Some(id));
        for text in ["dlv_", "dlv_zzzzzzzzzzzzzzzzzzzzzz", "evt_0000000000000000000000"] {
            assert_eq!(DeliveryId::from_public(text), None, "{text}");
        }
    }

    #[test]
    fn minted_numbers_grow_over_clock_steps_and_floors() {
        let mut mint = IdMint::new(3, 0);
        let mut last = 0;
        for ms in [1_000, 1_000, 5_000, 2_000, 0, -7, 5_001] {
            for _ in 0..5_000 {
                let id = mint.mint(Timestamp::from_ms(ms));
                assert!(id > last);
                assert_eq!(id >> 12 & 1023, 3, "the node is part of every number");
                assert!(minted_at(id) >= Timestamp::from_ms(ms), "never before");
                last = id;
            }
        }
        let by_clock = IdMint::new(0, 0).mint(Timestamp::from_ms(5_000));
        assert_eq!(by_clock, first_id_at(Timestamp::from_ms(5_000)));
        assert_eq!(minted_at(by_clock), Timestamp::from_ms(5_000));
        assert!([i64::MIN, -1, 0].map(|ms| first_id_at(Timestamp::from_ms(ms))) == [0; 3]);
        assert!(first_id_at(Timestamp::from_ms(i64::MAX)) > by_clock, "it does not overflow");
        let mut after_restart = IdMint::new(0, last);
        assert!(after_restart.mint(Timestamp::from_ms(1)) > last);
    }
}
