//! Receivers that never end: every exchange is over in time, and takes no more than its share of bytes.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use signalpost_core::attempt::Failure;
use signalpost_core::limits::ANSWER_KEPT_FAILURE_BYTES;
use signalpost_core::ports::Transport;
use signalpost_outbound::ClientLimits;
use tokio::net::{TcpSocket, TcpStream};

use crate::receiver::Receiver;
use crate::world::{self, Setup, assert_failed, assert_status};

/// Limit of the exchanges here. Long enough for a busy machine, short enough to wait for.
const LIMIT: Duration = Duration::from_millis(400);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(1_500);
/// What the kernel's socket buffers may take of what a receiver writes, on top of what we read.
const KERNEL_BUFFERS_BYTES: usize = 16 * 1024 * 1024;

#[track_caller]
fn assert_within(started: Instant, least: Duration, most: Duration) {
    let took = started.elapsed();
    assert!((least..=most + SLACK).contains(&took), "took {took:?}, not {least:?} to {most:?}");
}

#[test]
fn a_receiver_that_says_nothing_costs_the_limit() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        conversation.wait_for_close()
    });
    world::run(Setup::default(), async |world| {
        let started = Instant::now();
        let exchange = world.post_within(&receiver.url("/"), LIMIT).await;
        assert_within(started, LIMIT, LIMIT);
        assert_failed(&exchange, Failure::Timeout, "no complete answer headers within 400 ms");
        assert!(exchange.timing.total_us >= 400_000);
    });
    receiver.wait_for_ends(1);
}

#[test]
fn dripping_headers_cost_the_limit() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        conversation.write("HTTP/1.1 200 OK\r\nx: ")?;
        conversation.drip(&[b'y'; 10_000], Duration::from_millis(5))
    });
    world::run(Setup::default(), async |world| {
        let started = Instant::now();
        let exchange = world.post_within(&receiver.url("/"), LIMIT).await;
        assert_within(started, LIMIT, LIMIT);
        assert_failed(&exchange, Failure::Timeout, "no complete answer headers");
    });
    receiver.wait_for_ends(1);
    assert!(receiver.bytes_written() < 1_000, "{} bytes", receiver.bytes_written());
}

#[test]
fn informational_answers_without_end_are_cut() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        let flood = "HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000);
        loop {
            conversation.write(&flood)?;
        }
    });
    world::run(Setup::default(), async |world| {
        let started = Instant::now();
        let exchange = world.post(&receiver.url("/")).await;
        assert_within(started, Duration::ZERO, Duration::ZERO);
        assert_failed(&exchange, Failure::Protocol, "larger than 32768 bytes or too many");
    });
    receiver.wait_for_ends(1);
    assert!(receiver.bytes_written() < KERNEL_BUFFERS_BYTES, "{} bytes", receiver.bytes_written());
}

#[test]
fn headers_beyond_their_bound_are_refused() {
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(33_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200));
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(64 * 1024 * 1024));
    for answer in [huge, many, endless] {
        let receiver = Receiver::start(move |_, conversation| {
            conversation.read_request()?;
            conversation.write(&answer)?;
            conversation.wait_for_close()
        });
        world::run(Setup::default(), async |world| {
            let exchange = world.post(&receiver.url("/")).await;
            assert_failed(&exchange, Failure::Protocol, "larger than 32768 bytes or too many");
        });
        receiver.wait_for_ends(1);
        assert!(receiver.bytes_written() < KERNEL_BUFFERS_BYTES, "{} bytes", receiver.bytes_written());
    }
    let large = format!("HTTP/1.1 204 No\r\nx: {}\r\n\r\n", "y".repeat(30_000));
    let receiver = Receiver::start(move |_, conversation| conversation.answer_all(large.as_bytes()));
    world::run(Setup::default(), async |world| assert_status(&world.post(&receiver.url("/")).await, 204));
}

#[test]
fn a_dripping_body_is_settled_by_its_status_at_the_limit() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        conversation.write("HTTP/1.1 201 Created\r\ncontent-length: 10000\r\n\r\n")?;
        conversation.drip(&[b'y'; 10_000], Duration::from_millis(5))
    });
    world::run(Setup::default(), async |world| {
        let started = Instant::now();
        let exchange = world.post_within(&receiver.url("/"), LIMIT).await;
        assert_within(started, LIMIT, LIMIT);
        assert_status(&exchange, 201);
        assert!(exchange.answer.starts_with(b"yy"), "what came is kept");
    });
    receiver.wait_for_ends(1);
}

