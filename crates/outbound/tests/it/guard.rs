//! Every refused range at its edges: the first and the last address inside, and the ones just outside.

use std::net::{IpAddr, SocketAddr};

use signalpost_outbound::EgressPolicy;
use signalpost_outbound::guard::{Judgement, judge, judge_socket, refused_name};

fn judged(address: &str, list: &str) -> Judgement {
    let address: IpAddr = address.parse().unwrap_or_else(|_| panic!("{address} is an address"));
    judge(address, &EgressPolicy::parse(list).expect("a good list"))
}

fn is_blocked(address: &str) -> bool {
    !judged(address, "").is_allowed()
}

/// First and last of each range, then the public neighbours just outside; `-` where the neighbour is refused too.
const RANGES_V4: [[&str; 4]; 17] = [
    ["0.0.0.0", "0.255.255.255", "-", "1.0.0.0"],
    ["10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"],
    ["100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"],
    ["127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"],
    ["168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17"],
    ["169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"],
    ["172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"],
    ["192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"],
    ["192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"],
    ["192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"],
    ["192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"],
    ["198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"],
    ["198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"],
    ["203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"],
    ["224.0.0.0", "239.255.255.255", "223.255.255.255", "-"],
    ["240.0.0.0", "255.255.255.254", "-", "-"],
    ["255.255.255.255", "255.255.255.255", "-", "-"],
];

const RANGES_V6: [[&str; 4]; 18] = [
    ["::", "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-"],
    ["64:ff9b::", "64:ff9b::ffff:ffff", "-", "-"],
    ["64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "-", "-"],
    ["100::", "100::ffff:ffff:ffff:ffff", "-", "-"],
    ["100:0:0:1::", "100::1:ffff:ffff:ffff:ffff", "-", "-"],
    ["101::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "2000::"],
    [
        "2001::",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:200::",
    ],
    ["2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "-", "-"],
    ["2001:10::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-"],
    [
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
    ],
    [
        "2002::",
        "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2003::",
    ],
    [
        "3fff::",
        "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1000::",
    ],
    ["4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-"],
    ["5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-"],
    ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-"],
    ["fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-"],
    ["fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-"],
    ["ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-"],
];

#[test]
fn every_range_is_refused_to_its_edges_and_no_further() {
    for [first, last, below, above] in RANGES_V4.iter().chain(&RANGES_V6) {
        assert!(is_blocked(first), "{first} is the first of its range");
        assert!(is_blocked(last), "{last} is the last of its range");
        for neighbour in [below, above].into_iter().filter(|text| **text != "-") {
            assert_eq!(judged(neighbour, ""), Judgement::Public, "{neighbour} is outside");
        }
    }
}

#[test]
fn addresses_of_clouds_are_refused() {
    let addresses = [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.0.23",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
    ];
    for address in addresses {
        assert!(is_blocked(address), "{address}");
    }
}

#[test]
fn ipv4_in_ipv6_is_judged_by_the_ipv4_address() {
    for [first, last, ..] in RANGES_V4 {
        for inner in [first, last] {
            assert!(is_blocked(&format!("::ffff:{inner}")), "mapped {inner}");
        }
    }
    assert_eq!(judged("::ffff:8.8.8.8", ""), Judgement::Public, "a mapped address is its IPv4 address");
    let hidden = [
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "2600::5efe:127.0.0.1",
        "2600::200:5efe:10.0.0.1",
    ];
    for address in hidden {
        assert!(is_blocked(address), "{address}");
    }
    assert!(is_blocked("2600::5efe:8.8.8.8"), "tunnels are refused wherever they lead");
}

/// With the outer range open, the address inside decides.
#[test]
fn opening_a_transition_range_does_not_open_what_hides_in_it() {
    let outer = "::/0";
    let table = [
        ("64:ff9b::8.8.8.8", Judgement::Opened),
        ("2002:808:808::1", Judgement::Opened),
        ("::1", Judgement::Opened),
        ("fd00::1", Judgement::Opened),
    ];
    for (address, expected) in table {
        assert_eq!(judged(address, outer), expected, "{address}");
    }
    let hidden = [
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "::10.0.0.1",
        "::ffff:0:10.0.0.1",
        "2002:a00:1::",
        // Teredo stores the client's address inverted: f5ff:fffe is 10.0.0.1.
        "2001:0:808:808::f5ff:fffe",
        "fd00::5efe:10.0.0.1",
        "fd00::200:5efe:10.0.0.1",
        "::ffff:10.0.0.1",
    ];
    for address in hidden {
        assert!(!judged(address, outer).is_allowed(), "{address}");
        assert!(judged(address, "::/0,10.0.0.0/8").is_allowed(), "{address} with its inner address open");
    }
}

#[test]
fn reasons_are_words_for_people() {
    let table = [
        ("127.0.0.1", "a loopback address"),
        ("::1", "a loopback address"),
        ("192.168.1.1", "a private address"),
        ("fd00::1", "a private address"),
        ("169.254.169.254", "a link-local address, where clouds keep their metadata service"),
        ("64:ff9b::1.2.3.4", "an IPv4 translation address"),
        ("64:ff9b::10.0.0.1", "a private address"),
        ("4000::1", "an address outside the public IPv6 range"),
    ];
    for (address, reason) in table {
        assert_eq!(judged(address, ""), Judgement::Blocked(reason), "{address}");
    }
}

#[test]
fn our_own_listeners_are_refused_unless_opened() {
    let own: SocketAddr = "8.8.8.8:8081".parse().expect("an address");
    let policy = |list| EgressPolicy::parse(list).expect("a good list").with_own_listeners(vec![own]);
    let judged = |address: &str, list| judge_socket(address.parse().expect("an address"), &policy(list));
    assert!(!judged("8.8.8.8:8081", "").is_allowed());
    assert!(!judged("[::ffff:8.8.8.8]:8081", "").is_allowed());
    assert_eq!(judged("8.8.8.8:443", ""), Judgement::Public);
    assert_eq!(judged("8.8.4.4:8081", ""), Judgement::Public);
    assert_eq!(judged("8.8.8.8:8081", "8.8.8.8"), Judgement::Opened);
}

#[test]
fn names_of_the_inside_are_known() {
    let refused = [
        "localhost",
        "localhost.",
        "a.localhost",
        "metadata",
        "metadata.google.internal",
        "metadata.google.internal.",
        "metadata.goog",
        "vault.internal",
        "printer.local",
        "api.default.svc",
        "api.default.svc.cluster.local",
        "postgres",
        "router.lan",
        "home.arpa",
    ];
    for name in refused {
        assert!(refused_name(name).is_some(), "{name}");
    }
    for name in ["example.com", "example.com.", "internal.example.com", "local.example", "notlocalhost.com"] {
        assert_eq!(refused_name(name), None, "{name}");
    }
}
