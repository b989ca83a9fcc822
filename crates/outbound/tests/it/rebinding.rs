//! Names whose answer changes, and answers that point elsewhere: what is dialled is what was judged, for this request, and
//! nothing that a receiver says is dialled at all.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener};
use std::rc::Rc;

use signalpost_core::attempt::Failure;
use signalpost_core::ports::LocalBoxFuture;
use signalpost_outbound::{EgressPolicy, Resolve, ResolveError};

use crate::certificates::{answering, authority, params, server, trusting};
use crate::receiver::Receiver;
use crate::world::{self, Setup, World, assert_failed, assert_status};

const CLOSING: &[u8] = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";

/// Loopback is the public network here, of which only one address is open.
fn one_open() -> Setup {
    Setup { egress: EgressPolicy::parse("127.0.0.1").expect("a good list"), ..Setup::default() }
}

async fn post(world: &World, port: u16) -> signalpost_core::attempt::Exchange {
    world.post(&format!("http://rebound.example:{port}/")).await
}

/// A name server with a lifetime of zero: every question has another answer.
struct Turning {
    answers: Vec<Vec<IpAddr>>,
    asked: Cell<usize>,
}

impl Turning {
    fn new(answers: &[&[&str]]) -> Rc<Self> {
        let parsed = |list: &&[&str]| list.iter().map(|text| text.parse().expect("an address")).collect();
        Rc::new(Self { answers: answers.iter().map(parsed).collect(), asked: Cell::new(0) })
    }
}

impl Resolve for Turning {
    fn resolve(&self, _host: &str) -> LocalBoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        let answer = self.answers[self.asked.get() % self.answers.len()].clone();
        self.asked.set(self.asked.get() + 1);
        Box::pin(async move { Ok(answer) })
    }
}

/// Whoever asked once to judge and once more to connect would dial the second answer.
#[test]
fn a_name_is_asked_once_for_a_connection() {
    let receiver = Receiver::start(|_, conversation| conversation.answer_all(CLOSING));
    let names = Turning::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    world::run_with(one_open(), Rc::clone(&names) as Rc<dyn Resolve>, async |world| {
        for attempt in 0..6 {
            let exchange = post(&world, receiver.port()).await;
            match attempt % 2 {
                0 => assert_status(&exchange, 204),
                _ => assert_failed(&exchange, Failure::Blocked, "a loopback address"),
            }
            assert_eq!(names.asked.get(), attempt + 1, "one question, one judgement, one connection");
        }
    });
    assert_eq!(receiver.connections(), 3);
}

/// Several records at once, in any order and of both families: what may not be dialled is left out, however often the name
/// is asked, and an address that does not answer does not open the way to one that was not judged.
#[test]
fn of_a_mixed_answer_only_what_is_open_is_dialled() {
    let receiver = Receiver::start(|_, conversation| conversation.answer_all(CLOSING));
    let inside = TcpListener::bind(("127.0.0.2", receiver.port())).expect("the port is free there");
    inside.set_nonblocking(true).expect("a socket");
    let names = Turning::new(&[
        &["127.0.0.2", "127.0.0.1"],
        &["127.0.0.1", "127.0.0.2", "::1"],
        &["::1", "::ffff:127.0.0.2", "::ffff:127.0.0.1"],
        &["10.0.0.1", "169.254.169.254", "0.0.0.0", "127.0.0.1"],
    ]);
    world::run_with(one_open(), Rc::clone(&names) as Rc<dyn Resolve>, async |world| {
        for _ in 0..8 {
            assert_status(&post(&world, receiver.port()).await, 204);
        }
        let port = receiver.port();
        drop(receiver);
        for _ in 0..4 {
            assert_failed(&post(&world, port).await, Failure::Connect, "connection refused");
        }
    });
    let nobody = inside.accept().expect_err("nobody came");
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
}

/// A connection lives by the judgement of its making, a minute at most; what is made after it is judged anew.
#[test]
fn a_new_connection_beside_a_pooled_one_is_judged_anew() {
    let receiver = Receiver::start(|_, conversation| {
        conversation.answer_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    });
    let names = Turning::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    world::run_with(one_open(), Rc::clone(&names) as Rc<dyn Resolve>, async |world| {
        assert_status(&post(&world, receiver.port()).await, 200);
        let (pooled, fresh) =
            futures_util::future::join(post(&world, receiver.port()), post(&world, receiver.port())).await;
        assert_status(&pooled, 200);
        assert_failed(&fresh, Failure::Blocked, "a loopback address");
    });
    assert_eq!((receiver.connections(), names.asked.get()), (1, 2));
}

