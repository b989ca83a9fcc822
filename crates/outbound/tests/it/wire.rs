//! What reaches a receiver, byte by byte, when URLs, headers and bodies are meant to be read as more than they are: one
//! request, whose length is true.

use std::sync::Arc;
use std::time::Duration;

use signalpost_core::attempt::Failure;
use signalpost_core::ports::{OutboundRequest, Transport};
use signalpost_core::secret::Secret;

use crate::receiver::Receiver;
use crate::world::{self, Setup, assert_failed, assert_status};

const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
const SMUGGLED: &str = "POST /smuggled HTTP/1.1\r\nhost: evil\r\ncontent-length: 0\r\n\r\n";

/// A request as a strict reader takes it apart.
struct Message {
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Message {
    /// Panics at whatever two readers could take in two ways.
    fn strict(bytes: &str) -> Self {
        let (head, body) = bytes.split_once("\r\n\r\n").expect("a head has an end");
        let lines: Vec<&str> = head.split("\r\n").collect();
        let printable = |line: &str| !line.contains(['\r', '\n', '\0']);
        assert!(lines.iter().all(|line| printable(line)), "{head:?}");
        let words: Vec<&str> = lines[0].split(' ').collect();
        assert!(words.len() == 3 && words[0] == "POST" && words[2] == "HTTP/1.1", "{:?}", lines[0]);
        let target = words[1].to_owned();
        assert!(target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
        assert!(!target.contains('#'), "a fragment is nobody else's business: {target}");
        let header = |line: &&str| {
            let (name, value) = line.split_once(": ").expect("a name and a value");
            assert!(!name.is_empty() && !name.contains([' ', '\t', ':']), "{line:?}");
            (name.to_owned(), value.to_owned())
        };
        let headers: Vec<(String, String)> = lines[1..].iter().map(header).collect();
        let message = Self { target, headers, body: body.to_owned() };
        assert_eq!(message.values("content-length"), [body.len().to_string()], "one, and true");
        assert_eq!(message.values("host").len(), 1);
        for absent in ["transfer-encoding", "connection", "te", "trailer", "expect", "upgrade"] {
            assert!(message.values(absent).is_empty(), "{absent}: {head:?}");
        }
        message
    }

    fn values(&self, name: &str) -> Vec<String> {
        let named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.clone()).collect()
    }
}

/// Sends what `change` makes of a request, and returns what arrived; nothing else may have.
fn sent(path: &str, change: impl FnOnce(&mut OutboundRequest)) -> Message {
    let receiver = Receiver::start(|_, conversation| conversation.answer_all(NO_CONTENT));
    world::run(Setup::default(), async |world| {
        let mut request = world::request(&receiver.url(path), Duration::from_secs(10));
        change(&mut request);
        assert_status(&world.client.send(request).await, 204);
    });
    receiver.wait_for_ends(1);
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(receiver.bytes_read(), requests[0].len(), "not a byte more than the request");
    assert_eq!(receiver.connections(), 1);
    let message = Message::strict(&requests[0]);
    assert_eq!(message.values("host"), [format!("127.0.0.1:{}", receiver.port())], "{path:?}");
    message
}

#[test]
fn whatever_a_url_holds_is_one_target() {
    let table = [
        ("", "/"),
        ("?a=b", "/?a=b"),
        ("#fragment", "/"),
        ("/a#fragment?b", "/a"),
        ("/%0d%0aHost:%20evil%0d%0a%0d%0aGET%20/", "/%0d%0aHost:%20evil%0d%0a%0d%0aGET%20/"),
        ("/?a=%0D%0A%0D%0APOST%20/%20HTTP/1.1", "/?a=%0D%0A%0D%0APOST%20/%20HTTP/1.1"),
        ("/%00", "/%00"),
        ("/%", "/%"),
        ("/%zz?%", "/%zz?%"),
        ("//evil.example/", "//evil.example/"),
        ("//evil.example:80//x", "//evil.example:80//x"),
        ("/http://evil.example/", "/http://evil.example/"),
        ("/@evil.example", "/@evil.example"),
        ("/*", "/*"),
        ("/a/../../b", "/b"),
        ("/%2e%2e/%2E./b", "/b"),
        ("/..%2f..%2fb", "/..%2f..%2fb"),
        ("/;a=b,c", "/;a=b,c"),
        ("/ü?ü#ü", "/%C3%BC?%C3%BC"),
        ("/\u{202e}\u{feff}", "/%E2%80%AE%EF%BB%BF"),
        ("/\u{10d}\u{10a}", "/%C4%8D%C4%8A"),
        ("/<>\"`{}^|", "/%3C%3E%22%60%7B%7D^|"),
        ("/?<>\"`{}^|'", "/?%3C%3E%22`{}^|%27"),
        ("/[]:@!$&'()*+,;=", "/[]:@!$&'()*+,;="),
    ];
    for (path, target) in table {
        assert_eq!(sent(path, |_| ()).target, target, "{path:?}");
    }
    let long = format!("/{}", "a%20".repeat(480));
    assert_eq!(sent(&long, |_| ()).target, long);
}

#[test]
fn whatever_a_body_holds_is_one_body() {
    let chunks = "5\r\nhello\r\n0\r\n\r\n".to_owned();
    let long = format!("{}{SMUGGLED}", "x".repeat(200_000));
    for body in [String::new(), "\r\n\r\n".to_owned(), SMUGGLED.to_owned(), chunks, "\0\n".to_owned(), long] {
        let given = body.clone();
        assert_eq!(sent("/", move |request| request.body = given.into()).body, body);
    }
}

#[test]
fn whatever_a_header_holds_is_one_header() {
    let values = [
        "a: b",
        "a\tb",
        "chunked",
        "ü",
        "\u{10d}\u{10a}Host: evil",
        "%0d%0aHost: evil",
        "\\r\\nHost: evil",
        &"v".repeat(8_000),
    ];
    for value in values {
        let message = sent("/", |request| {
            request.headers.push((Arc::from("x-note"), value.to_owned()));
            request.secret_headers = [(Arc::from("x-key"), Secret::from_text(value))].into();
        });
        let names: Vec<&str> = message.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["host", "content-type", "x-note", "x-key", "content-length"], "{value:?}");
        assert_eq!(
            (message.values("x-note"), message.values("x-key")),
            (vec![value.into()], vec![value.into()])
        );
    }
}

