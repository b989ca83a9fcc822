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
use crate::server::{Answer, Server, Setup, Side};

const BYTES_MAX: usize = 4_096;

pub(super) fn target(setups: Vec<Setup>) -> Target {
    let kept: Vec<RefCell<Option<Server>>> = setups.iter().map(|_| RefCell::new(None)).collect();
    let about =
        "no 5xx, all or nothing, an event alone and in a batch are judged alike, data returns byte for byte";
    Target::new("publish", about, BYTES_MAX, move |input| {
        let mut feed = Feed::new(input);
        let (place, form) = (feed.below(setups.len()), feed.below(3));
        let (setup, kept) = (&setups[place], &kept[place]);
        let take = || kept.take().unwrap_or_else(|| Server::new(setup));
        let body = feed.rest();
        let server = take();
        let accepted = match form {
            0 => alone(setup, &server, body),
            1 => publish(setup, &server, "/batch", "application/json", body).is_some(),
            _ => publish(setup, &server, "/batch", "application/x-ndjson", body).is_some(),
        };
        if !accepted {
            kept.replace(Some(server));
        }
        if form == 0 {
            let fresh = take();
            let batch = [b"[", body, b"]"].concat();
            let as_batch = publish(setup, &fresh, "/batch", "application/json", &batch).is_some();
            // A comma makes several events of one text.
            let one = serde_json::from_slice::<Vec<IgnoredAny>>(&batch).is_ok_and(|events| events.len() == 1);
            assert!(!one || as_batch == accepted, "alone {accepted}, in a batch {as_batch}");
            if !as_batch {
                kept.replace(Some(fresh));
            }
        }
        if let Some(server) = kept.borrow().as_ref() {
            server.rest();
        }
    })
}

/// Publishes one event and reads it back. Whether it was accepted.
fn alone(setup: &Setup, server: &Server, body: &[u8]) -> bool {
    let Some(answer) = publish(setup, server, "", "application/json", body) else { return false };
    let made = answer.json().unwrap_or_default();
    let id = made["id"].as_str().unwrap_or_else(|| panic!("no id: {}", answer.text()));
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
fn publish(setup: &Setup, server: &Server, path: &str, kind: &str, body: &[u8]) -> Option<Answer> {
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
