//! HTTP at its edges: what two readers could understand in two ways is refused, and nothing is read as more requests
//! than it is.

use serde_json::json;
use signalpost_testkit::{HttpClient, Request, Server};

use crate::raw::Raw;
use crate::{PATIENCE, start};

/// Statuses of all answers in a text.
fn statuses(text: &str) -> Vec<&str> {
    let answers = text.match_indices("HTTP/1.").map(|(at, _)| &text[at..]);
    answers.filter_map(|answer| answer.split(' ').nth(1)).collect()
}

#[test]
fn requests_that_can_be_read_in_two_ways_end_the_connection() {
    let server = start(&[]);
    let host = "host: x\r\n";
    let smuggled = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let chunked = "transfer-encoding: chunked\r\n";
    let table = [
        // RFC 9112 section 6.1: chunked counts, and the connection ends after the answer.
        (
            format!("POST /livez HTTP/1.1\r\n{host}content-length: 4\r\n{chunked}\r\n0\r\n\r\n{smuggled}"),
            "405",
        ),
        (
            format!("POST /livez HTTP/1.1\r\n{host}{chunked}content-length: 4\r\n\r\n0\r\n\r\n{smuggled}"),
            "405",
        ),
        (
            format!(
                "POST /livez HTTP/1.1\r\n{host}content-length: 1\r\ncontent-length: 2\r\n\r\nab{smuggled}"
            ),
            "400",
        ),
        (format!("POST /livez HTTP/1.1\r\n{host}content-length: 1, 2\r\n\r\nab{smuggled}"), "400"),
        (format!("POST /livez HTTP/1.1\r\n{host}content-length: +1\r\n\r\na{smuggled}"), "400"),
        (format!("POST /livez HTTP/1.1\r\n{host}content-length: -1\r\n\r\n{smuggled}"), "400"),
        (format!("POST /livez HTTP/1.1\r\n{host}transfer-encoding: gzip\r\n\r\n{smuggled}"), "400"),
        (
            format!(
                "POST /livez HTTP/1.1\r\n{host}transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n{smuggled}"
            ),
            "400",
        ),
        (
            format!("POST /livez HTTP/1.1\r\n{host}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}"),
            "400",
        ),
        (format!("POST /livez HTTP/1.0\r\n{host}{chunked}\r\n0\r\n\r\n{smuggled}"), "400"),
        (format!("GET /livez HTTP/1.1\r\n{host}content-length : 5\r\n\r\n{smuggled}"), "400"),
        (format!("GET /livez HTTP/1.1\r\n{host}a: b\r\n c: d\r\n\r\n{smuggled}"), "400"),
        (format!("GET /livez HTTP/1.1\r\n{host}a: \0\r\n\r\n{smuggled}"), "400"),
        (format!("GET /livez HTTP/1.1\r\n\r\n{smuggled}"), "400"),
        (format!("GET /livez HTTP/1.1\r\n{host}host: y\r\n\r\n{smuggled}"), "400"),
        (format!("GET /livez HTTP/3.0\r\n{host}\r\n{smuggled}"), "400"),
        (format!("GET  /livez HTTP/1.1\r\n{host}\r\n{smuggled}"), "400"),
        (format!("\u{16}\u{3}\u{1}\u{2}hello{smuggled}"), "400"),
    ];
    let codings = [
        "transfer-encoding: identity\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "transfer-encoding: chunked, chunked",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: identity",
        "transfer-encoding: \"chunked\"",
        "transfer-encoding: chunked;q=1",
        "transfer-encoding:",
        "transfer-encoding : chunked",
        "transfer-encoding\t: chunked",
        "transfer-encoding:\u{b}chunked",
        "transfer-encoding: chunked\0",
        " transfer-encoding: chunked",
        "a: b\r\n\ttransfer-encoding: chunked",
        "a: b\rtransfer-encoding: chunked",
        "content-length: 5, 5",
        "content-length: 0x5",
        "content-length: 5 ;",
        "content-length: 99999999999999999999",
        "content-length:",
        "content-length\r\n: 5",
        ": 5",
        "a b: 5",
    ];
    let coded = codings
        .iter()
        .map(|line| (format!("POST /livez HTTP/1.1\r\n{host}{line}\r\n\r\n0\r\n\r\n{smuggled}"), "400"));
    let chunks =
        ["5\nhello\r\n0", "0;a\nb", "-0", "+0", "0x0", " 0", "fffffffffffffffff", "5\r\nhello!\r\n0"];
    let chunks = chunks.iter().map(|chunk| {
        (format!("POST /livez HTTP/1.1\r\n{host}{chunked}\r\n{chunk}\r\n\r\n{smuggled}"), "405")
    });
    let lines = [
        "GET\t/livez HTTP/1.1",
        "GET /livez\tHTTP/1.1",
        "GET /livez HTTP/1.1 ",
        "GET /li vez HTTP/1.1",
        "GET /livez\0 HTTP/1.1",
        "GET /livez HTTP/1.1\rx: y",
        "GET /livez http/1.1",
        "GET /livez HTTP/1.10",
        "GET /livez",
        "G(T /livez HTTP/1.1",
        "PRI * HTTP/2.0",
    ];
    let lines = lines.iter().map(|line| (format!("{line}\r\n{host}\r\n{smuggled}"), "400"));
    let table = table.into_iter().chain(coded).chain(chunks).chain(lines);
    for (bytes, status) in table {
        for address in [server.operator_address(), server.public()] {
            let expected = if address == server.public() && status == "405" { "404" } else { status };
            let heard = Raw::until_closed(address, &bytes);
            assert_eq!(statuses(&heard), [expected], "{bytes:?}: {heard:?}");
        }
    }
}

