//! From a name to a connection: what is looked up, what is refused, what is tried in which order.

use std::net::Ipv4Addr;
use std::time::Duration;

use signalpost_core::attempt::Failure;
use signalpost_outbound::{ClientLimits, EgressPolicy, ResolveError};

use crate::receiver::Receiver;
use crate::world::{self, Setup, Told, World, assert_failed, assert_status};

fn answering() -> Receiver {
    Receiver::start(|_, conversation| conversation.answer_all(b"HTTP/1.1 204 No Content\r\n\r\n"))
}

fn opened(list: &str) -> Setup {
    Setup { egress: EgressPolicy::parse(list).expect("a good list"), ..Setup::default() }
}

async fn post_to(world: &World, name: &str, port: u16) -> signalpost_core::attempt::Exchange {
    world.post(&format!("http://{name}:{port}/")).await
}

#[test]
fn a_name_without_an_address_is_a_dns_failure() {
    world::run(Setup::default(), async |world| {
        world.names.tell_addresses("empty.example", &[]);
        world.names.tell("broken.example", Told::Error(ResolveError::Failed("SERVFAIL".to_owned())));
        let missing = post_to(&world, "missing.example", 80).await;
        assert_failed(&missing, Failure::Dns, "missing.example does not resolve");
        assert_failed(&post_to(&world, "empty.example", 80).await, Failure::Dns, "does not resolve");
        assert_failed(&post_to(&world, "broken.example", 80).await, Failure::Dns, "with a failure");
    });
}

#[test]
fn a_name_server_that_is_silent_costs_the_limit_of_resolving() {
    let limits = ClientLimits { dns: Duration::from_millis(200), ..ClientLimits::default() };
    world::run(Setup { limits, ..Setup::default() }, async |world| {
        world.names.tell("silent.example", Told::Never);
        world.names.tell("late.example", Told::Error(ResolveError::Timeout));
        for name in ["silent.example", "late.example"] {
            let exchange = post_to(&world, name, 80).await;
            assert_failed(&exchange, Failure::Timeout, "name was not resolved within 200 ms");
            assert!(exchange.timing.total_us < 2_000_000, "{:?}", exchange.timing);
            assert!(
                exchange.timing.dns_us > 0 && exchange.timing.first_byte_us == 0,
                "{:?}",
                exchange.timing
            );
        }
        let shorter = world.post_within("http://silent.example/", Duration::from_millis(100)).await;
        assert_failed(&shorter, Failure::Timeout, "name was not resolved within 100 ms");
    });
}

#[test]
fn every_address_of_an_answer_is_judged() {
    let receiver = answering();
    world::run(opened("127.0.0.1"), async |world| {
        let blocked =
            ["10.0.0.1", "169.254.169.254", "::1", "::ffff:192.168.0.1", "127.0.0.2", "64:ff9b::a00:1"];
        world.names.tell_addresses("inside.example", &blocked);
        assert_failed(&post_to(&world, "inside.example", receiver.port()).await, Failure::Blocked, "never");
        let mixed: Vec<&str> = blocked.iter().chain(&["127.0.0.1"]).copied().collect();
        world.names.tell_addresses("mixed.example", &mixed);
        let exchange = post_to(&world, "mixed.example", receiver.port()).await;
        assert_status(&exchange, 204);
        assert!(exchange.timing.dns_us > 0);
    });
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn the_address_behind_a_blocked_name_is_not_told() {
    world::run(Setup::default(), async |world| {
        world.names.tell_addresses("inside.example", &["10.11.12.13"]);
        let exchange = post_to(&world, "inside.example", 80).await;
        assert_failed(&exchange, Failure::Blocked, "a private address");
        assert!(!exchange.detail.contains("10.11"), "{}", exchange.detail);
    });
}

#[test]
fn localhost_is_loopback_without_a_lookup_and_only_when_opened() {
    let receiver = answering();
    for name in ["localhost", "localhost.", "a.b.localhost", "LOCALHOST"] {
        world::run(opened("127.0.0.0/8"), async |world| {
            assert_status(&post_to(&world, name, receiver.port()).await, 204);
            assert!(world.names.asked.borrow().is_empty());
        });
        for closed in ["", "10.0.0.0/8", "::1"] {
            world::run(opened(closed), async |world| {
                let exchange = post_to(&world, name, receiver.port()).await;
                let is_open_elsewhere = closed == "::1";
                let failure = if is_open_elsewhere { Failure::Connect } else { Failure::Blocked };
                assert_failed(&exchange, failure, "");
            });
        }
    }
}

#[test]
fn names_of_the_inside_pass_only_when_all_their_addresses_are_opened() {
    let receiver = answering();
    for name in ["vault.internal", "printer.local", "intranet", "api.default.svc.cluster.local"] {
        world::run(opened("127.0.0.1"), async |world| {
            for addresses in [&["127.0.0.1", "8.8.8.8"][..], &["8.8.8.8"], &["127.0.0.2"]] {
                world.names.tell_addresses(name, addresses);
                let exchange = post_to(&world, name, receiver.port()).await;
                assert_failed(&exchange, Failure::Blocked, "only inside a network");
            }
            world.names.tell_addresses(name, &["127.0.0.1"]);
            assert_status(&post_to(&world, name, receiver.port()).await, 204);
        });
        world::run(opened(""), async |world| {
            world.names.tell_addresses(name, &["8.8.8.8"]);
            assert_failed(&post_to(&world, name, 80).await, Failure::Blocked, "only inside a network");
            assert!(world.names.asked.borrow().is_empty(), "{name} was not even looked up");
        });
    }
}

#[test]
fn further_addresses_are_tried_when_one_refuses() {
    let receiver = answering();
    world::run(opened("127.0.0.0/8"), async |world| {
        // Nothing listens on the others: the receiver has only the one address.
        world.names.tell_addresses("three.example", &["127.0.0.3", "127.0.0.2", "127.0.0.1"]);
        assert_status(&post_to(&world, "three.example", receiver.port()).await, 204);
        world.names.tell_addresses("four.example", &["127.0.0.4", "127.0.0.3", "127.0.0.2", "127.0.0.1"]);
        let exchange = post_to(&world, "four.example", receiver.port()).await;
        assert_failed(&exchange, Failure::Connect, "connection refused");
    });
    assert_eq!(receiver.connections(), 1, "three addresses are tried, not four");
}

#[test]
fn both_families_are_tried_in_turn() {
    let receiver = answering();
    world::run(opened("127.0.0.0/8,::1"), async |world| {
        // Nothing listens on the IPv6 address, and no more than three are tried.
        world.names.tell_addresses("both.example", &["::1", "::1", "::1", "127.0.0.1"]);
        assert_status(&post_to(&world, "both.example", receiver.port()).await, 204);
    });
}

#[test]
fn our_own_listener_is_reached_only_when_opened() {
    let receiver = answering();
    let own = |list| {
        let policy = EgressPolicy::parse(list).expect("a good list");
        let everywhere = (Ipv4Addr::UNSPECIFIED, receiver.port()).into();
        Setup { egress: policy.with_own_listeners(vec![everywhere]), ..Setup::default() }
    };
    world::run(own("127.0.0.1"), async |world| {
        assert_status(&post_to(&world, "127.0.0.1", receiver.port()).await, 204);
    });
    world::run(own(""), async |world| {
        let exchange = post_to(&world, "127.0.0.1", receiver.port()).await;
        assert_failed(&exchange, Failure::Blocked, "a loopback address");
    });
    assert_eq!(receiver.connections(), 1);
}
