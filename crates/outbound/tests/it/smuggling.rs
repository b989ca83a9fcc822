//! Answers that are meant to be taken for more, or for others, than they are. Each request has the answer that was given
//! to it, or none; and what cannot be told apart is not read on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use signalpost_core::attempt::{Failure, Outcome};
use signalpost_core::limits::{ANSWER_BYTES_MAX, ANSWER_HEADER_BYTES_MAX};
use signalpost_core::ports::Transport;

use crate::receiver::Receiver;
use crate::world::{self, Setup, assert_failed, assert_status};

const SMUGGLED: &str = "HTTP/1.1 299 Smuggled\r\ncontent-length: 0\r\n\r\n";
const TRUE: &[u8] = b"HTTP/1.1 202 True\r\ncontent-length: 0\r\n\r\n";
/// What the kernel's socket buffers may take of what a receiver writes, on top of what we read.
const KERNEL_BUFFERS_BYTES: usize = 16 * 1024 * 1024;

/// Posts twice to a receiver whose first connection gives `answer` to its first request and listens on. The second must
/// have an answer of its own, from a connection of its own.
fn answered_apart(answer: impl AsRef<[u8]> + Send + Sync + Clone + 'static, status: u16) {
    let shown = String::from_utf8_lossy(answer.as_ref()).into_owned();
    let receiver = Receiver::start(move |number, conversation| {
        if number > 0 {
            return conversation.answer_all(TRUE);
        }
        conversation.read_request()?;
        conversation.write(&answer)?;
        conversation.wait_for_close()
    });
    world::run(Setup::default(), async |world| {
        let first = world.post(&receiver.url("/first")).await;
        assert_eq!(first.outcome, Outcome::Status(status), "{shown:?}: {}", first.detail);
        let second = world.post(&receiver.url("/second")).await;
        assert_eq!(second.outcome, Outcome::Status(202), "{shown:?}: {}", second.detail);
    });
    assert_eq!(receiver.connections(), 2, "{shown:?}");
    assert_eq!(receiver.requests().len(), 2, "nothing was sent twice: {shown:?}");
}

#[test]
fn what_stands_behind_an_answer_is_not_the_next_one() {
    let table = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", 200),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-trailer: y\r\n\r\n", 200),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("HTTP/1.1 204 No Content\r\ncontent-length: 40\r\n\r\n", 204),
        ("HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n", 204),
        ("HTTP/1.1 304 Not Modified\r\ncontent-length: 40\r\n\r\n", 304),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", 500),
    ];
    for (answer, status) in table {
        answered_apart(format!("{answer}{SMUGGLED}"), status);
        answered_apart(format!("{answer}HTTP/1.1 103 Early Hints\r\n\r\n"), status);
        answered_apart(format!("{answer}\r\n"), status);
    }
}

/// It comes while the connection is idle, and before the next request is written.
#[test]
fn an_answer_that_nobody_asked_for_is_not_the_next_one() {
    let (kept, said) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let receiver = {
        let (kept, said) = (Arc::clone(&kept), Arc::clone(&said));
        Receiver::start(move |number, conversation| {
            if number > 0 {
                return conversation.answer_all(TRUE);
            }
            conversation.read_request()?;
            conversation.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
            while !kept.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            conversation.write(SMUGGLED)?;
            said.store(true, Ordering::SeqCst);
            conversation.wait_for_close()
        })
    };
    world::run(Setup::default(), async |world| {
        assert_status(&world.post(&receiver.url("/first")).await, 200);
        kept.store(true, Ordering::SeqCst);
        // Without an await: the client finds out when it is about to send.
        while !said.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        assert_status(&world.post(&receiver.url("/second")).await, 202);
    });
    assert_eq!(receiver.connections(), 2);
    assert_eq!(receiver.requests().iter().filter(|text| text.contains("/second")).count(), 1);
}

