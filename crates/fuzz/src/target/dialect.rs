//! Requests of a customer, or of the operator: up to four of them, as text.
//!
//! No answer is a 5xx, refusals have the dialect's own form and change nothing, lists can be read after every change, and
//! a call with an idempotency key gets the same answer again.

use std::cell::RefCell;

use http::Method;
use http::header::HeaderName;
use signalpost_api::Dialect;
use signalpost_store::testing::snapshot::Snapshot;

use crate::Target;
use crate::feed::parts;
use crate::http_text::request;
use crate::server::{Answer, Changed, Server, Setup, Side};

/// Requests of one input.
const REQUESTS: usize = 4;
/// Longest input, in bytes: room for several requests with bodies that are not large.
const BYTES_MAX: usize = 4_096;
/// Pointers into problem details (RFC 9457), which refuse what belongs to no dialect.
const PROBLEM: [&str; 5] = ["/type", "/title", "/status", "/detail", "/code"];

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(super) fn target(dialect: &Dialect) -> Target {
    let setup = Setup::read(dialect);
    let kept = RefCell::new(None);
    let about = "no 5xx, refusals in their form change nothing, what was stored can be listed";
    Target::new(dialect.name.clone(), about, BYTES_MAX, move |input| {
        // Taken, so that nobody goes on with a server in the middle of which something panicked.
        let server = kept.take().unwrap_or_else(|| Server::new(&setup));
        let changed = run(&setup, &server, input);
        if server.goes_on(changed) {
            kept.replace(Some(server));
        }
    })
}

fn run(setup: &Setup, server: &Server, input: &[u8]) -> Changed {
    let mut changed = Changed::No;
    let texts: [&[u8]; REQUESTS] = parts(input);
    for text in texts.into_iter().filter(|text| !text.is_empty()) {
        let before = server.snapshot();
        let Some((method, answer)) = server.ask(text) else { continue };
        check(setup, &method, &answer);
        if !answer.status.is_success() {
            check_unchanged(&before, server, &answer);
        } else if !matches!(method, Method::GET | Method::HEAD) {
            changed = Changed::Yes;
            check_again(setup, server, text, &answer);
            check_lists(setup, server);
        }
    }
    changed
}

/// What holds for every answer.
pub(super) fn check(setup: &Setup, method: &Method, answer: &Answer) {
    let status = answer.status.as_u16();
    let text = || answer.text();
    assert!((200..300).contains(&status) || (400..500).contains(&status), "{}", text());
    let json = if answer.body.is_empty() { None } else { answer.json() };
    if status < 400 || method == Method::HEAD {
        assert!(status != 204 || answer.body.is_empty(), "{}", text());
        return;
    }
    let json = json.unwrap_or_else(|| panic!("a refusal without JSON: {}", text()));
    let has = |pointers: &[&str]| pointers.iter().all(|pointer| json.pointer(pointer).is_some());
    let own: Vec<&str> = setup.refusal.iter().map(String::as_str).collect();
    assert!(has(&own) || has(&PROBLEM), "a refusal of an unknown form: {}", text());
    assert!(!String::from_utf8_lossy(&answer.body).contains("panicked"), "{}", text());
}

pub(super) fn check_unchanged(before: &Snapshot, server: &Server, answer: &Answer) {
    let difference = before.difference(&server.snapshot());
    assert!(difference.is_none(), "{}\nand yet it changed {}", answer.text(), difference.unwrap_or_default());
}

/// An operator's call with a key is answered as it was the first time.
fn check_again(setup: &Setup, server: &Server, text: &[u8], first: &Answer) {
    let Some(request) = request(text, &server.values, &mut |_| ()) else { return };
    let has_key = request.headers().contains_key(&IDEMPOTENCY_KEY);
    if setup.side == Side::Public || request.method() != Method::POST || !has_key {
        return;
    }
    let again = server.call(setup.side, request);
    assert_eq!((first.status, &first.body), (again.status, &again.body), "another answer to the same call");
}

/// Whatever was stored can be shown, unless the change took the right to see it.
fn check_lists(setup: &Setup, server: &Server) {
    for path in &setup.lists {
        let whole = path.strip_suffix("cursor=").unwrap_or(path);
        let Some((method, answer)) = server.ask(format!("GET {whole}").as_bytes()) else { continue };
        check(setup, &method, &answer);
        let is_gone = matches!(answer.status.as_u16(), 401 | 403 | 404);
        assert!(answer.status.is_success() || is_gone, "{whole}: {}", answer.text());
    }
}

#[cfg(test)]
mod tests {
    use signalpost_api::built_in_dialects;

    use super::*;

    /// Else all that a fuzzer saw were refusals.
    #[test]
    fn callers_are_known_from_the_first_input_of_a_server_to_its_last() {
        for setup in built_in_dialects().iter().map(Setup::read) {
            let server = Server::new(&setup);
            let mut inputs = 0;
            loop {
                for path in setup.lists.iter().map(|path| path.strip_suffix("cursor=").unwrap_or(path)) {
                    let (_, answer) = server.ask(format!("GET {path}").as_bytes()).expect("a request");
                    assert!(answer.status.is_success(), "input {inputs}: {path}: {}", answer.text());
                }
                inputs += 1;
                if !server.goes_on(Changed::No) {
                    break;
                }
            }
            assert!(inputs > 1 && !setup.lists.is_empty());
        }
    }
}
