//! Many large bodies at once: they share a bound, and small ones pass beside them.

use std::convert::Infallible;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Method;
use serde_json::json;
use signalpost_core::limits::{BATCH_BODY_BYTES_MAX, LARGE_BODIES_BYTES_MAX};
use signalpost_core::ports::BoxFuture;

use crate::app::App;

/// A batch of which all but a little has come, and no more comes.
fn hanging(app: &App, path: &str) -> BoxFuture<'static, http::Response<Body>> {
    let most = Bytes::from(vec![b' '; BATCH_BODY_BYTES_MAX - 1_024]);
    let body = stream::iter([Ok::<_, Infallible>(most)]).chain(stream::pending());
    let call = app.operator(Method::POST, path).header("content-type", "application/json");
    call.begin(Body::from_stream(body))
}

fn poll(call: &mut BoxFuture<'static, http::Response<Body>>) -> Poll<http::Response<Body>> {
    call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn large_bodies_have_a_bound_and_small_ones_pass_beside_them() {
    let app = App::new();
    let workspace = app.workspace("native");
    let events = format!("/v1/workspaces/{workspace}/events");
    let batch = format!("{events}/batch");
    let many = LARGE_BODIES_BYTES_MAX / BATCH_BODY_BYTES_MAX;
    let mut hanging_calls: Vec<_> = (0..many).map(|_| hanging(&app, &batch)).collect();
    for call in &mut hanging_calls {
        assert!(poll(call).is_pending(), "it waits for its body");
    }
    let large = || {
        let event = json!({"type": "a", "data": "x".repeat(100_000)});
        app.operator(Method::POST, &events).json(&event).send()
    };
    let refused = large();
    assert_eq!(refused.expect(503).header("retry-after"), "1");
    assert_eq!(refused.text_at("/code"), "unavailable");
    let announced = app.operator(Method::POST, &events).header("content-length", "100000");
    announced.raw("application/json", "{}").send().expect(503);
    app.publish(&workspace, &json!({"type": "a", "data": "x".repeat(60_000)}));
    app.public(Method::GET, "/v1/webhooks").send().expect(401);

    assert!(poll(&mut hanging(&app, &batch)).is_ready(), "one more such batch is refused while it comes");
    hanging_calls.pop();
    large().expect(202);
    large().expect(202);
    drop(hanging_calls);
    let mut all: Vec<_> = (0..many).map(|_| hanging(&app, &batch)).collect();
    assert!(all.iter_mut().all(|call| poll(call).is_pending()), "everything was given back");
}