#[test]
fn framing_that_can_be_read_in_two_ways_ends_the_connection() {
    let chunked = "5\r\nhello\r\n0\r\n\r\n";
    let both = [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 15",
    ];
    for headers in both {
        answered_apart(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{chunked}"), 200);
    }
    let closing = [
        "connection: close",
        "connection: keep-alive, close",
        "connection: close\r\nconnection: keep-alive",
        "Connection: Close\r\nkeep-alive: timeout=60",
    ];
    for headers in closing {
        answered_apart(format!("HTTP/1.1 200 OK\r\n{headers}\r\ncontent-length: 0\r\n\r\n"), 200);
    }
    answered_apart("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", 200);
}

/// The status is known by then; what comes of the body is cut, and nothing follows on that connection.
#[test]
fn chunks_that_are_none_end_the_connection() {
    let bodies = [
        "-1\r\nx",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "g\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5 5\r\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\nhello",
        "10000000000000000\r\nhello",
        "5\r\nhello\r\n0\r\nno header\r\n\r\n",
    ];
    for body in bodies {
        answered_apart(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}{SMUGGLED}"), 200);
    }
}

/// Lengths and heads that cannot be read are no answer at all.
#[test]
fn heads_that_can_be_read_in_two_ways_are_no_answers() {
    let lengths =
        ["-1", "+5", "0x5", "5 5", "5, 6", "5;6", "", "18446744073709551616", "99999999999999999999999"];
    let lengths = lengths.map(|length| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\nhello"));
    let heads = [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length : 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\n content-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nx: a\r\n content-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nx: a\rcontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\n: a\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nx y: a\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.1 1000 High\r\n\r\n",
        "HTTP/1.1 2 00\r\n\r\n",
        "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/0.9 200 OK\r\n\r\n",
        "HTTP/1.12 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
    ];
    for answer in lengths.into_iter().chain(heads.map(str::to_owned)) {
        let (shown, given) = (answer.clone(), answer);
        let receiver = Receiver::start(move |_, conversation| {
            conversation.read_request()?;
            conversation.write(&given)?;
            conversation.wait_for_close()
        });
        world::run(Setup::default(), async |world| {
            let exchange = world.post(&receiver.url("/")).await;
            assert_eq!(
                exchange.outcome,
                Outcome::Failed(Failure::Protocol),
                "{shown:?}: {}",
                exchange.detail
            );
        });
        receiver.wait_for_ends(1);
        assert_eq!(receiver.requests().len(), 1, "and the request is not sent again: {shown:?}");
    }
}

#[test]
fn an_answer_before_the_request_was_whole_ends_the_connection() {
    // The receiver reads no more of the body until its answer was seen, or the request might be whole by then.
    let (seen, until_seen) = mpsc::channel();
    let until_seen = Mutex::new(until_seen);
    let receiver = Receiver::start(move |number, conversation| {
        if number > 0 {
            return conversation.answer_all(TRUE);
        }
        conversation.read_hello()?;
        conversation.write("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")?;
        until_seen.lock().expect("no thread panicked").recv().expect("the test tells");
        conversation.wait_for_close()
    });
    world::run(Setup::default(), async |world| {
        let mut request = world::request(&receiver.url("/first"), Duration::from_secs(10));
        request.body = vec![b'x'; 64 * 1024 * 1024].into();
        assert_status(&world.client.send(request).await, 413);
        seen.send(()).expect("the receiver waits for it");
        assert_status(&world.post(&receiver.url("/second")).await, 202);
    });
    assert_eq!(receiver.connections(), 2, "what is left of a body is nobody's head");
}

/// What never ends in a body is cut by bytes, however it is wrapped.
#[test]
fn what_never_ends_in_a_body_is_cut() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let trailers = (format!("{head}0\r\n"), "x-trailer: y\r\n".repeat(10_000));
    let trailer = (format!("{head}0\r\nx: "), "y".repeat(100_000));
    let extension = (format!("{head}1;"), "y".repeat(100_000));
    let zeros = (head.to_owned(), "0".repeat(100_000));
    for (begin, endless) in [trailers, trailer, extension, zeros] {
        let shown = begin.clone();
        let receiver = Receiver::start(move |_, conversation| {
            conversation.read_request()?;
            conversation.write(&begin)?;
            loop {
                conversation.write(&endless)?;
            }
        });
        world::run(Setup::default(), async |world| {
            let started = Instant::now();
            assert_status(&world.post(&receiver.url("/")).await, 200);
            assert!(started.elapsed() < Duration::from_secs(3), "{shown:?}: {:?}", started.elapsed());
        });
        receiver.wait_for_ends(1);
        let written = receiver.bytes_written();
        let bound = KERNEL_BUFFERS_BYTES + ANSWER_HEADER_BYTES_MAX + 2 * ANSWER_BYTES_MAX;
        assert!(written < bound, "{shown:?}: {written} bytes");
    }
}

/// One informational answer after the other keeps nobody waiting for longer than the whole may take.
#[test]
fn dripping_informational_answers_cost_the_limit() {
    let limit = Duration::from_millis(400);
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        for _ in 0..1_000 {
            conversation.write("HTTP/1.1 102 Processing\r\n\r\n")?;
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    });
    world::run(Setup::default(), async |world| {
        let started = Instant::now();
        let exchange = world.post_within(&receiver.url("/"), limit).await;
        assert_failed(&exchange, Failure::Timeout, "no complete answer headers within 400 ms");
        assert!(started.elapsed() < limit + Duration::from_millis(1_500), "{:?}", started.elapsed());
    });
    receiver.wait_for_ends(1);
}

/// We ask for no compression, so that an honest receiver sends none; what is done with a dishonest one's is bounded.
#[test]
fn no_compression_and_no_upgrade_is_asked_for() {
    let receiver = Receiver::start(|_, conversation| conversation.answer_all(TRUE));
    world::run(Setup::default(), async |world| {
        assert_status(&world.post(&receiver.url("/")).await, 202);
    });
    let request = receiver.requests().remove(0).to_lowercase();
    for header in ["accept-encoding", "te:", "upgrade", "connection", "http2-settings"] {
        assert!(!request.contains(header), "{request}");
    }
}
