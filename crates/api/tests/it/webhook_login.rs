//! What a webhook may have for its receiver and for its owner: a login, metadata; and the key of its workspace that signs.

use http::Method;
use serde_json::{Value, json};
use signalpost_api::built_in_dialects;
use signalpost_core::principal::Principal;
use signalpost_core::profile::{IdForm, SecretForm, SigningRule};
use signalpost_core::target_url::TargetUrl;
use signalpost_engine::webhooks::NewWebhook;
use signalpost_store::testing::block_on::block_on;

use crate::app::{Answer, App};

fn create(app: &App, path: &str, more: Value) -> Answer {
    let mut body = json!({"url": "https://x.y"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.operator(Method::POST, path).json(&body).send()
}

fn patch(app: &App, webhook: &str, body: Value) -> Answer {
    app.operator(Method::PATCH, webhook).json(&body).send()
}

fn webhooks(app: &App) -> String {
    format!("/v1/workspaces/{}/webhooks", app.workspace("native"))
}

#[test]
fn a_login_is_given_as_a_whole_and_its_password_never_shown() {
    let app = App::new();
    let path = webhooks(&app);
    let login = json!({"basic_auth": {"username": "ann", "password": "canary-1"}});
    let made = create(&app, &path, login);
    assert_eq!(made.expect(201).json()["basic_auth"], json!({"username": "ann"}));
    let one = format!("{path}/{}", made.text_at("/id"));
    let untouched = patch(&app, &one, json!({"name": "n"}));
    assert_eq!(untouched.expect(200).json()["basic_auth"], json!({"username": "ann"}));
    let changed = patch(&app, &one, json!({"basic_auth": {"username": "bob", "password": ""}}));
    assert_eq!(changed.expect(200).json()["basic_auth"], json!({"username": "bob"}));
    let list = app.operator(Method::GET, &path).send();
    for answer in [&made, &untouched, &changed, &list] {
        assert!(!answer.text().contains("canary"), "{}", answer.text());
    }
    let cleared = patch(&app, &one, json!({"basic_auth": null}));
    assert_eq!(cleared.expect(200).json()["basic_auth"], Value::Null);
    let without = create(&app, &path, json!({"basic_auth": null}));
    assert_eq!(without.expect(201).json()["basic_auth"], Value::Null);
}

#[test]
fn a_login_that_cannot_be_sent_is_refused_by_name() {
    let app = App::new();
    let path = webhooks(&app);
    let one = format!("{path}/{}", create(&app, &path, json!({})).expect(201).text_at("/id"));
    let refused = |login: Value, pointers: &[&str]| {
        let body = json!({"basic_auth": login});
        for answer in [create(&app, &path, body.clone()), patch(&app, &one, body)] {
            assert_eq!(answer.expect(422).pointers(), pointers, "{}", answer.text());
        }
    };
    let (user, password) = ("/basic_auth/username", "/basic_auth/password");
    refused(json!("ann:secret"), &["/basic_auth"]);
    refused(json!({}), &[user, password]);
    refused(json!({"username": "ann"}), &[password]);
    refused(json!({"username": null, "password": null}), &[user, password]);
    refused(json!({"username": "a:b", "password": "x\ny"}), &[user, password]);
    refused(json!({"username": "a".repeat(129), "password": "p".repeat(257)}), &[user, password]);
    refused(json!({"username": "", "password": 1}), &[user, password]);
    refused(json!({"username": "a", "password": "b", "realm": "c"}), &["/basic_auth/realm"]);
}

#[test]
fn a_login_and_a_header_of_the_same_meaning_exclude_one_another() {
    let app = App::new();
    let path = webhooks(&app);
    let (login, header) = (json!({"username": "a", "password": "b"}), json!({"Authorization": "Bearer x"}));
    let both = create(&app, &path, json!({"basic_auth": login, "headers": header}));
    assert_eq!(both.expect(422).pointers(), ["/headers/authorization"]);
    let made = create(&app, &path, json!({"headers": header}));
    let one = format!("{path}/{}", made.expect(201).text_at("/id"));
    let refused = patch(&app, &one, json!({"basic_auth": login}));
    assert_eq!(refused.expect(422).pointers(), ["/headers/authorization"], "it is there already");
    let swapped = patch(&app, &one, json!({"basic_auth": login, "headers": {"authorization": null}}));
    assert_eq!(swapped.expect(200).json()["headers"], json!({}));
    patch(&app, &one, json!({"headers": header})).expect(422);
}

#[test]
fn metadata_is_merged_and_shown() {
    let app = App::new();
    let path = webhooks(&app);
    let made = create(&app, &path, json!({"metadata": {"team": "billing", "a/b~c": "", "gone": null}}));
    assert_eq!(made.expect(201).json()["metadata"], json!({"a/b~c": "", "team": "billing"}));
    let one = format!("{path}/{}", made.text_at("/id"));
    let changed =
        patch(&app, &one, json!({"metadata": {"team": "sales", "a/b~c": null, "ticket": "17\n🧀"}}));
    let expected = json!({"team": "sales", "ticket": "17\n🧀"});
    assert_eq!(changed.expect(200).json()["metadata"], expected);
    assert_eq!(patch(&app, &one, json!({"name": "n"})).expect(200).json()["metadata"], expected);
    assert_eq!(app.operator(Method::GET, &one).send().expect(200).json()["metadata"], expected);
    assert_eq!(patch(&app, &one, json!({"metadata": null})).expect(200).json()["metadata"], json!({}));

    let refused = |metadata: Value, pointers: &[&str]| {
        let body = json!({"metadata": metadata});
        for answer in [create(&app, &path, body.clone()), patch(&app, &one, body)] {
            assert_eq!(answer.expect(422).pointers(), pointers, "{}", answer.text());
        }
    };
    refused(json!([]), &["/metadata"]);
    refused(json!({"n": 1, "a/b": {"c": "d"}}), &["/metadata/n", "/metadata/a~1b"]);
    refused(
        json!({"": "v", "n": "v".repeat(501), "a\nb": "v"}),
        &["/metadata/", "/metadata/n", "/metadata/a\nb"],
    );
    refused(json!({"x": "\u{0}"}), &["/metadata/x"]);
    let many: serde_json::Map<String, Value> = (0..17).map(|n| (format!("n{n}"), json!("v"))).collect();
    refused(json!(many), &["/metadata"]);
    let full: serde_json::Map<String, Value> = (0..16).map(|n| (format!("n{n}"), json!("v"))).collect();
    patch(&app, &one, json!({"metadata": full})).expect(200);
    assert_eq!(patch(&app, &one, json!({"metadata": {"more": "v"}})).expect(422).pointers(), ["/metadata"]);
}

/// Over a made-up dialect whose webhooks are signed with keys of their workspace.
#[test]
fn the_operator_sees_which_key_signs() {
    let mut dialects = built_in_dialects();
    let mut keyed = dialects[0].clone();
    keyed.name = "keyed".to_owned();
    keyed.profile.name = "keyed".to_owned();
    keyed.profile.secret = SecretForm::Hex { random_bytes: 16 };
    keyed.profile.signing = SigningRule::SharedKeys { key_id: IdForm::Number };
    dialects.push(keyed);
    let app = App::with_dialects(dialects);
    let workspace = app.workspace("keyed");
    let view = block_on(app.engine.workspace(&workspace)).unwrap();
    let key = block_on(app.engine.create_signing_key(&view)).unwrap();
    let make = |key: Option<&str>| {
        let url = TargetUrl::parse("https://example.com/").unwrap();
        let new = NewWebhook { signing_key: key.map(str::to_owned), ..NewWebhook::to(url) };
        block_on(app.engine.create_webhook(&view, new, None)).unwrap().now().unwrap().webhook.public_id
    };
    let (signed, unsigned) = (make(Some("1")), make(None));
    let path = format!("/v1/workspaces/{workspace}/webhooks");
    let shown = |id: &str| app.operator(Method::GET, &format!("{path}/{id}")).send().expect(200).json();
    assert_eq!(
        (&shown(&signed)["signing_key"], &shown(&unsigned)["signing_key"]),
        (&json!("1"), &json!(null))
    );
    let list = app.operator(Method::GET, &path).send().expect(200).json();
    let keys: Vec<&Value> = list["data"].as_array().unwrap().iter().map(|one| &one["signing_key"]).collect();
    assert_eq!(keys, [&json!(null), &json!("1")]);
    let secret = app.engine.reveal_signing_key(&key).unwrap();
    assert!(!list.to_string().contains(secret.expose_text()));
    block_on(app.engine.delete_signing_key(&view, "1", &Principal::Operator)).unwrap();
    assert_eq!(shown(&signed)["signing_key"], Value::Null);
}
