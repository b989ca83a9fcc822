//! The style, the script and the icon of all pages, and what a portal has of its own. Their names hold a hash of what is in them, so that a browser may keep them for ever.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use crate::desk::Desk;
use crate::door::Door;

pub(crate) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style", "css", CSS, include_bytes!("style.css").as_slice()));
/// What stands in the tab.
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", SVG, include_bytes!("icon.svg").as_slice()));
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("dash", "js", "text/javascript; charset=utf-8", include_bytes!("dash.js").as_slice())
});

pub(crate) const CSS: &str = "text/css; charset=utf-8";
pub(crate) const SVG: &str = "image/svg+xml";

/// A file that the binary holds, or was given at the start.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    name: String,
    content_type: &'static str,
    content: Bytes,
}

/// Letters of the hash that stand in a name.
const HASH_CHARS: usize = 12;

impl Asset {
    pub(crate) fn new(
        stem: &str,
        extension: &str,
        content_type: &'static str,
        content: impl Into<Bytes>,
    ) -> Self {
        let content = content.into();
        let hash = BASE64.encode(Sha256::digest(&content));
        Self { name: format!("{stem}-{}.{extension}", &hash[..HASH_CHARS]), content_type, content }
    }

    pub(crate) fn path(&self, door: Door) -> String {
        format!("{}/assets/{}", door.path(), self.name)
    }
}

/// A drawing may hold a script; whoever opens one by itself runs none.
const ASSET_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// One of them by its name; any other is not there, also one of another version.
pub(crate) async fn get(State(desk): State<Arc<Desk>>, Path(name): Path<String>) -> Response {
    let all = [&*STYLE, &*SCRIPT, &*ICON].into_iter().chain(desk.house.own_assets());
    let Some(asset) = all.into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(ASSET_POLICY)),
    ];
    (headers, asset.content.clone()).into_response()
}