#[test]
fn nothing_that_a_receiver_points_to_is_dialled() {
    let inside = Receiver::start(|_, conversation| conversation.answer_all(CLOSING));
    let (there, port) = (inside.url("/latest/meta-data/"), inside.port());
    let heads = RefCell::new(Vec::new());
    for status in [300, 301, 302, 303, 304, 305, 306, 307, 308] {
        for location in [&there, &format!("//127.0.0.1:{port}/"), &format!("http:\\\\127.0.0.1:{port}\\")] {
            heads.borrow_mut().push((status, format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\n")));
        }
    }
    let headers = [
        format!("location: {there}"),
        format!("content-location: {there}"),
        format!("refresh: 0; url={there}"),
        format!("alt-svc: h2=\"127.0.0.1:{port}\", h3=\":{port}\"; ma=86400; persist=1"),
        format!("alt-svc: http/1.1=\"127.0.0.1:{port}\""),
        format!("link: <{there}>; rel=preconnect, <{there}>; rel=preload"),
        format!("proxy-authenticate: Basic\r\nproxy-connection: keep-alive\r\nx-proxy: {there}"),
        format!(
            "report-to: {{\"endpoints\":[{{\"url\":\"{there}\"}}]}}\r\nnel: {{\"report_to\":\"default\"}}"
        ),
        "strict-transport-security: max-age=31536000".to_owned(),
        "set-cookie: a=b; Path=/".to_owned(),
        "www-authenticate: Basic realm=\"x\"".to_owned(),
        "upgrade: h2c, websocket\r\nconnection: upgrade".to_owned(),
    ];
    for header in headers {
        for status in [200, 201, 401, 407, 421, 426, 503] {
            heads.borrow_mut().push((status, format!("HTTP/1.1 {status} X\r\n{header}\r\n")));
        }
    }
    for (status, head) in heads.into_inner() {
        let hinted = format!("HTTP/1.1 103 Early Hints\r\nlink: <{there}>; rel=preconnect\r\n\r\n{head}");
        let answer = format!("{hinted}content-length: 0\r\n\r\n");
        let receiver = Receiver::start(move |_, conversation| conversation.answer_all(answer.as_bytes()));
        world::run(Setup::default(), async |world| {
            for _ in 0..2 {
                assert_status(&world.post(&receiver.url("/")).await, status);
            }
        });
        let requests = receiver.requests();
        assert_eq!(requests.len(), 2, "each was sent once: {head:?}");
        assert_eq!(requests[0], requests[1], "and the answer changes nothing of the next: {head:?}");
    }
    assert_eq!(inside.connections(), 0);
}

/// The name that is asked for, shown to be known, and sent, is the URL's, whatever address it has.
#[test]
fn the_name_of_the_url_is_in_the_handshake_and_in_the_request() {
    let authority = authority("trusted");
    let receiver = answering(server(Some(&authority), &params("hook.example")));
    let tls = trusting(&[&authority]);
    let port = receiver.port();
    world::run(Setup { tls, ..Setup::default() }, async |world| {
        for name in ["hook.example", "HOOK.example", "hook.example.", "other.example", "127.0.0.1"] {
            world.names.tell_addresses(&name.to_lowercase(), &["127.0.0.1"]);
            let exchange = world.post(&format!("https://{name}:{port}/")).await;
            if name.to_lowercase().starts_with("hook.") {
                assert_status(&exchange, 200);
            } else {
                assert_failed(&exchange, Failure::Tls, "certificate is not for");
            }
        }
    });
    receiver.wait_for_ends(4);
    let hosts: Vec<String> = receiver.requests().iter().map(|text| host_of(text)).collect();
    let plain = format!("hook.example:{port}");
    assert_eq!(hosts, [plain.clone(), plain, format!("hook.example.:{port}")]);
    let mut named = receiver.server_names();
    named.sort();
    assert_eq!(
        named,
        ["", "hook.example", "hook.example", "other.example"],
        "an address has no name to show"
    );
}

fn host_of(request: &str) -> String {
    let line = request.lines().find_map(|line| line.strip_prefix("host: "));
    line.expect("every request names its host").to_owned()
}
