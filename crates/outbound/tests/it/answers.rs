//! What receivers answer, honest and broken, and what is made of it.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use signalpost_core::attempt::{Exchange, Failure, Outcome};
use signalpost_core::limits::{ANSWER_KEPT_FAILURE_BYTES, ANSWER_KEPT_SUCCESS_BYTES};
use signalpost_core::ports::Transport;

use crate::receiver::Receiver;
use crate::world::{self, Setup, assert_failed, assert_status};

/// Posts once to a receiver that gives `answer` and then closes, and returns what came of it.
fn once(answer: impl AsRef<[u8]> + Send + Sync + 'static, check: impl FnOnce(Exchange)) {
    let receiver = Receiver::start(move |_, conversation| {
        conversation.read_request()?;
        conversation.write(&answer)
    });
    world::run(Setup::default(), async |world| check(world.post(&receiver.url("/hook")).await));
    receiver.wait_for_ends(1);
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn a_request_arrives_as_it_was_given() {
    let receiver =
        Receiver::start(|_, conversation| conversation.answer_all(b"HTTP/1.1 204 No Content\r\n\r\n"));
    world::run(Setup::default(), async |world| {
        let exchange = world.post(&receiver.url("/a%20b?c=d&e#f")).await;
        assert_status(&exchange, 204);
        assert!(exchange.detail.is_empty() && exchange.answer.is_empty());
        assert!(exchange.timing.connect_us > 0 && exchange.timing.first_byte_us > 0);
        assert!(exchange.timing.total_us >= exchange.timing.connect_us + exchange.timing.first_byte_us);
        assert_eq!((exchange.timing.dns_us, exchange.timing.tls_us), (0, 0), "neither was needed");
    });
    let port = receiver.port();
    let expected = format!(
        "POST /a%20b?c=d&e HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n\
         content-length: 2\r\n\r\n{{}}"
    );
    assert_eq!(receiver.requests(), [expected]);
}

#[test]
fn bodies_in_every_framing_are_kept_by_their_beginning() {
    let long = "x".repeat(9_000);
    let table = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_owned(), 200, "hello"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"
                .to_owned(),
            200,
            "hello",
        ),
        ("HTTP/1.0 400 Bad\r\n\r\nhello".to_owned(), 400, "hello"),
        ("HTTP/1.1 500\r\nconnection: close\r\n\r\nhello".to_owned(), 500, "hello"),
        (
            format!("HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n{long}"),
            200,
            &long[..ANSWER_KEPT_SUCCESS_BYTES],
        ),
        (
            format!("HTTP/1.1 404 No\r\ncontent-length: 9000\r\n\r\n{long}"),
            404,
            &long[..ANSWER_KEPT_FAILURE_BYTES],
        ),
        ("HTTP/1.1 599 Odd\r\ncontent-length: 0\r\n\r\n".to_owned(), 599, ""),
    ];
    for (answer, status, kept) in table {
        once(answer, |exchange| {
            assert_status(&exchange, status);
            assert_eq!(exchange.answer, kept);
        });
    }
}

#[test]
fn informational_answers_are_passed_over_and_a_switch_is_not() {
    let continued = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\nHTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
    once(continued, |exchange| assert_status(&exchange, 202));
    let switched = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";
    once(switched, |exchange| assert_failed(&exchange, Failure::Protocol, "101"));
}

