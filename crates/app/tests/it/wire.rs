//! What a publisher and a customer can bring onto the wire towards a receiver: whatever they say, and wherever they say it,
//! each delivery is one request, with the headers of its dialect and those that were permitted.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Operator, Request, Server, wait_for};

use crate::{PATIENCE, start};

/// Everything that came, connection by connection, in bytes. Answers what a strict reader takes for a whole request.
struct Sink {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let for_thread = Arc::clone(&heard);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let heard = Arc::clone(&for_thread);
                let number = {
                    let mut all = heard.lock().unwrap();
                    all.push(Vec::new());
                    all.len() - 1
                };
                std::thread::spawn(move || listen(stream.unwrap(), &heard, number));
            }
        });
        Self { address, heard }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests that are whole, and the bytes behind them on connections where one may be under way.
    fn heard(&self) -> (Vec<Strict>, Vec<Vec<u8>>) {
        let heard = self.heard.lock().unwrap().clone();
        let (mut requests, mut rests) = (Vec::new(), Vec::new());
        for bytes in &heard {
            let mut rest = &bytes[..];
            while let Some((request, length)) = Strict::first_of(rest) {
                requests.push(request);
                rest = &rest[length..];
            }
            if !rest.is_empty() {
                rests.push(rest.to_vec());
            }
        }
        (requests, rests)
    }

    /// All requests, once there are as many and none is under way.
    fn wait_for(&self, count: usize) -> Vec<Strict> {
        let is_heard = || {
            let (requests, rests) = self.heard();
            requests.len() >= count && rests.is_empty()
        };
        wait_for(&format!("{count} requests"), PATIENCE, is_heard)
            .unwrap_or_else(|error| panic!("{error}; bytes that are no request: {:?}", self.heard().1));
        self.heard().0
    }
}

