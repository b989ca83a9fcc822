//! A management call that has begun is brought to its end, even when its caller goes away.
//!
//! hyper drops the answer of a caller that has hung up. Between a webhook's deletion in the store and the moment
//! when its lane knows, that would leave deliveries going out to a webhook that is gone. Publishing needs no such
//! care: what follows a commit does not hang on the caller.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{Method, Request, StatusCode};
use tower_service::Service;

/// Answers one request; changes run as a task of their own.
pub(crate) async fn answer(mut router: Router, request: Request<Body>) -> Result<Response, Infallible> {
    let changes = matches!(*request.method(), Method::PATCH | Method::PUT | Method::DELETE);
    let answered = router.call(request);
    if !changes {
        return answered.await;
    }
    match tokio::spawn(answered).await {
        Ok(answered) => answered,
        Err(error) => {
            tracing::error!(%error, "a change broke off");
            Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}
