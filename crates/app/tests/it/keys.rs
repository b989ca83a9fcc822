//! Operator keys and idempotency keys with the real binary: its commands, twenty callers at once, and a kill between
//! a call and its repetition.

use std::process::{Command, Output};
use std::sync::Barrier;

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Request, Response, Server};

use crate::{PATIENCE, start};

/// Runs `signalpost keys …` against a server, as its operator.
fn keys(server: &Server, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_signalpost"))
        .arg("keys")
        .args(arguments)
        .args(["--operator", &server.operator_address().to_string()])
        .env("SIGNALPOST_OPERATOR_KEY", server.operator_key())
        .output()
        .unwrap()
}

#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn printed_json(output: &Output) -> Value {
    serde_json::from_str(&printed(output)).unwrap()
}

/// The status of a call with a key.
fn status(server: &Server, key: &str, request: Request) -> u16 {
    let request = request.header("authorization", &format!("Bearer {key}"));
    HttpClient::new(server.operator_address(), PATIENCE).send(&request).unwrap().status
}

#[test]
fn keys_are_made_listed_rotated_and_revoked_from_the_command_line() {
    let server = start(&[]);
    let workspace = server.operator().create_workspace(&json!({"dialect": "native", "name": "A"})).unwrap();
    let new = ["create", "--scope", "read", "--workspace", &workspace, "--name", "a b", "--json"];
    let made = printed_json(&keys(&server, &new));
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let list = || Request::new("GET", &format!("/v1/workspaces/{workspace}/events"));
    assert_eq!(status(&server, secret, list()), 200);
    assert_eq!(status(&server, secret, Request::new("POST", "/v1/keys").json(&json!({}))), 403);

    let listed = printed(&keys(&server, &["list"]));
    assert!(listed.contains(id) && listed.contains("read") && listed.contains(&workspace), "{listed}");
    assert!(!listed.contains(secret));
    assert_eq!(printed_json(&keys(&server, &["list", "--workspace", &workspace, "--json"]))[0]["id"], *id);

    let rotated = printed_json(&keys(&server, &["rotate", id, "--overlap-s", "0", "--json"]));
    let next = rotated["secret"].as_str().unwrap();
    assert_eq!((status(&server, secret, list()), status(&server, next, list())), (401, 200));
    let next_id = rotated["id"].as_str().unwrap();
    assert!(printed(&keys(&server, &["revoke", next_id])).contains("is revoked"));
    assert_eq!(status(&server, next, list()), 401);

    for (arguments, words) in [
        (&["revoke", next_id][..], "no such operator key"),
        (&["create", "--scope", "root"], "must be one of publish, read, admin"),
        (&["revoke", "../workspaces"], "no such operator key"),
    ] {
        let refused = keys(&server, arguments);
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && message.contains(words), "{message}");
    }
}

/// One call under an idempotency key.
fn call(server: &Server, path: &str, body: &Value) -> Response {
    let request = Request::new("POST", path)
        .json(body)
        .header("authorization", &format!("Bearer {}", server.operator_key()))
        .header("idempotency-key", "one-key");
    HttpClient::new(server.operator_address(), PATIENCE).send(&request).unwrap()
}

#[test]
fn twenty_callers_with_one_key_have_one_effect_and_one_answer_and_a_kill_changes_nothing() {
    let mut server = start(&[]);
    let workspace = server.operator().create_workspace(&json!({"dialect": "native", "name": "A"})).unwrap();
    let table = [
        (format!("/v1/workspaces/{workspace}/events"), json!({"type": "a", "data": 1}), 202),
        (format!("/v1/workspaces/{workspace}/webhooks"), json!({"url": "https://example.com"}), 201),
        ("/v1/keys".to_owned(), json!({"scopes": ["read"]}), 201),
    ];
    for (path, body, expected) in &table {
        let together = Barrier::new(20);
        let answers: Vec<Response> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..20)
                .map(|_| {
                    scope.spawn(|| {
                        together.wait();
                        call(&server, path, body)
                    })
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        let first = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_none());
        assert_eq!(first.count(), 1, "{path}");
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (*expected, &answers[0].body), "{}", answer.text());
        }
        let list = server.operator().get(path).unwrap();
        assert_eq!(list["data"].as_array().unwrap().len(), 1, "{path}");

        server.kill().unwrap();
        server.launch().unwrap();
        server.wait_ready(PATIENCE).unwrap();
        let again = call(&server, path, body);
        assert_eq!((again.status, &again.body), (*expected, &answers[0].body));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }
}