fn listen(mut stream: TcpStream, heard: &Mutex<Vec<Vec<u8>>>, number: usize) {
    let (mut chunk, mut answered) = ([0; 4096], 0);
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        let whole = {
            let mut all = heard.lock().unwrap();
            all[number].extend_from_slice(&chunk[..count]);
            Strict::first_of(&all[number][answered..]).map(|(_, length)| length)
        };
        let Some(length) = whole else { continue };
        answered += length;
        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

struct Strict {
    target: String,
    /// In the order of arrival.
    names: Vec<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Strict {
    /// The first request of these bytes and its length, `None` when it is not whole. Panics at what two readers could take
    /// in two ways.
    fn first_of(bytes: &[u8]) -> Option<(Self, usize)> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of text");
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let words: Vec<&str> = first.split(' ').collect();
        assert!(words.len() == 3 && words[0] == "POST" && words[2] == "HTTP/1.1", "{first:?}");
        assert!(words[1].bytes().all(|byte| byte.is_ascii_graphic()), "{first:?}");
        let headers: Vec<(String, String)> = lines
            .map(|line| {
                assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
                let (name, value) = line.split_once(": ").expect("a name and a value");
                assert!(!name.contains([' ', '\t']), "{line:?}");
                (name.to_lowercase(), value.to_owned())
            })
            .collect();
        let values = |name: &str| -> Vec<&String> {
            headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect()
        };
        assert!(values("transfer-encoding").is_empty() && values("host").len() == 1, "{head:?}");
        let lengths = values("content-length");
        assert_eq!(lengths.len(), 1, "{head:?}");
        let length = lengths[0].parse::<usize>().unwrap();
        let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
        let names = headers.iter().map(|(name, _)| name.clone()).collect();
        Some((Self { target: words[1].to_owned(), names, headers, body }, end + 4 + length))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }
}

/// What is meant to become more than it is.
fn hostile() -> Vec<String> {
    let request = "\r\n\r\nPOST /smuggled HTTP/1.1\r\nhost: evil\r\ncontent-length: 0\r\n\r\n";
    [
        "a\r\nhost: evil",
        "a\r\n folded: x",
        "a\nhost: evil",
        "a\rhost: evil",
        "a\0b",
        request,
        "a b",
        "a: b",
        "a\tb",
        "a\u{85}b",
        "a\u{2028}b",
        "\u{10d}\u{10a}host: evil",
        "é",
        "a,b",
        "a;b=\"c\"",
        "\"a\\r\\nb\"",
        "%0d%0ahost: evil",
        "../../x?y#z",
        "chunked",
        "${signature}",
        "",
        " ",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(["x".repeat(5_000)])
    .collect()
}

/// How a call was answered, where only a refusal of the caller's words or an acceptance will do.
fn accepted(operator: &mut Operator, path: &str, body: &Value) -> bool {
    let answer = operator.send(Request::new("POST", path).json(body)).unwrap();
    assert!(matches!(answer.status, 201 | 202 | 400 | 422), "{body}: {}", answer.text());
    answer.status < 300
}

#[test]
fn no_word_of_a_publisher_leaves_its_place() {
    let server = start(&[]);
    let (mut operator, sink) = (server.operator(), Sink::start());
    let workspace = operator.create_workspace(&json!({"dialect": "native", "name": "a"})).unwrap();
    operator.create_webhook(&workspace, &json!({"url": sink.url("/native")})).unwrap();
    let path = format!("/v1/workspaces/{workspace}/events");
    let mut sent = Vec::new();
    for text in hostile() {
        for (place, refused) in [("type", true), ("id", true), ("subject", false), ("data", false)] {
            let mut event = json!({"type": "a.b", "data": 1});
            event[place] = json!(text);
            if accepted(&mut operator, &path, &event) {
                let harmless = text.chars().all(|c| !c.is_control()) || place == "data";
                assert!(harmless, "{place} {text:?} was taken");
                let word = !text.contains([' ', ',', ';', '"', '%', '?', '$', 'é']) && text.is_ascii();
                assert!(!refused || word, "{place} {text:?} was taken");
                sent.push(event);
            }
        }
    }
    assert!(sent.len() >= hostile().len(), "data may be anything");
    let requests = sink.wait_for(sent.len());
    assert_eq!(requests.len(), sent.len(), "one request for each event");
    let names = [
        "host",
        "content-type",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "content-length",
    ];
    for request in &requests {
        assert_eq!((request.target.as_str(), &request.names[..]), ("/native", &names.map(str::to_owned)[..]));
        let body = request.json();
        let told = sent.iter().any(|event| event["data"] == body["data"] && event["type"] == body["type"]);
        assert!(told, "{body}");
    }
}

/// A dialect with words of the event in headers of its own.
#[test]
fn nor_does_one_where_a_dialect_has_it_in_headers() {
    let server = start(&[]);
    let (mut operator, sink) = (server.operator(), Sink::start());
    let workspace = operator.create_workspace(&json!({"dialect": "opentrain", "name": "a"})).unwrap();
    let token = operator.create_credential(&workspace).unwrap();
    let webhook = json!({"url": sink.url("/dialect"), "eventTypes": ["proposal.received"]});
    let create = Request::new("POST", "/api/public/v1/webhooks").json(&webhook);
    let create = create.header("authorization", &format!("Bearer {token}"));
    assert_eq!(HttpClient::new(server.public(), PATIENCE).send(&create).unwrap().status, 201);
    let path = format!("/v1/workspaces/{workspace}/events");
    let mut sent = 0;
    for text in hostile() {
        for place in ["type", "id", "subject", "resourceId", "jobId", "proposalId"] {
            let data = json!({"proposalId": "p", "jobId": "j"});
            let mut event = json!({"type": "proposal.received", "resourceId": "r", "data": data});
            match place {
                "proposalId" => event["data"][place] = json!(text),
                _ => event[place] = json!(text),
            }
            sent += usize::from(accepted(&mut operator, &path, &event));
        }
    }
    assert!(sent >= hostile().len(), "{sent}");
    let requests = sink.wait_for(sent);
    assert_eq!(requests.len(), sent, "one request for each event");
    for request in &requests {
        assert_eq!((request.target.as_str(), &request.names), ("/dialect", &requests[0].names));
        let event = request.headers.iter().find(|(name, _)| name.ends_with("-event"));
        assert_eq!(event.map(|(_, value)| value.as_str()), Some("proposal.received"));
    }
}

#[test]
fn no_word_of_a_customer_leaves_its_place() {
    let server = start(&[]);
    let (mut operator, sink) = (server.operator(), Sink::start());
    let workspace = operator.create_workspace(&json!({"dialect": "native", "name": "a"})).unwrap();
    let path = format!("/v1/workspaces/{workspace}/webhooks");
    let (mut made, mut refused) = (0, 0);
    let mut make = |operator: &mut Operator, webhook: Value| match accepted(operator, &path, &webhook) {
        true => made += 1,
        false => refused += 1,
    };
    for text in hostile() {
        make(&mut operator, json!({"url": sink.url("/value"), "headers": {"x-note": text}}));
        make(&mut operator, json!({"url": sink.url("/name"), "headers": {text.as_str(): "x"}}));
        make(&mut operator, json!({"url": sink.url(&format!("/path/{text}"))}));
        make(&mut operator, json!({"url": sink.url(&format!("/path?{text}"))}));
        make(
            &mut operator,
            json!({"url": sink.url("/login"), "basic_auth": {"username": text, "password": text}}),
        );
    }
    assert!(made >= 20 && refused >= 40, "{made} made, {refused} refused");
    operator.publish(&workspace, &json!({"type": "a.b", "data": 1})).unwrap();
    let requests = sink.wait_for(made);
    assert_eq!(requests.len(), made, "one request for each webhook");
    for request in &requests {
        let more = match request.target.as_str() {
            "/value" | "/name" | "/login" => 1,
            target if target.starts_with("/path") || target == "/x?y" => 0,
            target => panic!("{target} is nobody's"),
        };
        assert_eq!(request.names.len(), 7 + more, "{}: {:?}", request.target, request.names);
    }
    assert_server_is_well(&server);
}

fn assert_server_is_well(server: &Server) {
    let answer = HttpClient::new(server.operator_address(), PATIENCE).send(&Request::new("GET", "/readyz"));
    assert_eq!(answer.unwrap().status, 200);
}