/// Refused when they are set; and when one is stored all the same, no byte goes out, whatever else would be sent.
#[test]
fn headers_that_frame_route_or_sign_are_never_sent_for_a_customer() {
    let names = [
        "host",
        "Host",
        "content-length",
        "Content-Length",
        "content_length",
        "transfer-encoding",
        "Transfer_Encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "trailer",
        "expect",
        "upgrade",
        "http2-settings",
        "content-encoding",
        "accept-encoding",
        "content-type",
        "CONTENT_TYPE",
        "webhook-id",
        "Webhook_Id",
        ":authority",
        ":path",
        "",
        " ",
        "x y",
        "x:",
        "x\t",
        "x\r\ny",
        "x\0",
        "x\u{fc}",
        "(x)",
    ];
    let broken = ["a\r\nhost: evil", "a\nb", "a\rb", "a\r\n folded", "a\0b", "\r\n\r\nGET /", "a\u{7f}b"];
    let named = names.iter().map(|name| (*name, "1"));
    let receiver = Receiver::start(|_, conversation| conversation.answer_all(NO_CONTENT));
    world::run(Setup::default(), async |world| {
        for (name, value) in named.chain(broken.map(|value| ("x-key", value))) {
            let mut request = world::request(&receiver.url("/"), Duration::from_secs(10));
            request.headers.push((Arc::from("webhook-id"), "evt_1".to_owned()));
            request.secret_headers = [(Arc::from(name), Secret::from_text(value))].into();
            let exchange = world.client.send(request).await;
            assert_failed(&exchange, Failure::Internal, "The request was not sent");
            assert!(!exchange.detail.contains("evil"), "{}", exchange.detail);
        }
    });
    assert_eq!(receiver.connections(), 0);
}
