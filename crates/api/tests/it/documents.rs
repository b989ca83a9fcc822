//! The documents of what is served: in step with the committed copies, with the routes, and with the answers.

use std::path::PathBuf;

use http::Method;
use serde_json::Value;

use crate::app::App;

/// Set by `cargo xtask openapi`, which writes the committed copies anew.
const WRITE: &str = "SIGNALPOST_WRITE_DOCUMENTS";

#[test]
fn committed_copies_are_what_is_served() {
    let app = App::new();
    for (path, copy) in [("/openapi.json", "native.json"), ("/openapi/sigmamind.json", "sigmamind.json")] {
        let served = app.operator_stranger(Method::GET, path).send();
        assert_eq!(served.expect(200).header("content-type"), "application/json");
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi").join(copy);
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&file, &served.body).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == served.text(),
            "docs/openapi/{copy} is not what is served; run `cargo xtask openapi`"
        );
    }
}

fn document(app: &App, path: &str) -> Value {
    app.operator_stranger(Method::GET, path).send().expect(200).json()
}

/// Every operation as its method, its path with ids filled in, and its words.
fn calls(document: &Value) -> Vec<(Method, String, Value)> {
    let mut calls = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
            let path = path.replace(['{', '}'], "");
            calls.push((method, path, operation.clone()));
        }
    }
    calls
}

#[test]
fn every_call_says_all_of_itself() {
    let app = App::new();
    for path in ["/openapi.json", "/openapi/sigmamind.json"] {
        let document = document(&app, path);
        let mut ids = Vec::new();
        for (method, path, operation) in calls(&document) {
            let what = format!("{method} {path}");
            ids.push(operation["operationId"].as_str().unwrap().to_owned());
            for word in ["operationId", "summary"] {
                assert!(
                    operation[word].as_str().is_some_and(|text| !text.is_empty()),
                    "{what} has no {word}"
                );
            }
            assert!(operation["tags"][0].as_str().is_some_and(|tag| !tag.is_empty()), "{what}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{what} has no success");
            let secured = operation["security"].as_array().unwrap().len() == 1;
            assert_eq!(secured, responses.contains_key("401"), "{what}");
            assert_eq!(
                operation.get("requestBody").is_some(),
                responses.contains_key("400") && method != Method::GET
            );
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "operation ids are unique");
    }
}

#[test]
fn what_is_secured_in_the_document_is_secured() {
    let app = App::new();
    for (method, path, operation) in calls(&document(&app, "/openapi.json")) {
        let answer = app.operator_stranger(method.clone(), &path).send();
        let open = operation["security"].as_array().unwrap().is_empty();
        assert_eq!(answer.status == 401, !open, "{method} {path}: {}", answer.text());
    }
    for (method, path, _) in calls(&document(&app, "/openapi/sigmamind.json")) {
        app.public(method, &path).send().expect(401);
    }
}

#[test]
fn documents_that_do_not_exist_are_not_found() {
    let app = App::new();
    for path in [
        "/openapi/native.json",
        "/openapi/nonsense.json",
        "/openapi/sigmamind",
        "/openapi/",
        "/openapi.json/",
    ] {
        app.operator_stranger(Method::GET, path).send().expect(404);
    }
    app.public(Method::GET, "/openapi.json").send().expect(404);
}