/// With a minute for the whole, a body has five seconds. Here a minute takes three seconds.
#[test]
fn a_body_never_gets_the_whole_of_a_long_limit() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        conversation.write("HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")?;
        conversation.wait_for_close()
    });
    world::run(Setup { speed: 20, ..Setup::default() }, async |world| {
        let exchange = world.post_within(&receiver.url("/"), Duration::from_secs(60)).await;
        assert_status(&exchange, 500);
        assert_eq!(exchange.answer, "hello");
        let total_s = exchange.timing.total_us / 1_000_000;
        assert!((5..30).contains(&total_s), "{total_s} s");
    });
    receiver.wait_for_ends(1);
}

#[test]
fn a_gigabyte_is_cut_at_the_bound() {
    const GIGABYTE: usize = 1024 * 1024 * 1024;
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        conversation.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {GIGABYTE}\r\n\r\n"))?;
        let piece = vec![b'y'; 1024 * 1024];
        for _ in 0..1024 {
            conversation.write(&piece)?;
        }
        conversation.wait_for_close()
    });
    world::run(Setup::default(), async |world| {
        let started = Instant::now();
        assert_status(&world.post(&receiver.url("/")).await, 200);
        assert_within(started, Duration::ZERO, Duration::ZERO);
    });
    receiver.wait_for_ends(1);
    assert!(receiver.bytes_written() < KERNEL_BUFFERS_BYTES, "{} bytes", receiver.bytes_written());
}

#[test]
fn chunks_of_one_byte_cannot_stretch_the_bound() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.read_request()?;
        conversation.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
        let padded = format!("1;{}\r\ny\r\n", "p".repeat(1_000)).repeat(1_000);
        loop {
            conversation.write(&padded)?;
        }
    });
    world::run(Setup::default(), async |world| {
        let started = Instant::now();
        assert_status(&world.post(&receiver.url("/")).await, 200);
        assert_within(started, Duration::ZERO, Duration::ZERO);
    });
    receiver.wait_for_ends(1);
    assert!(receiver.bytes_written() < KERNEL_BUFFERS_BYTES, "{} bytes", receiver.bytes_written());
}

#[test]
fn a_bomb_is_unpacked_to_the_bound_only() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 256 * 1024 * 1024]).expect("writing to memory");
    let body = encoder.finish().expect("writing to memory");
    let head = format!("HTTP/1.1 500 No\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
    let receiver = Receiver::start(move |_, conversation| {
        conversation.read_request()?;
        conversation.write(&head)?;
        conversation.write(&body)?;
        conversation.wait_for_close()
    });
    world::run(Setup::default(), async |world| {
        let started = Instant::now();
        let exchange = world.post(&receiver.url("/")).await;
        assert_within(started, Duration::ZERO, Duration::ZERO);
        assert_status(&exchange, 500);
        assert_eq!(exchange.answer, vec![0; ANSWER_KEPT_FAILURE_BYTES]);
    });
    receiver.wait_for_ends(1);
}

#[test]
fn a_receiver_that_never_reads_cannot_hold_a_large_request() {
    let receiver = Receiver::start(|_, conversation| {
        // Nothing is read until the client is long gone: the read below ends with its reset.
        std::thread::sleep(LIMIT + Duration::from_millis(200));
        conversation.wait_for_close()
    });
    world::run(Setup::default(), async |world| {
        let mut request = world::request(&receiver.url("/"), LIMIT);
        request.body = vec![b'x'; 64 * 1024 * 1024].into();
        let started = Instant::now();
        let exchange = world.client.send(request).await;
        assert_within(started, LIMIT, LIMIT);
        assert_failed(&exchange, Failure::Timeout, "no complete answer headers");
        // The socket must be closed while the client lives on, and what was not sent by then is not sent.
        let bytes_read = tokio::task::spawn_blocking(move || {
            receiver.wait_for_ends(1);
            receiver.bytes_read()
        });
        let bytes_read = bytes_read.await.expect("it ends");
        assert!(bytes_read < KERNEL_BUFFERS_BYTES, "{bytes_read} bytes went out");
    });
}

/// A listener whose queue is full drops further requests for a connection, as a firewall does.
#[test]
fn a_silent_host_costs_the_limit_of_connecting() {
    let limits = ClientLimits { connect: LIMIT, ..ClientLimits::default() };
    world::run(Setup { limits, ..Setup::default() }, async |world| {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let full = socket.listen(1).expect("it listens");
        let address = full.local_addr().expect("it listens");
        let mut waiting = Vec::new();
        while let Ok(connected) =
            tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
        {
            waiting.push(connected.expect("there is room in the queue"));
        }
        let started = Instant::now();
        let exchange = world.post(&format!("http://{address}/")).await;
        assert_within(started, LIMIT, LIMIT);
        assert_failed(&exchange, Failure::Timeout, "No connection within 400 ms");
        assert!(exchange.timing.total_us >= 400_000);
        drop((full, waiting));
    });
}
