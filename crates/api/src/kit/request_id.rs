//! The name under which a request stands in answers and in the log. A surface chooses its form.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use signalpost_core::base62;
use signalpost_core::time::Timestamp;

use crate::kit::auth::single;

pub(crate) const HEADER: &str = "x-request-id";
const CHARS_MAX: usize = 128;
const PREFIX: &str = "req_";
/// 62^16 is above 2^95: 16 digits hold 42 bits of milliseconds and 48 bits of counter.
const DIGITS: usize = 16;
const COUNTER_BITS: u32 = 48;

/// Shared by all surfaces: their lines stand in one log.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Mints ids that do not repeat within a process: the time, then a counter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestIds {
    form: Form,
}

#[derive(Clone, Copy, Debug, Default)]
enum Form {
    /// `req_` and digits; callers may give any sane text.
    #[default]
    Ours,
    /// The text form of a UUID (RFC 9562 section 4), version 8. Callers may give one of their own, of any version.
    Uuid,
}

impl RequestIds {
    /// Ids that are UUIDs.
    pub(crate) fn uuids() -> Self {
        Self { form: Form::Uuid }
    }

    /// The caller's own id when it gave a good one, else a new one.
    pub(crate) fn of(&self, headers: &HeaderMap, now: Timestamp) -> String {
        let is_good = match self.form {
            Form::Ours => is_sane,
            Form::Uuid => is_uuid,
        };
        let given = single(headers, HEADER).filter(|given| is_good(given));
        let given = given.and_then(|given| std::str::from_utf8(given).ok());
        given.map_or_else(|| self.mint(now), str::to_owned)
    }

    fn mint(&self, now: Timestamp) -> String {
        let ms = u128::try_from(now.as_ms()).unwrap_or_default() & ((1 << 42) - 1);
        let count = u128::from(COUNT.fetch_add(1, Ordering::Relaxed)) & ((1 << COUNTER_BITS) - 1);
        match self.form {
            Form::Ours => format!("{PREFIX}{}", base62::encode(ms << COUNTER_BITS | count, DIGITS)),
            Form::Uuid => uuid(ms, count),
        }
    }
}

/// Version 8, whose bits are the maker's own: 48 of the time, none in the middle, 48 of the counter at the end.
fn uuid(ms: u128, count: u128) -> String {
    format!("{:08x}-{:04x}-8000-8000-{count:012x}", ms >> 16, ms & 0xffff)
}

fn is_uuid(given: &[u8]) -> bool {
    let is_good = |(place, byte): (usize, &u8)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    given.len() == 36 && given.iter().enumerate().all(is_good)
}

/// Safe in a header, a log line and a file name; anything else is replaced, not repaired.
fn is_sane(given: &[u8]) -> bool {
    let permitted = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(byte);
    (1..=CHARS_MAX).contains(&given.len()) && given.iter().all(permitted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn id_for(given: &[u8]) -> String {
        let value = HeaderValue::from_bytes(given).expect("a header value");
        RequestIds::default()
            .of(&HeaderMap::from_iter([(http::HeaderName::from_static(HEADER), value)]), Timestamp::default())
    }

    #[test]
    fn a_sane_id_is_kept_and_any_other_replaced() {
        for good in ["a", "Az09_.:-", &"x".repeat(128)] {
            assert_eq!(id_for(good.as_bytes()), good);
        }
        for bad in [&b""[..], b"a b", b"a,b", b"\xff", "x".repeat(129).as_bytes()] {
            assert!(id_for(bad).starts_with(PREFIX), "{bad:?}");
        }
    }

    #[test]
    fn a_surface_of_uuids_mints_them_and_takes_no_other() {
        let ids = RequestIds::uuids();
        let of = |given: &'static str| {
            let value = HeaderValue::from_static(given);
            let headers = HeaderMap::from_iter([(http::HeaderName::from_static(HEADER), value)]);
            ids.of(&headers, Timestamp::from_ms(0x0123_4567_89ab))
        };
        let own = "9d1f3a8e-0000-4000-A000-0123456789ab";
        assert_eq!(of(own), own);
        for bad in ["a", "9d1f3a8e00004000A0000123456789ab----", "9d1f3a8e-0000-4000-A000-0123456789ag"] {
            let minted = of(bad);
            assert!(minted.starts_with("01234567-89ab-8000-8000-") && is_uuid(minted.as_bytes()), "{minted}");
        }
    }

    #[test]
    fn minted_ids_differ() {
        let mint = |ids: RequestIds| ids.of(&HeaderMap::new(), Timestamp::from_ms(i64::MAX));
        assert_ne!(mint(RequestIds::default()), mint(RequestIds::default()));
        let end = |id: String| id.rsplit('-').next().map(str::to_owned);
        assert_ne!(end(mint(RequestIds::uuids())), end(mint(RequestIds::uuids())), "whatever their surface");
    }
}
