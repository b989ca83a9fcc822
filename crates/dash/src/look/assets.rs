//! The style, the script and the icon of all pages. Their names hold a hash of what is in them, so that a browser may keep them for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

pub(crate) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style", "css", "text/css; charset=utf-8", include_str!("style.css")));
/// What stands in the tab.
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("icon.svg")));
pub(crate) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("dash", "js", "text/javascript; charset=utf-8", include_str!("dash.js")));

/// A file that the binary holds.
pub(crate) struct Asset {
    name: String,
    content_type: &'static str,
    text: &'static str,
}

/// Letters of the hash that stand in a name.
const HASH_CHARS: usize = 12;

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, text: &'static str) -> Self {
        let hash = BASE64.encode(Sha256::digest(text));
        Self { name: format!("{stem}-{}.{extension}", &hash[..HASH_CHARS]), content_type, text }
    }

    pub(crate) fn path(&self) -> String {
        format!("{}/assets/{}", crate::BASE_PATH, self.name)
    }
}

/// One of them by its name; any other is not there, also one of another version.
pub(crate) async fn get(Path(name): Path<String>) -> Response {
    let Some(asset) = [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, asset.text).into_response()
}
