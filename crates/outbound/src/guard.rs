//! Judges an address before anything connects to it. Pure: no lookup, no clock.
//!
//! Everything that is not plainly a public unicast address is refused, whatever name it was reached by. The
//! ranges are those of the IANA special-purpose registries (RFC 6890 and successors) plus addresses that cloud
//! providers use inside their networks. IPv6 works the other way round: only `2000::/3` can be public, so what
//! is unassigned today is refused today.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use signalpost_core::cidr::Cidr;

use crate::egress::EgressPolicy;

/// The decision on one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// A public address.
    Public,
    /// Refused by default, and opened by the operator.
    Opened,
    /// Never connected to; what kind of address it is, in words that fit after "leads to".
    Blocked(&'static str),
}

impl Judgement {
    pub const fn is_allowed(self) -> bool {
        !matches!(self, Self::Blocked(_))
    }
}

/// Judges an address on its own.
///
/// An IPv4 address inside an IPv6 one is judged as well: opening an IPv6 transition range does not open the
/// private IPv4 addresses that can be written in it.
pub fn judge(address: IpAddr, policy: &EgressPolicy) -> Judgement {
    match address.to_canonical() {
        IpAddr::V4(v4) => judge_v4(v4, policy),
        IpAddr::V6(v6) => judge_v6(v6, policy),
    }
}

/// Judges an address with its port: additionally refuses our own listeners.
pub fn judge_socket(address: SocketAddr, policy: &EgressPolicy) -> Judgement {
    match judge(address.ip(), policy) {
        Judgement::Public if policy.is_own(address) => Judgement::Blocked("a listener of this server itself"),
        other => other,
    }
}

/// The reason to refuse a host name whatever it resolves to, unless the operator opened all its addresses.
///
/// `host` is in lower case, as the URL parser leaves it; a trailing dot is ignored. These names exist only
/// inside a network (RFC 6761, RFC 6762, and what clouds and Kubernetes use).
pub fn refused_name(host: &str) -> Option<&'static str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host == "localhost" || host.ends_with(".localhost") {
        return Some("this machine itself");
    }
    if METADATA_NAMES.contains(&host) {
        return Some("a cloud's metadata service");
    }
    match host.rsplit_once('.') {
        None => Some("a name without a dot, which exists only inside a network"),
        Some((_, last)) if INSIDE_SUFFIXES.contains(&last) => {
            Some("a name that exists only inside a network")
        }
        Some(_) => None,
    }
}

const METADATA_NAMES: [&str; 5] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data.ec2.internal",
    "metadata.tencentyun.com",
];

/// Top-level labels that are never in the public DNS. `cluster.local` is covered by `local`.
const INSIDE_SUFFIXES: [&str; 11] = [
    "internal",
    "local",
    "svc",
    "lan",
    "intranet",
    "corp",
    "home",
    "private",
    "localdomain",
    "arpa",
    "onion",
];

fn judge_v4(address: Ipv4Addr, policy: &EgressPolicy) -> Judgement {
    if policy.opens(address.into()) {
        return Judgement::Opened;
    }
    match kind_v4(address) {
        Some(kind) => Judgement::Blocked(kind),
        None => Judgement::Public,
    }
}

fn judge_v6(address: Ipv6Addr, policy: &EgressPolicy) -> Judgement {
    let inner = hidden_v4(address);
    if policy.opens(address.into()) {
        return match inner.map(|inner| judge_v4(inner, policy)) {
            Some(Judgement::Blocked(kind)) => Judgement::Blocked(kind),
            _ => Judgement::Opened,
        };
    }
    if let Some(kind) = inner.and_then(kind_v4) {
        return Judgement::Blocked(kind);
    }
    match kind_v6(address) {
        Some(kind) => Judgement::Blocked(kind),
        None => Judgement::Public,
    }
}

fn kind_v4(address: Ipv4Addr) -> Option<&'static str> {
    let hit = REFUSED_V4.iter().find(|(range, _)| range.contains(IpAddr::V4(address)));
    hit.map(|(_, kind)| *kind)
}

fn kind_v6(address: Ipv6Addr) -> Option<&'static str> {
    let named = REFUSED_V6.iter().find(|(range, _)| range.contains(IpAddr::V6(address)));
    match named {
        Some((_, kind)) => Some(kind),
        None if is_isatap(address) => Some("an IPv4 tunnel address"),
        None if GLOBAL_UNICAST.contains(IpAddr::V6(address)) => None,
        None => Some("an address outside the public IPv6 range"),
    }
}

