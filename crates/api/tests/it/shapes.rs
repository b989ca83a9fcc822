//! Shapes as a configuration adopts them: what may be changed, and which value is to blame.

use http::Method;
use serde_json::{Value, json};
use signalpost_api::dialect::{check_base_paths, native};
use signalpost_api::{Shape, ShapeError, ShapeValues, built_in_shapes};
use signalpost_core::event_rule::EventKind;

use crate::app::App;

fn shape(name: &str) -> Shape {
    built_in_shapes().into_iter().find(|shape| shape.name == name).expect("a built-in shape")
}

fn changes(value: Value) -> ShapeValues {
    value.as_object().cloned().expect("a map")
}

#[test]
fn a_shape_without_changes_is_its_vendors() {
    for shape in built_in_shapes() {
        let dialect = shape.dialect(&ShapeValues::new()).expect("the vendor's own values");
        assert_eq!(dialect.name, shape.name);
        assert_eq!(json!(dialect.base_paths[0]), shape.defaults["base_path"]);
        assert_eq!(shape.dialect(&shape.defaults).expect("its own values, written out").name, shape.name);
    }
}

#[test]
fn changes_reach_the_dialect() {
    let acme = changes(json!({
        "name": "acme", "base_path": "/acme/v1", "signature_header": "X-Acme-Signature",
        "signature_encoding": "base64", "events": ["order.paid"], "retry_schedule_s": [1, 2],
        "timeout_ms": 5_000, "disable_after_failures": 3,
    }));
    let dialect = shape("sigmamind").dialect(&acme).expect("good values");
    assert_eq!((dialect.name.as_str(), dialect.base_paths[0].as_str()), ("acme", "/acme/v1"));
    let delivery = &dialect.profile.delivery;
    assert_eq!(&*delivery.signature.header, "x-acme-signature");
    assert_eq!(delivery.signature.encoding, signalpost_core::sign::Encoding::Base64);
    assert_eq!(dialect.profile.catalogue, Some(vec![EventKind::any("order.paid")]));
    assert_eq!(delivery.policy.retry.as_seconds(), [1, 2]);
    assert_eq!(delivery.policy.timeout.as_millis(), 5_000);
    assert_eq!(delivery.policy.disable.consecutive_failures, Some(3));
}

#[test]
fn the_value_to_blame_is_named() {
    let table = [
        (json!({"signature_headr": "x"}), "signature_headr", "is not a value of the shape `sigmamind`"),
        (json!({"timeout_ms": "10s"}), "timeout_ms", "invalid type: string \"10s\", expected u64"),
        (json!({"timeout_ms": -1}), "timeout_ms", "invalid value: integer `-1`, expected u64"),
        (json!({"events": "a"}), "events", "invalid type: string \"a\", expected a sequence"),
        (
            json!({"signature_encoding": "rot13"}),
            "signature_encoding",
            "unknown variant `rot13`, expected `hex` or `base64`",
        ),
        (json!({"timeout_ms": 1}), "timeout_ms", "must be from 100 to 60000"),
        (json!({"name": "acme", "events": []}), "events", "must be 1 to 256 types"),
    ];
    for (values, key, message) in table {
        let error = shape("sigmamind").dialect(&changes(values)).expect_err(message);
        assert_eq!(error, ShapeError { key: Some(key.to_owned()), message: message.to_owned() });
    }
}

/// At a host that a dialect names it is met alone, also by those who hold a credential of another one; at all other hosts
/// those are met that name none.
#[test]
fn dialects_stand_at_their_hosts() {
    let own = || built_in_shapes().remove(0).dialect(&ShapeValues::new()).unwrap();
    let branded = |name: &str, hosts: &[&str]| {
        let changes = [("name".to_owned(), name.into())].into_iter().collect();
        let dialect = built_in_shapes().remove(0).dialect(&changes).unwrap();
        dialect.at_hosts(hosts.iter().copied()).unwrap()
    };
    let dialects = vec![
        native::dialect(),
        own(),
        branded("a", &["a.example", "www.a.example"]),
        branded("b", &["B.example"]),
    ];
    check_base_paths(&dialects).unwrap();
    let app = App::with_dialects(dialects);
    let key_of = |dialect: &str| app.key(&app.workspace(dialect));
    let keys = [key_of("sigmamind"), key_of("a"), key_of("b")];
    for (host, opens) in [
        ("a.example", 1),
        ("WWW.A.example:8080", 1),
        ("b.example.", 2),
        ("c.example", 0),
        ("127.0.0.1:8080", 0),
    ] {
        for (position, key) in keys.iter().enumerate() {
            let call = app.public(Method::GET, "/v1/webhooks").header("host", host).header("x-api-key", key);
            // What proxies and frameworks say of another host, path or method counts for nothing.
            let said = [
                ("x-forwarded-host", "b.example"),
                ("forwarded", "for=192.0.2.1;host=b.example;proto=https"),
                ("x-host", "b.example"),
                ("x-original-url", "/livez"),
                ("x-rewrite-url", "/livez"),
                ("x-http-method-override", "DELETE"),
            ];
            let call = said.into_iter().fold(call, |call, (name, value)| call.header(name, value));
            call.send().expect(if position == opens { 200 } else { 401 });
        }
        app.public(Method::GET, "/nowhere").header("host", host).send().expect(404);
    }
}