/// RFC 9112 section 2.2 lets a reader take a line feed alone for the end of a line, which the HTTP library does everywhere in
/// a head and nowhere in a body. So a head is never longer for us than for a reader who does not.
#[test]
fn a_line_feed_alone_ends_a_line_of_a_head() {
    let server = start(&[]);
    let get = "GET /livez HTTP/1.1\nhost: x\nconnection: close\n\n";
    let hidden = "GET /livez HTTP/1.1\r\nhost: x\r\na: b\nconnection: close\r\n\r\nGET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    for bytes in [get, hidden] {
        assert_eq!(statuses(&Raw::until_closed(server.operator_address(), bytes)), ["200"], "{bytes:?}");
    }
}

#[test]
fn what_is_too_long_is_refused_with_its_own_status() {
    let server = start(&[]);
    let address = server.operator_address();
    let head = format!("GET /livez HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "a".repeat(70_000));
    assert_eq!(statuses(&Raw::until_closed(address, head)), ["431"]);
    let many = format!("GET /livez HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(200));
    assert_eq!(statuses(&Raw::until_closed(address, many)), ["431"]);
    let endless = format!("GET /livez HTTP/1.1\r\nhost: x\r\n{}", "a".repeat(200_000));
    assert_eq!(statuses(&Raw::until_closed(address, endless)), ["431"]);
}

#[test]
fn older_and_bolder_callers_are_served() {
    let server = start(&[]);
    let address = server.operator_address();
    let old = Raw::until_closed(address, "GET /livez HTTP/1.0\r\n\r\n");
    assert_eq!(statuses(&old), ["200"]);
    let piped = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3)
        + "GET /nope HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert_eq!(statuses(&Raw::until_closed(address, piped)), ["200", "200", "200", "404"]);
}

fn post(server: &Server, more: &str) -> String {
    format!(
        "POST /v1/workspaces HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-type: application/json\r\n{more}",
        server.operator_key()
    )
}

#[test]
fn bodies_come_in_chunks_and_after_a_word_of_welcome() {
    let server = start(&[]);
    let address = server.operator_address();
    let body = r#"{"dialect":"native","name":"a"}"#;
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let (one, two) = body.split_at(10);
    let chunked = post(&server, "transfer-encoding: chunked\r\n\r\n");
    let whole = format!("{chunked}{}{}0\r\n\r\n", chunk(one), chunk(two));
    assert_eq!(statuses(&Raw::until_closed(address, whole)), ["201"]);
    let broken = Raw::until_closed(address, format!("{chunked}zz\r\n{body}\r\n0\r\n\r\n"));
    assert_eq!(statuses(&broken), ["400"], "{broken}");

    let expecting = format!("expect: 100-continue\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut raw = Raw::connect(address);
    raw.send(post(&server, &expecting));
    raw.listen_until("100 Continue", b"", |raw| raw.text().contains("HTTP/1.1 100 "));
    raw.send(body);
    raw.listen_until("the answer", b"", |raw| raw.closed);
    assert_eq!(statuses(&raw.text()), ["100", "201"]);
    let stranger = post(&server, &expecting).replace(server.operator_key(), "wrong");
    assert_eq!(statuses(&Raw::until_closed(address, stranger)), ["401"], "nobody waits for its body");
}

#[test]
fn browsers_of_other_origins_get_no_permission() {
    let server = start(&[]);
    let mut operator = server.operator();
    let workspace = operator.create_workspace(&json!({"dialect": "sigmamind", "name": "a"})).unwrap();
    let key = operator.create_credential(&workspace).unwrap();
    let bearer = format!("Bearer {}", server.operator_key());
    let calls = [
        (server.operator_address(), "/v1/workspaces", "authorization", bearer.as_str()),
        (server.operator_address(), "/livez", "x-none", "x"),
        (server.public(), "/v1/webhooks", "x-api-key", &key),
    ];
    for (address, path, name, value) in calls {
        let mut client = HttpClient::new(address, PATIENCE);
        for method in ["OPTIONS", "GET"] {
            let asked = Request::new(method, path)
                .header(name, value)
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "POST");
            let answer = client.send(&asked).unwrap();
            assert_eq!(answer.status, if method == "GET" { 200 } else { 405 }, "{method} {path}");
            let granted = answer.headers.iter().any(|(name, _)| name.starts_with("access-control"));
            assert!(!granted, "{:?}", answer.headers);
        }
    }
}

/// Whoever is refused before it has sent its body can send it to the end and then finds the answer: closing at once would
/// break its writing, and could destroy the answer on its way.
#[test]
fn a_caller_that_is_refused_early_can_finish_its_body() {
    let server = start(&[]);
    let body = "x".repeat(12 * 1024 * 1024);
    let json = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    let bearer = format!("authorization: Bearer {}\r\n", server.operator_key());
    for (who, expected) in [(bearer.as_str(), "413"), ("", "401")] {
        let head = format!("POST /v1/workspaces HTTP/1.1\r\nhost: x\r\n{who}{json}\r\n");
        let mut raw = Raw::connect(server.operator_address());
        raw.send(format!("{head}{body}"));
        assert!(!raw.closed, "the caller was cut off while it sent its body");
        raw.listen_until("the answer and the end", b"", |raw| raw.closed);
        assert_eq!(statuses(&raw.text()), [expected]);
    }
}

/// Far beyond what a refused caller is still listened to.
#[test]
fn a_refused_caller_is_not_heard_for_ever() {
    let server = start(&[]);
    let head = "POST /v1/workspaces HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut raw = Raw::connect(server.operator_address());
    raw.send(head);
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
    let sent = (0..256).take_while(|_| {
        raw.send(&chunk);
        !raw.closed
    });
    let mib = sent.count();
    assert!((32..256).contains(&mib), "cut off after {mib} MiB");
}
