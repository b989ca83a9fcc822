//! The documents of what is served: in step with the committed copies, with the routes, and with the answers.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use signalpost_api::dialect::sigmamind::Instance;
use signalpost_core::error::ErrorCode;

use crate::app::{Answer, App};

/// Set by `cargo xtask openapi`, which writes the committed copies anew.
const WRITE: &str = "SIGNALPOST_WRITE_DOCUMENTS";

/// Every document: its path and its committed copy.
const DOCUMENTS: [(&str, &str); 5] = [
    ("/openapi.json", "native.json"),
    ("/openapi/sigmamind.json", "sigmamind.json"),
    ("/openapi/opentrain.json", "opentrain.json"),
    ("/openapi/opentrain-partner.json", "opentrain-partner.json"),
    ("/openapi/spaaza.json", "spaaza.json"),
];

#[test]
fn committed_copies_are_what_is_served() {
    let app = App::new();
    for (path, copy) in DOCUMENTS {
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
    for (path, _) in DOCUMENTS {
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
            // A login is open to everybody, and refuses wrong passwords.
            let judges = secured || operation["operationId"] == "login";
            assert_eq!(judges, responses.contains_key("401"), "{what}");
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
    for (document_path, _) in &DOCUMENTS[1..] {
        for (method, path, operation) in calls(&document(&app, document_path)) {
            let open = operation["security"].as_array().unwrap().is_empty();
            let answer = app.public(method, &path).send();
            assert_eq!(answer.status == 401, !open, "{path}: {}", answer.text());
        }
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

/// A page that needs nothing but itself, and whose links within it lead somewhere.
fn check_page(answer: &Answer) -> String {
    let page = answer.expect(200).text();
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    for foreign in ["<script", "<img", "<link", "@import", "url(", "src=", " style=", " onclick"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let (_, style) = page.split_once("<style>").unwrap();
    let hash = BASE64.encode(Sha256::digest(style.split_once("</style>").unwrap().0));
    let policy = answer.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none';") && policy.contains(&format!("style-src 'sha256-{hash}'"))
    );
    for target in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        match target.strip_prefix('#') {
            Some(id) => assert!(page.contains(&format!("id=\"{id}\"")), "nothing is called {id}"),
            None => assert!(target.starts_with("/docs") || target.starts_with("/openapi"), "{target}"),
        }
    }
    page
}

#[test]
fn pages_show_every_call_and_need_nothing_else() {
    let app = App::new();
    for (openapi, _) in DOCUMENTS {
        let page = match openapi.strip_prefix("/openapi/") {
            Some(dialect) => &format!("/docs/{}", dialect.trim_end_matches(".json")),
            None => "/docs",
        };
        let shown = check_page(&app.operator_stranger(Method::GET, page).send());
        for (method, path, operation) in calls(&document(&app, openapi)) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(shown.contains(&format!("<h3 id=\"{id}\">")), "{method} {path}");
        }
        assert!(shown.contains("curl -X POST"));
        assert!(
            shown.contains(&format!("href=\"{openapi}\"")) && shown.len() < 200_000,
            "{} bytes",
            shown.len()
        );
    }
    app.operator_stranger(Method::GET, "/docs/native").send().expect(404);
    app.public(Method::GET, "/docs").send().expect(404);
}

#[test]
fn a_problem_leads_to_the_explanation_of_its_code() {
    let app = App::new();
    let page = check_page(&app.operator_stranger(Method::GET, "/docs/errors").send());
    for code in ErrorCode::ALL {
        assert!(page.contains(&format!("<h3 id=\"{}\">", code.name())), "{}", code.name());
    }
    let problem = app.operator(Method::GET, "/v1/workspaces/nobody").send();
    let (path, code) =
        problem.text_at("/type").split_once('#').map(|(p, c)| (p.to_owned(), c.to_owned())).unwrap();
    assert_eq!((path.as_str(), code), ("/docs/errors", problem.text_at("/code")));
}

#[test]
fn an_instance_is_documented_under_its_own_names() {
    let instance = Instance {
        name: "acme".to_owned(),
        base_path: "/acme/v1".to_owned(),
        api_key_header: "X-Acme-Key".to_owned(),
        events: vec!["order.paid".to_owned()],
        page_rows_max: 77,
        ..Instance::default()
    };
    let app = App::with_dialects(vec![instance.dialect().unwrap()]);
    let document = document(&app, "/openapi/acme.json");
    assert_eq!(document["components"]["securitySchemes"]["apiKeyAuth"]["name"], json!("X-Acme-Key"));
    let schemas = &document["components"]["schemas"];
    let types = json!({"type": "string", "enum": ["order.paid"]});
    assert_eq!(schemas["CreateWebhookRequest"]["properties"]["events"]["items"], types);
    assert_eq!(schemas["Webhook"]["properties"]["events"]["items"], types);
    assert_eq!(
        document["paths"]["/acme/v1/webhooks"]["get"]["parameters"][3]["schema"]["maximum"],
        json!(77)
    );
    assert!(!document.to_string().contains("sigmamind"));
    app.public(Method::GET, "/acme/v1/webhooks").send().expect(401);
    check_page(&app.operator_stranger(Method::GET, "/docs/acme").send());
    let native = app.operator_stranger(Method::GET, "/openapi.json").send().json();
    assert_eq!(
        native["components"]["schemas"]["NewWorkspace"]["properties"]["dialect"]["enum"],
        json!(["acme"])
    );
}

/// Headers of a customer of a dialect, one or some of which are the dialect's own.
fn customer(app: &App, dialect: &str) -> Vec<(&'static str, String)> {
    let path = format!("/v1/workspaces/{}/credentials", app.workspace(dialect));
    let made = app.operator(Method::POST, &path).json(&json!({})).send();
    let secret = made.expect(201).text_at("/secret");
    vec![
        ("authorization", format!("Bearer {secret}")),
        ("x-api-key", secret.clone()),
        ("x-spaaza-session-user-id", made.json()["user_id"].to_string()),
        ("x-spaaza-session-key", secret),
    ]
}

#[test]
fn every_path_says_what_it_offers_and_opens_itself_to_no_foreign_page() {
    let app = App::new();
    for (openapi, _) in DOCUMENTS {
        let document = document(&app, openapi);
        let dialect = openapi.strip_prefix("/openapi/").map(|file| file.trim_end_matches(".json"));
        let customer = dialect.map(|dialect| customer(&app, dialect));
        let call = |method: Method, path: &str| match &customer {
            None => app.operator(method, path),
            Some(headers) => {
                let call = app.public(method, path);
                headers.iter().fold(call, |call, (name, value)| call.header(name, value))
            }
        };
        let call = |method: Method, path: &str| call(method, path).header("origin", "https://evil.example");
        for (path, item) in document["paths"].as_object().unwrap() {
            let url = path.replace(['{', '}'], "");
            let mut offered: Vec<String> =
                item.as_object().unwrap().keys().map(|m| m.to_ascii_uppercase()).collect();
            offered.extend(offered.contains(&"GET".to_owned()).then(|| "HEAD".to_owned()));
            let others = [Method::OPTIONS, Method::PUT, Method::TRACE].into_iter();
            for method in others
                .filter(|other| !offered.iter().any(|offered| offered == other.as_str()))
                .collect::<Vec<_>>()
            {
                let answer = call(method, &url).send();
                let mut allowed: Vec<&str> = answer.expect(405).header("allow").split(',').collect();
                allowed.sort_unstable();
                offered.sort_unstable();
                assert_eq!(allowed, offered, "{path}");
                assert!(
                    answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")),
                    "{path}"
                );
            }
            if offered.contains(&"HEAD".to_owned()) {
                let (get, head) = (call(Method::GET, &url).send(), call(Method::HEAD, &url).send());
                assert_eq!((get.status, head.body.len()), (head.status, 0), "{path}");
            }
            // A path of ids with a slash at its end is another path.
            call(Method::GET, &format!("{url}/")).send().expect(404);
        }
    }
}
