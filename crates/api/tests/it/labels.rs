//! A made-up dialect in which a producer's id is a label, whose events have bodies of two kinds, and which sends to webhooks
//! without a secret.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use signalpost_api::{Dialect, built_in_dialects};
use signalpost_core::event_rule::{DataRule, EventKind};
use signalpost_core::id::{EventId, WebhookId};
use signalpost_core::profile::{EventIdRule, Farewell, IdForm, Profile};
use signalpost_core::target_url::TargetUrl;
use signalpost_core::template::Template;
use signalpost_core::webhook::Webhook;
use signalpost_engine::webhooks::NewWebhook;
use signalpost_store::Catalog;
use signalpost_store::testing::block_on::block_on;

use crate::app::{Answer, App};
use crate::core::{running, settle};

const ENVELOPE: &str = "{\"id\":${event.id},\"type\":${event.type},\"of\":${workspace.number},\
                        \"created\":${event.time_s},\"data\":${event.data}}";

fn labelled() -> Dialect {
    let mut dialect = built_in_dialects().swap_remove(0);
    dialect.name = "labelled".to_owned();
    let profile = &mut dialect.profile;
    profile.name = "labelled".to_owned();
    profile.workspace_id = IdForm::Number;
    profile.event_id = EventIdRule::Label;
    let json = |text| Template::json(text).unwrap();
    let bare =
        EventKind { name: "a.bare".to_owned(), data: DataRule::Any, body: Some(json("${event.data}")) };
    profile.catalogue = Some(vec![EventKind::any("a.made"), bare, EventKind::any("a.gone")]);
    profile.delivery.body = json(ENVELOPE);
    profile.delivery.headers = vec![
        ("content-type".into(), Template::text("application/json").unwrap()),
        ("x-copy-of-signature".into(), Template::text("${signature}").unwrap()),
    ];
    dialect
}

/// With one workspace, called 1.
fn app() -> App {
    let app = App::with_dialects(vec![labelled()]);
    assert_eq!(app.workspace("labelled"), "1");
    app
}

/// The webhook's id.
fn subscribe(app: &App) -> String {
    let view = block_on(app.engine.workspace("1")).unwrap();
    let new = NewWebhook::to(TargetUrl::parse("https://example.com/").unwrap());
    block_on(app.engine.create_webhook(&view, new, None)).unwrap().now().unwrap().webhook.public_id
}

fn get(app: &App, path: &str) -> Answer {
    app.operator(Method::GET, path).send()
}

/// Our id of the event.
fn publish(app: &App, event: Value) -> String {
    app.publish("1", &event).text_at("/id")
}

