//! Ids and the like, read from texts: one text for each value, and every value has one.

use std::fmt::Debug;
use std::str::from_utf8;

use signalpost_core::id::{CredentialId, DeliveryId, EventId, IdMint, OperatorKeyId, WebhookId};
use signalpost_core::id_form::{IdForm, RandomText};
use signalpost_core::limits::PUBLIC_NUMBER_MAX;
use signalpost_core::matching::{check_pattern, covers};
use signalpost_core::principal::Principal;
use signalpost_core::scope::Scope;
use signalpost_core::time::Timestamp;
use signalpost_core::{base62, hex};

use crate::Target;
use crate::feed::Feed;

const BYTES_MAX: usize = 128;

pub(super) fn target() -> Target {
    Target::new("id", "one text for each value, and every value has one", BYTES_MAX, |input| {
        let mut feed = Feed::new(input);
        match feed.below(4) {
            0 => numbers(&mut feed),
            1 => bytes(feed.rest()),
            _ => from_utf8(feed.rest()).into_iter().for_each(text),
        }
    })
}

fn text(text: &str) {
    returns(EventId::from_public(text), EventId::to_public, text);
    returns(CredentialId::from_public(text), CredentialId::to_public, text);
    returns(OperatorKeyId::from_public(text), OperatorKeyId::to_public, text);
    returns(DeliveryId::from_public(text), DeliveryId::to_public, text);
    returns(Scope::from_name(text), |scope| scope.name().to_owned(), text);
    if let Some(value) = base62::decode(text)
        && text.len() <= 64
    {
        assert_eq!(base62::encode(value, text.len()), text);
    }
    if let Some(bytes) = hex::decode(text) {
        assert_eq!(hex::encode(&bytes), text.to_ascii_lowercase());
    }
    if IdForm::Number.fits(text) {
        let number: i64 = text.parse().expect("it fits");
        assert!((1..=PUBLIC_NUMBER_MAX).contains(&number) && number.to_string() == text, "{text}");
    }
    let form = RandomText::new("wh_", 16);
    assert!(!form.fits(text) || form.fits_after_any_prefix(text.as_bytes()));
    if let Some(principal) = Principal::from_text(text) {
        assert_eq!(Principal::from_text(&principal.to_text()), Some(principal));
    }
    if check_pattern(text).is_ok() {
        assert!(covers(text, text) || text.ends_with('*'), "{text} does not cover itself");
    }
}

fn returns<T: Copy + Debug>(read: Option<T>, write: impl Fn(T) -> String, text: &str) {
    if let Some(value) = read {
        assert_eq!(write(value), text, "{value:?}");
    }
}

fn bytes(bytes: &[u8]) {
    assert_eq!(hex::decode(&hex::encode(bytes)).as_deref(), Some(bytes));
    let form = RandomText::new("a_", 16);
    assert!(!form.fits_after_any_prefix(bytes) || bytes.len() >= 16);
}

fn numbers(feed: &mut Feed<'_>) {
    let positive = |feed: &mut Feed<'_>| feed.number() & i64::MAX;
    let (one, other) = (positive(feed), positive(feed));
    let delivery = DeliveryId { event: EventId::from_raw(one), webhook: WebhookId::from_raw(other) };
    assert_eq!(DeliveryId::from_public(&delivery.to_public()), Some(delivery));
    assert_eq!(EventId::from_public(&delivery.event.to_public()), Some(delivery.event));
    // Far from the end of all numbers, ids only grow, whatever the clock does.
    let mut mint = IdMint::new(0, one >> 2);
    let mut last = one >> 2;
    for _ in 0..4 {
        let next = mint.mint(Timestamp::from_ms(feed.number() >> 24));
        assert!(next > last, "{next} after {last}");
        last = next;
    }
}
