//! Connections that are kept: reused while they are good, given up when they are not, never beyond their judgement.

use std::time::Duration;

use signalpost_core::attempt::Failure;
use signalpost_core::ports::Transport;
use signalpost_outbound::{ClientLimits, EgressPolicy};

use crate::receiver::Receiver;
use crate::world::{self, Setup, World, assert_failed, assert_status};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

fn answering() -> Receiver {
    Receiver::start(|_, conversation| conversation.answer_all(OK))
}

async fn post_ok(world: &World, url: &str) {
    assert_status(&world.post(url).await, 200);
}

#[test]
fn requests_in_sequence_share_a_connection_in_every_framing() {
    let answers: [&'static [u8]; 4] = [
        OK,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 No\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ];
    for answer in answers {
        let receiver = Receiver::start(|_, conversation| conversation.answer_all(answer));
        world::run(Setup::default(), async |world| {
            for path in ["/a", "/b", "/a"] {
                let exchange = world.post(&receiver.url(path)).await;
                assert!(exchange.outcome.status().is_some(), "{exchange:?}");
            }
        });
        assert_eq!(receiver.connections(), 1, "{}", String::from_utf8_lossy(answer));
        let targets: Vec<String> = receiver.requests().iter().map(|text| text[..7].to_owned()).collect();
        assert_eq!(targets, ["POST /a", "POST /b", "POST /a"]);
    }
}

#[test]
fn requests_at_the_same_time_have_a_connection_each() {
    let receiver = answering();
    world::run(Setup::default(), async |world| {
        let url = receiver.url("/");
        let eight = (0..8).map(|_| post_ok(&world, &url));
        futures_util::future::join_all(eight).await;
        assert_eq!(receiver.connections(), 8);
        let eight = (0..8).map(|_| post_ok(&world, &url));
        futures_util::future::join_all(eight).await;
        assert_eq!(receiver.connections(), 8, "all were kept");
    });
    receiver.wait_for_ends(8);
}

/// The first connection closes when its second request comes; nobody but the receiver's log may notice.
#[test]
fn a_connection_that_died_while_idle_is_replaced_at_once() {
    let receiver = Receiver::start(|number, conversation| {
        conversation.read_request()?;
        conversation.write(OK)?;
        if number == 0 {
            conversation.read_request()?;
            return Ok(());
        }
        conversation.answer_all(OK)
    });
    world::run(Setup::default(), async |world| {
        post_ok(&world, &receiver.url("/first")).await;
        let exchange = world.post(&receiver.url("/second")).await;
        assert_status(&exchange, 200);
        assert!(exchange.detail.is_empty());
        post_ok(&world, &receiver.url("/third")).await;
    });
    assert_eq!(receiver.connections(), 2);
    let seconds = receiver.requests().iter().filter(|text| text.starts_with("POST /second ")).count();
    assert_eq!(seconds, 2, "once on the dying connection, once on the fresh one");
}

#[test]
fn a_close_on_the_fresh_connection_is_reported() {
    let receiver = Receiver::start(|number, conversation| {
        if number == 0 {
            conversation.read_request()?;
            conversation.write(OK)?;
        }
        conversation.read_request()?;
        Ok(())
    });
    world::run(Setup::default(), async |world| {
        post_ok(&world, &receiver.url("/")).await;
        assert_failed(&world.post(&receiver.url("/")).await, Failure::Reset, "without an answer");
    });
    assert_eq!(receiver.connections(), 2, "one retry, no more");
}

#[test]
fn half_an_answer_on_a_kept_connection_is_not_sent_again() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        conversation.write(OK)?;
        conversation.read_request()?;
        conversation.write("HTTP/1.1 2")
    });
    world::run(Setup::default(), async |world| {
        post_ok(&world, &receiver.url("/")).await;
        assert_failed(&world.post(&receiver.url("/")).await, Failure::Reset, "in the middle");
    });
    assert_eq!(receiver.connections(), 1);
    assert_eq!(receiver.requests().len(), 2);
}