/// The IPv4 address that an IPv6 one carries, by the forms that translate or tunnel.
///
/// IPv4-mapped addresses never come here, they are IPv4 already.
fn hidden_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let last = join(g, h);
    match [a, b, c, d, e, f] {
        // The unspecified address and loopback look like IPv4-compatible ones and are not.
        [0, 0, 0, 0, 0, 0] if last.to_bits() > 1 => Some(last),
        // IPv4-translated (RFC 2765).
        [0, 0, 0, 0, 0xffff, 0] => Some(last),
        // NAT64 (RFC 6052, RFC 8215). With the local prefix the length is the network's choice; the last 32
        // bits are what the common /96 uses.
        [0x64, 0xff9b, 0, 0, 0, 0] | [0x64, 0xff9b, 1, ..] => Some(last),
        // 6to4 (RFC 3056).
        [0x2002, ..] => Some(join(b, c)),
        // Teredo (RFC 4380): the client's address is stored inverted.
        [0x2001, 0, ..] => Some(join(!g, !h)),
        _ if is_isatap(address) => Some(last),
        _ => None,
    }
}

/// ISATAP interface ids (RFC 5214): `0000:5efe` or `0200:5efe`, then an IPv4 address.
const fn is_isatap(address: Ipv6Addr) -> bool {
    let [.., e, f, _, _] = address.segments();
    (e == 0 || e == 0x200) && f == 0x5efe
}

const fn join(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(((high as u32) << 16) | low as u32)
}

const PRIVATE: &str = "a private address";
const LINK_LOCAL: &str = "a link-local address, where clouds keep their metadata service";
const RESERVED: &str = "a reserved address";
const DOCUMENTATION: &str = "an address reserved for documentation";
const CLOUD: &str = "an address that a cloud uses inside its network";

const REFUSED_V4: [(Cidr, &str); 17] = [
    (Cidr::v4([10, 0, 0, 0], 8), PRIVATE),
    (Cidr::v4([172, 16, 0, 0], 12), PRIVATE),
    (Cidr::v4([192, 168, 0, 0], 16), PRIVATE),
    (Cidr::v4([127, 0, 0, 0], 8), "a loopback address"),
    (Cidr::v4([169, 254, 0, 0], 16), LINK_LOCAL),
    (Cidr::v4([0, 0, 0, 0], 8), "the unspecified address"),
    (Cidr::v4([100, 64, 0, 0], 10), "a carrier's shared address"),
    (Cidr::v4([168, 63, 129, 16], 32), CLOUD),
    (Cidr::v4([192, 0, 0, 0], 24), RESERVED),
    (Cidr::v4([192, 0, 2, 0], 24), DOCUMENTATION),
    (Cidr::v4([192, 88, 99, 0], 24), RESERVED),
    (Cidr::v4([198, 18, 0, 0], 15), "an address reserved for benchmarks"),
    (Cidr::v4([198, 51, 100, 0], 24), DOCUMENTATION),
    (Cidr::v4([203, 0, 113, 0], 24), DOCUMENTATION),
    (Cidr::v4([224, 0, 0, 0], 4), "a multicast address"),
    (Cidr::v4([255, 255, 255, 255], 32), "the broadcast address"),
    (Cidr::v4([240, 0, 0, 0], 4), RESERVED),
];

const GLOBAL_UNICAST: Cidr = Cidr::v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// The first four are holes in [`GLOBAL_UNICAST`]; the others lie outside it and are here for their names.
const REFUSED_V6: [(Cidr, &str); 12] = [
    (Cidr::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), RESERVED),
    (Cidr::v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), DOCUMENTATION),
    (Cidr::v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "an IPv4 tunnel address"),
    (Cidr::v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), DOCUMENTATION),
    (Cidr::v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "a loopback address"),
    (Cidr::v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "the unspecified address"),
    (Cidr::v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 32), "an IPv4 translation address"),
    (Cidr::v6([0x100, 0, 0, 0, 0, 0, 0, 0], 63), "a discard-only address"),
    (Cidr::v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), PRIVATE),
    (Cidr::v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "a link-local address"),
    (Cidr::v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), PRIVATE),
    (Cidr::v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "a multicast address"),
];
