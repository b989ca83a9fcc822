//! `X-Forwarded-For` from anybody: nobody but a trusted proxy is believed.

use http::{HeaderMap, HeaderName, HeaderValue};
use signalpost::fuzzing;

use crate::Target;

const BYTES_MAX: usize = 256;
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// A range that is trusted, an address in it and one outside.
const TRUSTED: &str = "10.0.0.0/8";
const PROXY: &str = "10.0.0.1";
const STRANGER: &str = "198.51.100.1";

pub(super) fn target() -> Target {
    Target::new("forwarded", "nobody but a trusted proxy says who calls", BYTES_MAX, |input| {
        let mut headers = HeaderMap::new();
        for line in input.split(|byte| *byte == b'\n') {
            let value = HeaderValue::from_bytes(line).ok();
            headers.extend(value.map(|value| (FORWARDED_FOR, value)));
        }
        let stranger = STRANGER.parse().expect("an address");
        assert_eq!(fuzzing::caller(TRUSTED, stranger, &headers), stranger);
        let proxy = PROXY.parse().expect("an address");
        assert_eq!(fuzzing::caller("", proxy, &headers), proxy, "nobody is trusted");
        let caller = fuzzing::caller(TRUSTED, proxy, &headers);
        assert_eq!(caller, caller.to_canonical());
    })
}
