//! Events as producers publish them, in workspaces of every dialect: alone, as a JSON array, as lines.
//!
//! One event says the same alone as in a batch, and what is accepted can be read back.

use std::cell::RefCell;

use http::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::dialect::{check, check_unchanged};
use crate::Target;
use crate::feed::Feed;
use crate::server::{Answer, Changed, Server, Setup, Side};

const BYTES_MAX: usize = 4_096;

/// Where events go below those of a workspace, and the content type.
type Form = (&'static str, &'static str);
const ALONE: Form = ("", "application/json");
const JSON: Form = ("/batch", "application/json");
const LINES: Form = ("/batch", "application/x-ndjson");

pub(super) fn target(setups: Vec<Setup>) -> Target {
    let kept: Vec<RefCell<Option<Server>>> = setups.iter().map(|_| RefCell::new(None)).collect();
    let about =
        "no 5xx, all or nothing, an event alone and in a batch are judged alike, data returns byte for byte";
    Target::new("publish", about, BYTES_MAX, move |input| {
        let mut feed = Feed::new(input);
        let (place, form) = (feed.below(setups.len()), feed.below(3));
        let (setup, kept) = (&setups[place], &kept[place]);
        let body = feed.rest();
        match form {
            0 => {
                let accepted = on_server(setup, kept, |server| alone(setup, server, body));
                let batch = [b"[", body, b"]"].concat();
                let in_batch =
                    on_server(setup, kept, |server| publish(setup, server, JSON, &batch).is_some());
                // A comma makes several events of one text.
                let one = serde_json::from_slice::<Vec<IgnoredAny>>(&batch).is_ok_and(|all| all.len() == 1);
                assert!(!one || in_batch == accepted, "alone {accepted}, in a batch {in_batch}");
            }
            1 => {
                on_server(setup, kept, |server| publish(setup, server, JSON, body).is_some());
            }
            _ => {
                on_server(setup, kept, |server| publish(setup, server, LINES, body).is_some());
            }
        }
    })
}

/// Publishes on the kept server, which is set up again once enough was accepted. Whether it was accepted.
fn on_server(setup: &Setup, kept: &RefCell<Option<Server>>, publish: impl FnOnce(&Server) -> bool) -> bool {
    let server = kept.take().unwrap_or_else(|| Server::new(setup));
    let accepted = publish(&server);
    if server.goes_on(if accepted { Changed::Yes } else { Changed::No }) {
        kept.replace(Some(server));
    }
    accepted
}

/// Publishes one event and reads it back. Whether it was accepted.
fn alone(setup: &Setup, server: &Server, body: &[u8]) -> bool {
    let Some(answer) = publish(setup, server, ALONE, body) else { return false };
    let made = answer.json().unwrap_or_default();
    let id = made["id"].as_str().unwrap_or_else(|| panic!("no id: {}", answer.text()));
    // A producer's id may have a slash, which separates nothing when it is escaped (RFC 3986 section 3.3).
    let id = id.replace('/', "%2F");
    let read = operator(server, &format!("GET /v1/workspaces/{{workspace}}/events/{id}"), b"");
    assert!(read.status.is_success(), "{}", read.text());
    assert_eq!(data_of(&read.body), data_of(body), "the data is not what was published");
    true
}

/// The bytes of an event's data, as they stand in a request or an answer.
fn data_of(event: &[u8]) -> String {
    let event: WithData<'_> = serde_json::from_slice(event).expect("an event in JSON");
    event.data.map_or_else(|| "null".to_owned(), |data| data.get().to_owned())
}

#[derive(Deserialize)]
struct WithData<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// The answer when the events were accepted.
fn publish(setup: &Setup, server: &Server, (path, kind): Form, body: &[u8]) -> Option<Answer> {
    let before = server.snapshot();
    let head = format!("POST /v1/workspaces/{{workspace}}/events{path}\ncontent-type: {kind}");
    let answer = operator(server, &head, body);
    check(setup, &Method::POST, &answer);
    if answer.status.is_success() {
        return Some(answer);
    }
    check_unchanged(&before, server, &answer);
    None
}

/// A request to the operator's side, whose body is not looked into for names.
fn operator(server: &Server, head: &str, body: &[u8]) -> Answer {
    let request = crate::http_text::request(head.as_bytes(), &server.values, &mut |_| ()).expect("a request");
    server.call(Side::Operator, request.map(|_| body.to_vec().into()))
}