#[test]
fn redirects_are_shown_and_not_followed() {
    let inside = Receiver::start(|_, conversation| conversation.answer_all(b"HTTP/1.1 200 OK\r\n\r\n"));
    let target = inside.url("/latest/meta-data");
    for status in [301, 302, 303, 307, 308] {
        let answer = format!("HTTP/1.1 {status} Moved\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
        once(answer, |exchange| {
            assert_status(&exchange, status);
            assert!(exchange.detail.contains(&target), "{}", exchange.detail);
        });
    }
    let long = format!("HTTP/1.1 301 Moved\r\nlocation: /{}\r\ncontent-length: 0\r\n\r\n", "x".repeat(5_000));
    once(long, |exchange| assert!(exchange.detail.len() < 300, "{}", exchange.detail.len()));
    once("HTTP/1.1 302 Moved\r\nlocation: \u{fc}\r\ncontent-length: 0\r\n\r\n", |exchange| {
        assert_eq!(exchange.detail, "Redirects are not followed.");
    });
    assert_eq!(inside.connections(), 0, "nobody went there");
}

#[test]
fn the_wish_to_wait_is_read() {
    let answer =
        |value: &str| format!("HTTP/1.1 503 Busy\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n");
    once(answer("7"), |exchange| assert_eq!(exchange.retry_after, Some(Duration::from_secs(7))));
    once(answer("Sun, 06 Nov 1994 08:49:37 GMT"), |exchange| {
        assert_eq!(exchange.retry_after, Some(Duration::ZERO));
    });
    once(answer("later"), |exchange| assert_eq!(exchange.retry_after, None));
}

#[test]
fn what_is_not_http_is_a_protocol_failure() {
    let table: [&'static [u8]; 8] = [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"{\"status\": 200}\r\n\r\n",
    ];
    for answer in table {
        once(answer, |exchange| assert_failed(&exchange, Failure::Protocol, "not a valid HTTP/1.1 answer"));
    }
}

#[test]
fn a_close_before_the_headers_is_a_reset() {
    once("", |exchange| assert_failed(&exchange, Failure::Reset, "without an answer"));
    for part in ["HTTP/1.1", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n"] {
        once(part, |exchange| {
            assert_failed(&exchange, Failure::Reset, "in the middle of the answer's headers")
        });
    }
}

#[test]
fn a_body_that_breaks_off_leaves_the_status() {
    let table = [
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
    ];
    for answer in table {
        once(answer, |exchange| {
            assert_status(&exchange, 200);
            assert_eq!(exchange.answer, "hello");
        });
    }
}

#[test]
fn more_than_the_announced_length_is_not_part_of_the_answer() {
    once("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 500 Next\r\n\r\n", |exchange| {
        assert_status(&exchange, 200);
        assert_eq!(exchange.answer, "hello");
    });
}

#[test]
fn compressed_answers_are_shown_as_text() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(b"no such order").expect("writing to memory");
    let body = encoder.finish().expect("writing to memory");
    let head = format!("HTTP/1.1 422 No\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
    once([head.into_bytes(), body].concat(), |exchange| {
        assert_status(&exchange, 422);
        assert_eq!(exchange.answer, "no such order");
    });
    once("HTTP/1.1 422 No\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain", |exchange| {
        assert_eq!(exchange.answer, "plain", "shown as it came");
    });
}

#[test]
fn an_answer_before_the_whole_request_was_read_counts() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_hello()?;
        conversation.write("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")?;
        conversation.wait_for_close()
    });
    world::run(Setup::default(), async |world| {
        let mut request = world::request(&receiver.url("/"), Duration::from_secs(10));
        request.body = vec![b'x'; 64 * 1024 * 1024].into();
        let exchange = world.client.send(request).await;
        assert_status(&exchange, 413);
    });
    receiver.wait_for_ends(1);
}

#[test]
fn an_answer_before_the_request_is_a_protocol_failure() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        conversation.wait_for_close()
    });
    world::run(Setup::default(), async |world| {
        // Whether it comes before or after the request is written is the receiver's luck.
        let exchange = world.post(&receiver.url("/")).await;
        if exchange.outcome != Outcome::Status(200) {
            assert_failed(&exchange, Failure::Protocol, "before it was asked");
        }
    });
    assert_eq!(receiver.connections(), 1);
    receiver.wait_for_ends(1);
}

#[test]
fn nothing_listening_is_a_connect_failure() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    world::run(Setup::default(), async |world| {
        let exchange = world.post(&format!("http://{free}/")).await;
        assert_failed(&exchange, Failure::Connect, "connection refused");
    });
}

#[test]
fn a_request_that_cannot_be_built_is_our_own_fault() {
    world::run(Setup::default(), async |world| {
        let mut request = world::request("http://127.0.0.1:9/", Duration::from_secs(1));
        request.headers.push((std::sync::Arc::from("x-note"), "a\r\nb: c".to_owned()));
        let exchange = world.client.send(request).await;
        assert_failed(&exchange, Failure::Internal, "control characters");
    });
}
