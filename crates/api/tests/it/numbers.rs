//! Ids that are numbers, over a made-up dialect whose workspaces and webhooks have them.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use http::Method;
use serde_json::{Value, json};
use signalpost_api::{Dialect, built_in_dialects};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::PUBLIC_NUMBER_MAX;
use signalpost_core::policy::PolicyOverrides;
use signalpost_core::principal::Principal;
use signalpost_core::profile::IdForm;
use signalpost_core::target_url::TargetUrl;
use signalpost_engine::webhooks::NewWebhook;
use signalpost_engine::workspaces::NewWorkspace;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::faulty::{Fault, FaultyStore, Lasting, fail_nth_of};
use signalpost_store::testing::memory::MemoryStore;

use crate::app::{Answer, App};

/// The native dialect under these names, with numbers.
fn counted(name: &str) -> Dialect {
    let mut dialect = built_in_dialects().swap_remove(0);
    dialect.name = name.to_owned();
    dialect.profile.name = name.to_owned();
    dialect.profile.workspace_id = IdForm::Number;
    dialect.profile.webhook_id = IdForm::Number;
    dialect
}

fn app() -> App {
    let mut dialects = built_in_dialects();
    dialects.extend(["counted", "other"].map(counted));
    App::with_dialects(dialects)
}

fn create(app: &App, id: Value) -> Answer {
    let body = json!({"dialect": "counted", "name": "Acme", "id": id});
    app.operator(Method::POST, "/v1/workspaces").json(&body).send()
}

/// Made as a dialect makes it: the operator's API manages webhooks of the native one alone.
fn webhook(app: &App, workspace: &str) -> String {
    let view = block_on(app.engine.workspace(workspace)).unwrap();
    let new = NewWebhook::to(TargetUrl::parse("https://example.com/").unwrap());
    let made = block_on(app.engine.create_webhook(&view, new, None)).unwrap();
    made.now().unwrap().webhook.public_id
}

#[test]
fn ids_count_on_whatever_the_operator_has_given_out() {
    let app = app();
    assert_eq!(create(&app, json!(null)).expect(201).text_at("/id"), "1");
    for given in ["2", "4", "1743", &PUBLIC_NUMBER_MAX.to_string()] {
        let made = create(&app, json!(given));
        assert_eq!(made.expect(201).text_at("/id"), given);
        assert_eq!(made.header("location"), format!("/v1/workspaces/{given}"));
    }
    let made: Vec<String> = ["counted", "other", "counted"].map(|dialect| app.workspace(dialect)).into();
    assert_eq!(made, ["3", "5", "6"], "one counter for the whole installation");
    create(&app, json!("3")).expect(409);
    app.operator(Method::DELETE, "/v1/workspaces/6").send().expect(204);
    create(&app, json!("6")).expect(409);
    assert_eq!(app.workspace("counted"), "7");
    assert_eq!([webhook(&app, "3"), webhook(&app, "5"), webhook(&app, "3")], ["1", "2", "3"]);
}

#[test]
fn a_given_id_is_a_plain_number() {
    let app = app();
    for bad in ["0", "01", "+1", "-1", "1.0", "1e3", " 1", "9007199254740992", "ws_1", ""] {
        let answer = create(&app, json!(bad));
        assert_eq!(answer.expect(422).pointers(), ["/id"], "{bad:?}");
        let detail = answer.json()["errors"][0]["detail"].clone();
        let expected =
            "must be a whole number from 1 to 9007199254740991, written in digits, in this dialect";
        assert_eq!(detail, json!(expected), "{bad:?}");
    }
    assert_eq!(create(&app, json!(17)).expect(422).pointers(), ["/id"], "it is text in JSON");
    assert_eq!(app.workspace("counted"), "1", "a refusal takes no number");
    let document = app.operator(Method::GET, "/openapi.json").send().expect(200).json();
    let rules = document["components"]["schemas"]["NewWorkspace"]["allOf"].clone();
    let rule = |name: &str| {
        let of = |rule: &&Value| rule["if"]["properties"]["dialect"]["const"] == json!(name);
        let rule = rules.as_array().unwrap().iter().find(of).unwrap();
        rule["then"]["properties"]["id"]["pattern"].clone()
    };
    assert_eq!(rule("counted"), json!("^[1-9][0-9]{0,15}$"));
    assert_eq!(rule("native"), json!("^ws_[A-Za-z0-9]{16}$"));
}

#[test]
fn the_same_call_again_gets_the_same_number() {
    let app = app();
    let body = json!({"dialect": "counted", "name": "Acme"});
    let call = || app.operator(Method::POST, "/v1/workspaces").header("idempotency-key", "once").json(&body);
    let first = call().send();
    assert_eq!(first.expect(201).text_at("/id"), "1");
    assert_eq!(call().send().expect(201).text(), first.text());
}

/// The store gives the number out while its caller looks away, and the operator takes it for another workspace.
#[test]
fn a_number_that_somebody_else_takes_meanwhile_is_left_to_them() {
    let model = MemoryStore::new();
    let plan = fail_nth_of("next_number", 1, Lasting::Transient, Fault::Late);
    let store = Arc::new(FaultyStore::new(model.clone(), plan));
    let app = App::over(model, store, vec![counted("counted")]);
    let new = |id: Option<&str>| NewWorkspace {
        dialect: "counted".to_owned(),
        name: "Acme".to_owned(),
        id: id.map(str::to_owned),
        features: None,
        policy: PolicyOverrides::default(),
    };
    let mut slow = pin!(app.engine.create_workspace(new(None), None));
    assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    block_on(app.engine.create_workspace(new(Some("1")), None)).unwrap();
    assert_eq!(block_on(slow).unwrap().now().unwrap().public_id, "2");
}

#[test]
fn a_webhook_alone_tells_its_workspace() {
    let app = app();
    let [first, second, other] = ["counted", "counted", "other"].map(|dialect| app.workspace(dialect));
    let [a, b, c] = [&first, &second, &other].map(|workspace| webhook(&app, workspace));
    let owner = |dialect: &str, webhook: &str| {
        let found = block_on(app.engine.webhook_owner(dialect, webhook));
        found.map(|view| view.workspace.public_id.clone()).map_err(|error| error.code)
    };
    assert_eq!((owner("counted", &a), owner("counted", &b)), (Ok(first.clone()), Ok(second.clone())));
    assert_eq!(owner("other", &c), Ok(other));
    for (dialect, webhook) in [("counted", &c), ("other", &a), ("native", &a), ("counted", &"9".to_owned())] {
        assert_eq!(owner(dialect, webhook), Err(ErrorCode::NotFound), "{dialect} {webhook}");
    }
    let view = block_on(app.engine.workspace(&first)).unwrap();
    block_on(app.engine.delete_webhook(&view, &a, &Principal::Operator)).unwrap();
    assert_eq!(owner("counted", &a), Err(ErrorCode::NotFound));
    app.operator(Method::DELETE, &format!("/v1/workspaces/{second}")).send().expect(204);
    assert_eq!(owner("counted", &b), Err(ErrorCode::NotFound));
}
