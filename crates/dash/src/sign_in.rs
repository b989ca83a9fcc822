//! Signing in with an operator key, and out.

use std::sync::Arc;

use axum::extract::{Form, FromRequest, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use maud::html;
use serde::Deserialize;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::desk::sessions::OpenedOperatorSession;

use crate::BASE_PATH;
use crate::desk::{Desk, neighbourhood};
use crate::look::frame;
use crate::trouble::{self, Page};
use crate::visit::{Posted, SESSION_COOKIE, check_origin};

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// The page that was wanted before.
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct Filled {
    key: String,
    #[serde(default)]
    next: String,
}

/// Of a form that is a button and nothing else.
#[derive(Deserialize)]
pub(crate) struct Nothing {}

pub(crate) async fn show(Query(asked): Query<Asked>) -> Response {
    form(StatusCode::OK, &asked.next, None)
}

pub(crate) async fn sign_in(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let next = String::new();
    let (from, origin) = (neighbourhood(&request), check_origin(request.headers()));
    if let Err(error) = origin {
        return form(trouble::status(error.code), &next, Some(&error));
    }
    let Form(Filled { key, next }) = match Form::from_request(request, &()).await {
        Ok(filled) => filled,
        Err(rejection) => {
            let error = Error::new(ErrorCode::Malformed, rejection.body_text());
            return form(rejection.status(), &next, Some(&error));
        }
    };
    let engine = desk.first();
    let key = key.trim();
    // The installation's own key opens always, whoever guesses beside it.
    let is_root = || desk.root.matches(key.as_bytes());
    let open = engine.open_session_by_key(key.as_bytes(), &desk.root);
    match desk.guesses.judged(from, engine.now(), is_root, open).await {
        Ok(opened) => signed_in(&opened, &next),
        Err(error) => {
            trouble::log(&error, "sign-in");
            form(trouble::status(error.code), &next, Some(&error))
        }
    }
}

pub(crate) async fn sign_out(Posted(visit, Nothing {}): Posted<Nothing>) -> Page {
    match visit.desk.first().end_operator_session(visit.visitor.session.id).await {
        // It has ended meanwhile.
        Err(error) if error.code == ErrorCode::NotFound => {}
        ended => ended?,
    }
    let cookie = format!("{SESSION_COOKIE}=; Path={BASE_PATH}; HttpOnly; SameSite=Lax; Max-Age=0");
    Ok(with_cookie(Redirect::to(&format!("{BASE_PATH}/sign-in")).into_response(), &cookie))
}

fn form(status: StatusCode, next: &str, error: Option<&Error>) -> Response {
    let content = html! {
        form method="post" action={ (BASE_PATH) "/sign-in" } {
            input type="hidden" name="next" value=(next);
            label for="key" { "Operator key" }
            input #key type="password" name="key" required autofocus autocomplete="current-password" spellcheck="false"
                aria-describedby=[error.map(|_| "wrong")] aria-invalid=[error.map(|_| "true")];
            @if let Some(error) = error { div.wrong #wrong role="alert" { (trouble::words(error)) } }
            button { "Sign in" }
        }
        p.muted {
            "The installation's own key lies in the data directory, in the file " code { "operator.key" }
            ", or in the variable " code { "SIGNALPOST_OPERATOR_KEY" } ". A key with the scope " code { "read" }
            " looks and changes nothing."
        }
    };
    frame::apart("Sign in", status, &content)
}

fn signed_in(opened: &OpenedOperatorSession, next: &str) -> Response {
    let OpenedOperatorSession { session, token } = opened;
    let seconds = session.expires_at.ms_since(session.created_at) / 1_000;
    let cookie = format!(
        "{SESSION_COOKIE}={}; Path={BASE_PATH}; HttpOnly; SameSite=Lax; Max-Age={seconds}",
        token.expose_text()
    );
    with_cookie(Redirect::to(if is_ours(next) { next } else { BASE_PATH }).into_response(), &cookie)
}

/// Whether it is a page of these. Anything else could lead to another site.
fn is_ours(next: &str) -> bool {
    let rest = next.strip_prefix(BASE_PATH);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    let cookie = HeaderValue::from_str(cookie).expect("tokens and numbers are good in a header");
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn nobody_is_led_to_another_site() {
        for ours in
            ["/dash", "/dash/workspaces", "/dash?x=1", "/dash/workspaces/ws_1/deliveries?status=failed"]
        {
            assert!(is_ours(ours), "{ours}");
        }
        let others = [
            "",
            "/",
            "//evil.example",
            "https://evil.example",
            "/dashboard",
            "/dash\\evil",
            "/dash/a b",
            "/dash/\n",
        ];
        for other in others {
            assert!(!is_ours(other), "{other:?}");
        }
    }
}
