//! A server that writes down everything, and callers of whose answers every word is kept.

use serde_json::Value;
use signalpost_testkit::{HttpClient, Request, Response, Server};

use super::book::Book;
use crate::{PATIENCE, options};

pub(super) const OPERATOR_KEY: &str = "canary-operator-key-7d1f0a93c2";

pub(super) struct House {
    pub(super) server: Server,
    pub(super) book: Book,
}

impl House {
    pub(super) fn open() -> Self {
        let mut options = options(&["--log", "trace"]);
        options.environment.push(("SIGNALPOST_OPERATOR_KEY".to_owned(), OPERATOR_KEY.to_owned()));
        let mut house = Self { server: Server::start(options, PATIENCE).unwrap(), book: Book::default() };
        house.book.plant("operator key", OPERATOR_KEY);
        house
    }

    /// A call of the operator's side; the answer is told in `place`.
    pub(super) fn operator(
        &mut self,
        place: &'static str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Response {
        let request = Request::new(method, path).header("authorization", &format!("Bearer {OPERATOR_KEY}"));
        self.send_operator(place, if body.is_null() { request } else { request.json(body) })
    }

    pub(super) fn send_operator(&mut self, place: &'static str, request: Request) -> Response {
        let client = HttpClient::new(self.server.operator_address(), PATIENCE);
        self.send(place, client, &request)
    }

    pub(super) fn send_public(&mut self, place: &'static str, request: Request) -> Response {
        let client = HttpClient::new(self.server.public(), PATIENCE);
        self.send(place, client, &request)
    }

    fn send(&mut self, place: &'static str, mut client: HttpClient, request: &Request) -> Response {
        let answer = client.send(request).unwrap();
        self.book.say(place, format!("{} {:?}\n", answer.status, answer.headers));
        self.book.say(place, &answer.body);
        answer
    }
}

/// The text at a pointer of a successful answer.
#[track_caller]
pub(super) fn text_at(answer: &Response, pointer: &str) -> String {
    assert!((200..300).contains(&answer.status), "{} {}", answer.status, answer.text());
    let found = answer.json().pointer(pointer).cloned().unwrap_or_default();
    found.as_str().map_or_else(|| found.to_string(), str::to_owned)
}