#[test]
fn a_silence_on_a_kept_connection_is_a_timeout_and_not_sent_again() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        conversation.write(OK)?;
        conversation.wait_for_close()
    });
    world::run(Setup::default(), async |world| {
        post_ok(&world, &receiver.url("/")).await;
        let exchange = world.post_within(&receiver.url("/"), Duration::from_millis(200)).await;
        assert_failed(&exchange, Failure::Timeout, "no complete answer headers");
    });
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn connections_that_cannot_be_reused_are_closed() {
    let answers: [&'static [u8]; 4] = [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello and more",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n",
    ];
    for answer in answers {
        let large = answer.ends_with(b"100000\r\n\r\n");
        let receiver = Receiver::start(move |_, conversation| {
            conversation.read_request()?;
            conversation.write(answer)?;
            conversation.write(if large { vec![b'x'; 100_000] } else { Vec::new() })?;
            conversation.wait_for_close()
        });
        world::run(Setup::default(), async |world| {
            for _ in 0..2 {
                post_ok(&world, &receiver.url("/")).await;
            }
            assert_eq!(receiver.connections(), 2, "{}", String::from_utf8_lossy(answer));
        });
        receiver.wait_for_ends(2);
    }
}

#[test]
fn idle_connections_are_closed_without_further_requests() {
    let receiver = answering();
    // Thirty seconds take 150 ms here.
    world::run(Setup { speed: 200, ..Setup::default() }, async |world| {
        for _ in 0..2 {
            post_ok(&world, &receiver.url("/")).await;
            let waiting = &receiver;
            wait_in_the_background(waiting).await;
        }
    });
    assert_eq!(receiver.connections(), 2);
}

/// Waits for one end of a connection while the client's tasks run on.
async fn wait_in_the_background(receiver: &Receiver) {
    while !receiver.has_ended() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn a_full_pool_keeps_no_more_than_its_limit() {
    let receiver = answering();
    let limits = ClientLimits { pool_connections: 2, ..ClientLimits::default() };
    world::run(Setup { limits, ..Setup::default() }, async |world| {
        let url = receiver.url("/");
        futures_util::future::join_all((0..5).map(|_| post_ok(&world, &url))).await;
        for _ in 0..3 {
            wait_in_the_background(&receiver).await;
        }
        assert!(!receiver.has_ended(), "two are kept");
    });
}

#[test]
fn a_dropped_client_closes_everything() {
    let receiver = answering();
    world::run(Setup::default(), async |world| {
        post_ok(&world, &receiver.url("/")).await;
        drop(world);
        wait_in_the_background(&receiver).await;
    });
}

/// The name pointed here and now points into the network: no connection outlives its judgement.
#[test]
fn a_name_that_turns_inside_is_refused_once_its_connection_is_old() {
    let receiver = answering();
    let policy = EgressPolicy::parse("127.0.0.1").expect("a good list");
    world::run(Setup { egress: policy, ..Setup::default() }, async |world| {
        let url = format!("http://hook.example:{}/", receiver.port());
        world.names.tell_addresses("hook.example", &["127.0.0.1"]);
        post_ok(&world, &url).await;
        world.names.tell_addresses("hook.example", &["127.0.0.2"]);
        post_ok(&world, &url).await;
        assert_eq!(world.names.asked.borrow().len(), 1, "the young connection was reused");
        for _ in 0..2 {
            world.clock.wind(Duration::from_secs(25));
            post_ok(&world, &url).await;
        }
        assert_eq!(world.names.asked.borrow().len(), 1, "busy, 50 s old");
        world.clock.wind(Duration::from_secs(10));
        assert_failed(&world.post(&url).await, Failure::Blocked, "a loopback address");
        assert_eq!(world.names.asked.borrow().len(), 2, "asked again after a minute");
    });
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn a_new_policy_ends_the_connections_of_the_old() {
    let receiver = answering();
    world::run(Setup::default(), async |world| {
        post_ok(&world, &receiver.url("/")).await;
        world.client.set_egress(EgressPolicy::default());
        assert_failed(&world.post(&receiver.url("/")).await, Failure::Blocked, "a loopback address");
        world.client.set_egress(EgressPolicy::parse("127.0.0.0/8").expect("a good list"));
        post_ok(&world, &receiver.url("/")).await;
    });
    assert_eq!(receiver.connections(), 2);
}

#[test]
fn a_request_under_way_when_the_policy_changes_does_not_keep_its_connection() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        std::thread::sleep(Duration::from_millis(100));
        conversation.write(OK)?;
        conversation.wait_for_close()
    });
    world::run(Setup::default(), async |world| {
        let sending = world.client.send(world::request(&receiver.url("/"), Duration::from_secs(5)));
        let changing = async {
            while receiver.requests().is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            world.client.set_egress(EgressPolicy::default());
        };
        let (exchange, ()) = futures_util::future::join(sending, changing).await;
        assert_status(&exchange, 200);
        wait_in_the_background(&receiver).await;
    });
}