fn ids(page: &Answer, member: &str) -> Vec<String> {
    let rows = page.expect(200).json()["data"].as_array().unwrap().clone();
    rows.iter().map(|row| row[member].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_label_names_the_newest_event_and_makes_none_the_same() {
    let app = app();
    subscribe(&app);
    let event = |n: u8| json!({"type": "a.made", "id": "order-1000", "data": {"n": n}});
    let [first, second] = [1, 1].map(|n| publish(&app, event(n)));
    let third = publish(&app, event(3));
    assert!(first != second && [&first, &second, &third].iter().all(|id| id.starts_with("evt_")));

    let found = get(&app, "/v1/workspaces/1/events/order-1000");
    assert_eq!(found.expect(200).text_at("/id"), third, "the newest");
    for id in [&first, &second, &third] {
        let found = get(&app, &format!("/v1/workspaces/1/events/{id}"));
        assert_eq!((found.text_at("/id"), found.text_at("/label")), (id.clone(), "order-1000".to_owned()));
    }
    let listed = get(&app, "/v1/workspaces/1/events");
    assert_eq!(ids(&listed, "id"), [third.as_str(), &second, &first]);
    assert_eq!(ids(&listed, "label"), ["order-1000"; 3]);

    let deliveries = |of: &str| get(&app, &format!("/v1/workspaces/1/deliveries?event={of}"));
    assert_eq!(ids(&deliveries("order-1000"), "event"), [third.as_str()]);
    assert_eq!(ids(&deliveries(&first), "event"), [first.as_str()]);
    assert_eq!(ids(&deliveries(&first), "event_label"), ["order-1000"]);
    for (of, meant) in [("order-1000", &third), (first.as_str(), &first)] {
        let explained = get(&app, &format!("/v1/workspaces/1/events/{of}/explain"));
        let told = [explained.expect(200).text_at("/event/id"), explained.text_at("/event/label")];
        assert_eq!(told, [meant.as_str(), "order-1000"]);
    }
    let delivery = ids(&deliveries(&second), "id").remove(0);
    let shown = get(&app, &format!("/v1/deliveries/{delivery}"));
    assert_eq!((shown.text_at("/event"), shown.text_at("/event_label")), (second, "order-1000".to_owned()));
    let plain = publish(&app, json!({"type": "a.made", "data": 1}));
    assert_eq!(get(&app, &format!("/v1/workspaces/1/events/{plain}")).json().get("label"), None);
}

#[test]
fn a_repeated_call_is_told_our_id() {
    let app = app();
    let call = || {
        let call = app.operator(Method::POST, "/v1/workspaces/1/events").header("idempotency-key", "once");
        call.json(&json!({"type": "a.made", "id": "order-1", "data": 1})).send()
    };
    let first = call();
    assert!(first.expect(202).text_at("/id").starts_with("evt_"));
    assert_eq!(call().text(), first.text());
    assert_eq!(ids(&get(&app, "/v1/workspaces/1/events"), "label"), ["order-1"], "one event");
}

#[test]
fn a_label_that_looks_like_our_id_is_found_when_it_is_none() {
    let app = app();
    let first = publish(&app, json!({"type": "a.made", "data": 1}));
    let stranger = EventId::from_raw(7).to_public();
    let look = |id: &str| get(&app, &format!("/v1/workspaces/1/events/{id}"));
    look(&stranger).expect(404);
    let second = publish(&app, json!({"type": "a.made", "id": stranger, "data": 2}));
    assert_eq!(look(&stranger).text_at("/id"), second);
    publish(&app, json!({"type": "a.made", "id": first, "data": 3}));
    assert_eq!(look(&first).text_at("/id"), first, "ours comes first");
}

#[test]
fn deliveries_carry_the_label_and_the_body_of_their_type() {
    let app = app();
    subscribe(&app);
    let (receiver, mut beside) = running(&app);
    let time = "2022-05-06T11:50:28.999Z";
    let data = json!({"order": 1});
    for kind in ["a.made", "a.bare"] {
        publish(&app, json!({"type": kind, "id": "order-1", "time": time, "data": data}));
    }
    let unlabelled = publish(&app, json!({"type": "a.gone", "time": time, "data": null}));
    settle(&app, &mut beside);
    let sent = receiver.0.borrow();
    let mut bodies: Vec<&str> =
        sent.iter().map(|request| std::str::from_utf8(&request.body).unwrap()).collect();
    bodies.sort_unstable();
    let whole = |id: &str, kind: &str, data: &str| {
        format!(
            "{{\"id\":\"{id}\",\"type\":\"{kind}\",\"of\":1,\"created\":\"2022-05-06T11:50:28Z\",\"data\":{data}}}"
        )
    };
    let mut expected = [
        whole("order-1", "a.made", "{\"order\":1}"),
        "{\"order\":1}".to_owned(),
        whole(&unlabelled, "a.gone", "null"),
    ];
    expected.sort_unstable();
    assert_eq!(bodies, expected);
    for request in sent.iter() {
        let headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (&**name, value.as_str())).collect();
        let [("content-type", _), ("x-copy-of-signature", copy), ("webhook-signature", signature)] =
            headers[..]
        else {
            panic!("{headers:?}");
        };
        assert_eq!(signature, format!("v1,{copy}"));
    }
}

/// What is recorded of an attempt is what was sent.
#[test]
fn a_webhook_without_a_secret_is_sent_to_without_a_signature() {
    let app = app();
    let signed = subscribe(&app);
    let view = block_on(app.engine.workspace("1")).unwrap();
    let known = block_on(app.engine.webhook(view.workspace.id, &signed)).unwrap();
    let (id, public_id) = (WebhookId::from_raw(known.id.raw() + 1), "unsigned".to_owned());
    let unsigned = Webhook { id, public_id, secret: None, ..known };
    block_on(app.store.create_webhook(unsigned.into())).unwrap();
    let (receiver, mut beside) = running(&app);
    publish(&app, json!({"type": "a.bare", "data": 1}));
    settle(&app, &mut beside);
    let headers_of = |webhook: &str| {
        let listed = get(&app, &format!("/v1/workspaces/1/deliveries?webhook={webhook}"));
        let delivery = get(&app, &format!("/v1/deliveries/{}", listed.text_at("/data/0/id")));
        assert_eq!(delivery.text_at("/status"), "delivered");
        let attempt = delivery.json()["attempts"][0]["request_headers"].clone();
        attempt.as_object().unwrap().keys().cloned().collect::<Vec<String>>()
    };
    assert_eq!(headers_of("unsigned"), ["content-type"]);
    assert_eq!(headers_of(&signed), ["content-type", "x-copy-of-signature", "webhook-signature"]);
    let mut sent: Vec<usize> = receiver.0.borrow().iter().map(|request| request.headers.len()).collect();
    sent.sort_unstable();
    assert_eq!(sent, [1, 3]);
}

#[test]
fn a_template_says_a_number_only_where_ids_are_numbers() {
    let good = labelled().profile;
    assert_eq!(good.check(), Ok(()));
    let number = || Template::json("${workspace.number}").unwrap();
    let plain = || {
        let mut profile = good.clone();
        profile.workspace_id = IdForm::random("ws_", 16);
        profile.delivery.body = Template::json("${event.data}").unwrap();
        profile
    };
    assert_eq!(plain().check(), Ok(()));
    let spoil: [fn(&mut Profile, Template); 6] = [
        |profile, number| profile.delivery.body = number,
        |profile, number| profile.delivery.headers.push(("x-tenant".into(), number)),
        |profile, number| Arc::make_mut(&mut profile.delivery.signature).content = number,
        |profile, number| Arc::make_mut(&mut profile.delivery.signature).value = number,
        |profile, number| profile.catalogue.as_mut().unwrap()[0].body = Some(number),
        |profile, number| {
            let (event_type, attributes) = ("a.gone".to_owned(), Vec::new());
            profile.farewell = Some(Farewell { event_type, attributes, data: number });
        },
    ];
    for (case, spoil) in spoil.into_iter().enumerate() {
        let mut profile = plain();
        spoil(&mut profile, number());
        assert!(profile.check().is_err(), "case {case}");
    }
}
