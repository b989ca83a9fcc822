//! Forms that are larger than those of other pages: so many at once, for each is held in memory whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method};
use signalpost_core::error::{Error, ErrorCode};

use crate::router::FORM_BYTES_MAX;
use crate::trouble::Trouble;

/// On their way at one door: 50 MiB of them.
const LARGE_FORMS_MAX: usize = 16;

/// Those that are on their way.
#[derive(Default)]
pub(crate) struct LargeForms(AtomicUsize);

/// The place of one, until it is dropped.
struct Place(Arc<LargeForms>);

impl LargeForms {
    fn take(self: &Arc<Self>) -> Option<Place> {
        let more = |taken| (taken < LARGE_FORMS_MAX).then_some(taken + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Place(Arc::clone(self)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Stands before a form that may be large. Whoever comes when there are too many is told to come back.
pub(crate) async fn admit(State(forms): State<Arc<LargeForms>>, request: Request, next: Next) -> Response {
    if *request.method() == Method::GET || is_small(request.headers()) {
        return next.run(request).await;
    }
    let Some(_place) = forms.take() else {
        let message = "too many large forms are on their way; send it again in a moment";
        return Trouble::from(Error::new(ErrorCode::Unavailable, message)).into_response();
    };
    next.run(request).await
}

/// What does not say how long it is may be long.
fn is_small(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length <= FORM_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_have_a_place_and_give_it_back() {
        let forms = Arc::new(LargeForms::default());
        let mut places: Vec<Place> = (0..LARGE_FORMS_MAX).filter_map(|_| forms.take()).collect();
        assert_eq!(places.len(), LARGE_FORMS_MAX);
        assert!(forms.take().is_none());
        places.pop();
        let again = forms.take();
        assert!(again.is_some() && forms.take().is_none());
    }

    #[test]
    fn what_does_not_say_that_it_is_small_is_not() {
        let of = |length: &'static str| {
            HeaderMap::from_iter([(CONTENT_LENGTH, http::HeaderValue::from_static(length))])
        };
        assert!(is_small(&of("0")) && is_small(&of("65536")));
        assert!(!is_small(&of("65537")) && !is_small(&of("x")) && !is_small(&HeaderMap::new()));
    }
}
