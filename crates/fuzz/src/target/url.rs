//! Receivers' URLs and the guard of addresses, beside a second judgement that shares nothing with the first.
//!
//! What is accepted as a URL has one reading; an address that the guard takes for public is none of those that the
//! standard library knows to be anything else, by whatever form it is written or carried.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::from_utf8;

use http::{HeaderValue, Uri};
use signalpost_core::cidr::Cidr;
use signalpost_core::target_url::{Scheme, TargetUrl};
use signalpost_outbound::EgressPolicy;
use signalpost_outbound::guard::{Judgement, judge, judge_socket, refused_name};
use url::{Host, Url};

use crate::Target;
use crate::feed::Feed;

const BYTES_MAX: usize = 512;

pub(super) fn target() -> Target {
    let about = "one reading of a URL; no address inside a network passes for a public one";
    Target::new("url", about, BYTES_MAX, |input| {
        let mut feed = Feed::new(input);
        match feed.below(4) {
            0 => address(&mut feed),
            1 => from_utf8(feed.rest()).into_iter().for_each(ranges),
            _ => from_utf8(feed.rest()).into_iter().for_each(url),
        }
    })
}

fn url(text: &str) {
    let Ok(target) = TargetUrl::parse(text) else { return };
    assert_eq!(target.as_str(), text);
    assert!(!text.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\'), "{text:?}");
    HeaderValue::from_str(&target.host_header()).expect("a host can stand in a header");
    let line = target.path_and_query();
    assert!(line.starts_with('/') && line.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{line:?}");
    Uri::try_from(line.as_str())
        .unwrap_or_else(|error| panic!("{line:?} cannot stand in a request: {error}"));
    // Another reader gets the same from what is sent.
    let sent = Url::parse(&format!("{}{line}", target.origin())).expect("what is sent is a URL");
    assert_eq!(
        (sent.host(), sent.port_or_known_default()),
        (Some(target.host().to_owned()).as_ref().map(borrowed), Some(target.port()))
    );
    assert_eq!(&sent[url::Position::BeforePath..], line);
    assert!(target.port() != 0 && sent.username().is_empty() && sent.password().is_none());
    host(&target);
}

fn borrowed(host: &Host<String>) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name.as_str()),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

fn host(target: &TargetUrl) {
    let policy = EgressPolicy::default();
    match target.literal_address() {
        Some(literal) => {
            assert_eq!(literal, literal.to_canonical(), "a mapped address stays mapped");
            if judge(literal, &policy).is_allowed() {
                assert!(is_plainly_public(literal), "{literal} passes for public: {target:?}");
            }
        }
        None => {
            let name = target.host().to_string();
            assert_eq!(name, name.to_ascii_lowercase());
            let bare = name.strip_suffix('.').unwrap_or(&name);
            assert!(bare.parse::<IpAddr>().is_err(), "{name} is an address and is read as a name");
            assert!(!is_old_address(bare), "a resolver reads {name} as an address");
            if refused_name(&name).is_none() {
                assert!(bare.contains('.') && !bare.ends_with(".localhost"), "{name} leads inside");
            }
        }
    }
    let here = target.literal_address().is_some_and(|address| address.is_loopback());
    let is_local = here || target.host() == Host::Domain("localhost");
    assert!(target.check_secure(&[]).is_err() || target.scheme() == Scheme::Https || is_local, "{target:?}");
}

/// An address in any form, with and without ranges that are open.
fn address(feed: &mut Feed<'_>) {
    let form = feed.below(4);
    let bits = u128::from(feed.number().cast_unsigned()) << 64 | u128::from(feed.number().cast_unsigned());
    let four = Ipv4Addr::from_bits(u32::try_from(bits >> 96).expect("32 bits"));
    let address = match form {
        0 => IpAddr::V4(four),
        1 => IpAddr::V6(four.to_ipv6_mapped()),
        2 => IpAddr::V6(Ipv6Addr::from_bits(bits >> 3 | 1 << 125)),
        _ => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    };
    let policy = EgressPolicy::default();
    let judged = judge(address, &policy);
    assert_ne!(judged, Judgement::Opened, "nothing is open");
    assert_eq!(judged, judge(address.to_canonical(), &policy), "a mapped form is judged as another address");
    if judged.is_allowed() {
        assert!(is_plainly_public(address.to_canonical()), "{address} passes for public");
    }
    let own = policy.with_own_listeners(vec![SocketAddr::new(address, 8080)]);
    assert!(!judge_socket(SocketAddr::new(address, 8080), &own).is_allowed(), "{address} is our own");
}

/// Ranges as operators write them: each holds its own first address, in both forms.
fn ranges(text: &str) {
    let Ok(ranges) = Cidr::parse_list(text) else { return };
    let policy = EgressPolicy::parse(text).expect("the same list");
    for range in ranges {
        let first = match range {
            Cidr::V4 { network, mask } => {
                assert_eq!(network & !mask, 0, "bits after the prefix");
                IpAddr::V4(Ipv4Addr::from_bits(network))
            }
            Cidr::V6 { network, mask } => {
                assert_eq!(network & !mask, 0, "bits after the prefix");
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        };
        assert!(range.contains(first) && policy.opens(first), "{text}: {first}");
        if let IpAddr::V4(four) = first {
            assert_eq!(judge(first, &policy), Judgement::Opened);
            assert_eq!(judge(four.to_ipv6_mapped().into(), &policy), Judgement::Opened);
        }
    }
}

/// What the standard library knows of an address, and the tunnels that carry an IPv4 address inside.
fn is_plainly_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => is_public_v4(four),
        IpAddr::V6(six) => {
            let [first, second, .., seventh, eighth] = six.segments();
            let last = Ipv4Addr::from_bits(u32::from(seventh) << 16 | u32::from(eighth));
            let is_isatap = six.segments()[5] == 0x5efe && matches!(six.segments()[4], 0 | 0x200);
            let documentation = (first == 0x2001 && second == 0xdb8) || (first == 0x3fff && second < 0x1000);
            let tunnel = first == 0x2002 || (first == 0x2001 && second == 0);
            let inside = six.is_loopback()
                || six.is_unspecified()
                || six.is_multicast()
                || six.is_unique_local()
                || six.is_unicast_link_local();
            first >> 13 == 1 && !inside && !documentation && !tunnel && (!is_isatap || is_public_v4(last))
        }
    }
}

fn is_public_v4(four: Ipv4Addr) -> bool {
    let [a, b, ..] = four.octets();
    let shared = a == 100 && b & 0xc0 == 64;
    let benchmark = a == 198 && b & 0xfe == 18;
    !(four.is_private()
        || four.is_loopback()
        || four.is_link_local()
        || four.is_multicast()
        || four.is_broadcast()
        || four.is_documentation()
        || four.is_unspecified()
        || a == 0
        || a >= 240
        || shared
        || benchmark)
}

/// Whether `inet_aton` takes a text: one to four numbers, decimal, octal or hexadecimal.
fn is_old_address(text: &str) -> bool {
    let number = |part: &str| match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()),
    };
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() <= 4 && parts.into_iter().all(number)
}
