//! Signing in with an operator key, and out.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{ORIGIN, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use maud::html;
use serde::Deserialize;
use signalpost_core::act::ActResult;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::secret::Secret;
use signalpost_engine::Engine;
use signalpost_engine::desk::sessions::OpenedOperatorSession;

use crate::BASE_PATH;
use crate::desk::{self, Desk, neighbourhood};
use crate::door::Door;
use crate::look::{frame, house};
use crate::on_record::Deed;
use crate::request::{self, Query};
use crate::trouble::{self, Page, Trouble};
use crate::visit::{Posted, check_origin};
use crate::who::Who;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// The page that was wanted before.
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct Filled {
    /// Of who has an account.
    #[serde(default)]
    name: String,
    /// A password, or an operator key where there is no name.
    key: String,
    #[serde(default)]
    next: String,
}

/// Of a form that is a button and nothing else.
#[derive(Deserialize)]
pub(crate) struct Nothing {}

pub(crate) async fn show(asked: Result<Query<Asked>, Trouble>) -> Response {
    let next = asked.map(|Query(asked)| asked.next).unwrap_or_default();
    form(StatusCode::OK, &next, None)
}

pub(crate) async fn sign_in(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let from = From {
        neighbourhood: neighbourhood(&request),
        address: desk::address(&request),
        request_id: desk::request_id(&request),
    };
    // Browsers say by which scheme they have the page. A cookie that came by TLS is not to go out without.
    let has_tls =
        request.headers().get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"));
    let secure = if has_tls { "; Secure" } else { "" };
    if let Err(error) = check_origin(request.headers(), &desk.house) {
        return form(trouble::status(error.code), "", Some(&error));
    }
    let Filled { name, key, next } = match request::form(request).await {
        Ok(filled) => filled,
        Err(error) => return form(trouble::status(error.code), "", Some(&error)),
    };
    match open(&desk, name.trim(), &Secret::from_text(&key), &from).await {
        Ok(opened) => signed_in(&opened, &next, secure),
        Err(error) => {
            trouble::log(&error, "sign-in");
            form(trouble::status(error.code), &next, Some(&error))
        }
    }
}

/// Where somebody comes from who signs in.
struct From {
    neighbourhood: Option<IpAddr>,
    address: Option<IpAddr>,
    request_id: String,
}

/// A session that is on record.
async fn open(desk: &Desk, name: &str, key: &Secret, from: &From) -> Result<OpenedOperatorSession, Error> {
    // The installation's own key opens always, whoever guesses beside it.
    let root = desk.root()?;
    let is_root = || name.is_empty() && root.matches(key.expose().trim_ascii());
    let open = async {
        match name {
            "" => open_by_key(desk, key.expose().trim_ascii()).await,
            name => Ok((desk.first(), desk.first().open_session_by_password(name, key).await?)),
        }
    };
    let now = desk.first().now();
    let (engine, opened) = desk.guesses.judged(from.neighbourhood, now, is_root, open).await?;
    let recorded = async {
        let visitor = engine.operator_visitor(opened.token.expose(), root).await?;
        let id = opened.session.id.to_public();
        let deed = Deed { action: "session.open", object: &id, workspace: None };
        let deed = deed.by(visitor.actor(), Door::Operators, from.address, &from.request_id);
        let act = desk.first().begin_act(deed).await?;
        desk.first().end_act(act, ActResult::Done { status: StatusCode::SEE_OTHER.as_u16() }).await
    };
    if let Err(error) = recorded.await {
        engine.end_operator_session(opened.session.id).await?;
        return Err(error);
    }
    Ok(opened)
}

/// In the cell of the key, which has its workspace too where it is bound to one.
async fn open_by_key<'d>(
    desk: &'d Desk,
    presented: &[u8],
) -> Result<(&'d Engine, OpenedOperatorSession), Error> {
    let root = desk.root()?;
    let place = if root.matches(presented) { None } else { desk.cells.of_operator(presented).await? };
    let engine = place.map_or_else(|| desk.first(), |place| &desk.cells.all()[place].engine);
    Ok((engine, engine.open_session_by_key(presented, root).await?))
}

pub(crate) async fn sign_out(Posted(visit, Nothing {}): Posted<Nothing>) -> Page {
    let Who::Operator(visitor) = &visit.who else {
        return Err(Error::internal("somebody else came in by the operators' door").into());
    };
    let session = visitor.session.id;
    let id = session.to_public();
    let deed = Deed { action: "session.end", object: &id, workspace: None };
    match visit.on_record(deed, visit.home().end_operator_session(session)).await {
        // It has ended meanwhile.
        Err(error) if error.code == ErrorCode::NotFound => {}
        ended => ended?,
    }
    let cookie =
        format!("{}=; Path={BASE_PATH}; HttpOnly; SameSite=Lax; Max-Age=0", Door::Operators.cookie());
    Ok(with_cookie(Redirect::to(&format!("{BASE_PATH}/sign-in")).into_response(), &cookie))
}

fn form(status: StatusCode, next: &str, error: Option<&Error>) -> Response {
    let content = html! {
        form method="post" action={ (BASE_PATH) "/sign-in" } {
            input type="hidden" name="next" value=(next);
            label for="name" { "Name " span.muted { "(none with a key)" } }
            input #name name="name" autocomplete="username" spellcheck="false" maxlength="256";
            label for="key" { "Password or operator key" }
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
    frame::apart(&house::OPERATORS, "Sign in", status, &content)
}

fn signed_in(opened: &OpenedOperatorSession, next: &str, secure: &str) -> Response {
    let OpenedOperatorSession { session, token } = opened;
    let seconds = session.expires_at.ms_since(session.created_at) / 1_000;
    let cookie = format!(
        "{}={}; Path={BASE_PATH}; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}",
        Door::Operators.cookie(),
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
