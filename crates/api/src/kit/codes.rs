//! Every stable error code: its status, what it means and what a caller does about it. Problems are rendered from
//! here, and the documents and the page of errors say the same.

use http::StatusCode;
use signalpost_core::error::ErrorCode;

/// What is promised of a code.
pub(crate) struct Meaning {
    pub(crate) status: StatusCode,
    /// A sentence: what happened.
    pub(crate) what: &'static str,
    /// A sentence: what the caller does now.
    pub(crate) advice: &'static str,
    /// Seconds after which another try makes sense, where that is known beforehand.
    pub(crate) retry_after_s: Option<u32>,
}

/// The operator side's promises; a dialect has its vendor's.
pub(crate) fn meaning(code: ErrorCode) -> Meaning {
    let (status, what, advice) = match code {
        ErrorCode::Malformed => (
            StatusCode::BAD_REQUEST,
            "The body cannot be read: it is not the JSON that is expected, or it ended early.",
            "Send well-formed JSON in UTF-8. `detail` names line and column.",
        ),
        ErrorCode::UnsupportedMediaType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body's content type is missing, or it is not one that this call reads.",
            "Send one of the content types that `detail` names.",
        ),
        ErrorCode::Invalid => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "The request was read and breaks a rule.",
            "`errors` names every broken rule with its place; mend all of them and send the request again.",
        ),
        ErrorCode::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body, the number of events in it or the work for filters is above the limit that `detail` names.",
            "Send less at once. Keep large content elsewhere and publish a reference to it.",
        ),
        ErrorCode::RequestTimeout => (
            StatusCode::REQUEST_TIMEOUT,
            "The request did not arrive within the time that a caller has for it.",
            "Send it again, over a connection that is fast enough.",
        ),
        ErrorCode::Unauthenticated => (
            StatusCode::UNAUTHORIZED,
            "There is no operator key, or it is unknown, expired or revoked.",
            "Send `Authorization: Bearer <operator key>`, once.",
        ),
        ErrorCode::Forbidden => (
            StatusCode::FORBIDDEN,
            "The key is good and does not have the right that this call needs.",
            "Use a key with the scope that the call's description names.",
        ),
        ErrorCode::NotFound => (
            StatusCode::NOT_FOUND,
            "There is no such path, or no such object that this key can see.",
            "Compare path and ids with what earlier answers gave. What was deleted stays gone.",
        ),
        ErrorCode::MethodNotAllowed => (
            StatusCode::METHOD_NOT_ALLOWED,
            "The path exists and does not offer this method.",
            "Use one of the methods in the header `Allow`.",
        ),
        ErrorCode::Conflict => (
            StatusCode::CONFLICT,
            "The state of the object, or another object, stands against the request.",
            "Read `detail`; look at the object, and decide again.",
        ),
        ErrorCode::LimitReached => (
            StatusCode::CONFLICT,
            "There are as many objects of this kind as there may be; `detail` names the limit.",
            "Delete one that is not needed any more, and send the request again.",
        ),
        ErrorCode::KeyReused => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "The idempotency key was used with another request within the last 24 hours.",
            "Give every new request a key of its own; repeat a request with the very same bytes.",
        ),
        ErrorCode::RateLimited => (
            StatusCode::TOO_MANY_REQUESTS,
            "The caller sends more requests than it may.",
            "Wait as long as `Retry-After` says, and send fewer.",
        ),
        ErrorCode::Misdirected => (
            StatusCode::MISDIRECTED_REQUEST,
            "This process has the role `worker`: it delivers, and does not serve the API. Nothing was looked at or stored.",
            "Send it to a process with the role `api` or `all`.",
        ),
        ErrorCode::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The request cannot be taken now. Nothing was stored.",
            "Send it again after `Retry-After`, with growing delays.",
        ),
        ErrorCode::StorageFull => (
            StatusCode::INSUFFICIENT_STORAGE,
            "The disk has no room for more. Nothing was stored; deliveries and reads go on.",
            "Make room on the server's disk, or shorten retention; then send the request again.",
        ),
        ErrorCode::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The fault is ours. Details are in the server's log under the `request_id`.",
            "Look into the log, and report what you find.",
        ),
    };
    Meaning { status, what, advice, retry_after_s: retry_after_s(code) }
}

/// An overloaded writer is free again within the second, and so is a caller's rate unless the answer knows better; a
/// full disk takes somebody's hand.
const fn retry_after_s(code: ErrorCode) -> Option<u32> {
    match code {
        ErrorCode::Unavailable | ErrorCode::RateLimited => Some(1),
        ErrorCode::StorageFull => Some(30),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_status_and_two_sentences() {
        let statuses = ErrorCode::ALL.map(|code| meaning(code).status.as_u16());
        assert_eq!(
            statuses,
            [400, 415, 422, 413, 408, 401, 403, 404, 405, 409, 409, 422, 429, 421, 503, 507, 500]
        );
        for code in ErrorCode::ALL {
            let Meaning { what, advice, .. } = meaning(code);
            assert!(what.ends_with('.') && advice.ends_with('.'), "{}", code.name());
        }
    }
}
