//! What a dialect demands of events and of credentials, over a made-up dialect that demands a lot.

use http::Method;
use serde_json::{Value, json};
use signalpost_api::built_in_dialects;
use signalpost_core::event_rule::{AttributeForm, AttributeRule, DataRule, EventKind, Presence};
use signalpost_core::profile::{RandomText, SecretForm};

use crate::app::{Answer, App};

const NAME: &str = "demanding";

/// The native dialect with rules; its scopes are three.
fn app() -> App {
    let mut dialects = built_in_dialects();
    let mut demanding = dialects[0].clone();
    demanding.name = NAME.to_owned();
    let profile = &mut demanding.profile;
    profile.name = NAME.to_owned();
    profile.credential = Some(RandomText::new("key_", 40));
    profile.secret = SecretForm::PrefixedHex { random_bytes: 32 };
    profile.scopes = ["a:read", "a:write", "b:read"].map(str::to_owned).into();
    let object = |members: &[&str]| DataRule::Object {
        members: members.iter().map(|name| (*name).to_owned()).collect(),
    };
    profile.catalogue = Some(vec![
        EventKind::with_data("a.made", object(&["aId", "bId"])),
        EventKind::with_data("b.made", object(&[])),
        EventKind::any("c.made"),
    ]);
    let rule = |name: &str, presence, form| AttributeRule { name: name.to_owned(), presence, form };
    profile.attributes = vec![
        rule("resourceId", Presence::Required, AttributeForm::Text),
        rule("jobId", Presence::Optional, AttributeForm::TextOrNull),
    ];
    dialects.push(demanding);
    App::with_dialects(dialects)
}

fn publish(app: &App, workspace: &str, event: &Value) -> Answer {
    app.operator(Method::POST, &format!("/v1/workspaces/{workspace}/events")).json(event).send()
}

#[test]
fn an_event_is_held_to_the_rules_of_its_type() {
    let app = app();
    let workspace = app.workspace(NAME);
    let whole =
        json!({"type": "a.made", "resourceId": "r", "jobId": null, "data": {"aId": 1, "bId": null, "x": {}}});
    let answer = publish(&app, &workspace, &whole);
    answer.expect(202);
    let event = app
        .operator(Method::GET, &format!("/v1/workspaces/{workspace}/events/{}", answer.text_at("/id")))
        .send();
    assert_eq!(event.expect(200).json()["attributes"], json!({"jobId": null, "resourceId": "r"}));
    let table = [
        (json!({"type": "d.made", "resourceId": "r", "data": {}}), vec!["/type"]),
        (json!({"type": "a.made", "data": {"aId": 1, "bId": 2}}), vec!["/resourceId"]),
        (json!({"type": "a.made", "resourceId": "r", "data": {"bId": 2}}), vec!["/data/aId"]),
        (
            json!({"type": "a.made", "resourceId": "r", "data": {"x": {"aId": 1, "bId": 1}}}),
            vec!["/data/aId", "/data/bId"],
        ),
        (json!({"type": "a.made", "resourceId": "r", "data": null}), vec!["/data"]),
        (json!({"type": "b.made", "resourceId": "r", "data": []}), vec!["/data"]),
        (json!({"type": "c.made", "resourceId": 7, "jobId": 7, "data": 1}), vec!["/resourceId", "/jobId"]),
        (json!({"type": "c.made", "resourceId": null, "data": 1}), vec!["/resourceId"]),
        (json!({"type": "c.made", "resourceId": "", "data": 1}), vec!["/resourceId"]),
        (json!({"type": "c.made", "resourceId": "r", "other": 1, "data": 1}), vec!["/other"]),
    ];
    for (event, pointers) in table {
        let answer = publish(&app, &workspace, &event);
        assert_eq!(answer.expect(422).pointers(), pointers, "{event}");
    }
    for event in [
        json!({"type": "b.made", "resourceId": "r", "data": {}}),
        json!({"type": "c.made", "resourceId": "r", "jobId": "j", "data": 1}),
    ] {
        publish(&app, &workspace, &event).expect(202);
    }
    let list = app.operator(Method::GET, &format!("/v1/workspaces/{workspace}/events")).send();
    assert_eq!(list.expect(200).json()["data"].as_array().unwrap().len(), 3, "a refusal leaves nothing");
}

#[test]
fn a_batch_says_which_event_breaks_what() {
    let app = app();
    let workspace = app.workspace(NAME);
    let good = json!({"type": "b.made", "resourceId": "r", "data": {}});
    let bad = json!({"type": "a.made", "jobId": [], "data": {"aId": 0}});
    let path = format!("/v1/workspaces/{workspace}/events/batch");
    let answer = app.operator(Method::POST, &path).json(&json!([good, bad, good])).send();
    assert_eq!(answer.expect(422).pointers(), ["/1/resourceId", "/1/jobId", "/1/data/bId"]);
    let detail = answer.json()["errors"][2]["detail"].clone();
    assert_eq!(detail, json!("is required for this type"));
    app.operator(Method::POST, &path).json(&json!([good, good])).send().expect(202);
}

#[test]
fn credentials_have_the_scopes_that_are_known() {
    let app = app();
    let workspace = app.workspace(NAME);
    let path = format!("/v1/workspaces/{workspace}/credentials");
    let issue = |body: Value| app.operator(Method::POST, &path).json(&body).send();
    let all = json!(["a:read", "a:write", "b:read"]);
    for (body, scopes) in [
        (json!({}), all.clone()),
        (json!({"scopes": null}), all),
        (json!({"scopes": []}), json!([])),
        (json!({"scopes": ["b:read", "a:read", "b:read"]}), json!(["a:read", "b:read"])),
    ] {
        let issued = issue(body);
        assert_eq!(issued.expect(201).json()["scopes"], scopes);
        let listed = app.operator(Method::GET, &path).send().json();
        let listed = listed["data"].as_array().unwrap().iter().find(|row| row["id"] == issued.json()["id"]);
        assert_eq!(listed.unwrap()["scopes"], scopes);
    }
    let refused = issue(json!({"scopes": ["a:read", "c:read"]}));
    assert_eq!(refused.expect(422).pointers(), ["/scopes"]);
    let detail = refused.json()["errors"][0]["detail"].clone();
    assert_eq!(detail, json!("`c:read` is unknown; known are a:read, a:write, b:read"));
}
