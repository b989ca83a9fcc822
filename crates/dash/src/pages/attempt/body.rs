//! The body of a request as a file.

use axum::response::IntoResponse;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

use crate::request::Path;
use crate::trouble::Page;
use crate::visit::Visit;

pub(crate) async fn get(visit: Visit, Path((delivery, number)): Path<(String, String)>) -> Page {
    let found = super::find(&visit, &delivery, &number).await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"body.json\"")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, found.sent.body).into_response())
}
