//! Who looks at a page, and what stands before every one: the session, and for what changes something the proof that one of our
//! own forms was sent.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, OriginalUri, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::header::{COOKIE, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::time::Timestamp;
use signalpost_engine::Engine;
use signalpost_engine::operator::Operator;
use signalpost_engine::to_its_end::to_its_end;

use crate::desk::{self, Desk, neighbourhood};
use crate::door::Door;
use crate::look::frame;
use crate::look::house::House;
use crate::paths::Paths;
use crate::request;
use crate::trouble::{self, Trouble};
use crate::who::Who;

/// Goes before a token where what a form proves is made of it, so that the proof is no part of what is stored.
const PROOF_OF: &[u8] = b"signalpost form";

/// A look at a page by somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) desk: Arc<Desk>,
    pub(crate) door: Door,
    pub(crate) who: Who,
    /// The cell that has the session.
    home: usize,
    pub(crate) paths: Paths,
    /// What every form carries. It cannot be read by other sites, nor made without the session's token.
    pub(crate) proof: String,
    pub(crate) now: Timestamp,
    /// The page's own address with its query.
    pub(crate) here: String,
    pub(crate) address: Option<IpAddr>,
    pub(crate) request_id: String,
}

impl Visit {
    /// The engine that has a workspace.
    pub(crate) async fn engine_of(&self, workspace: &str) -> Result<&Engine, Error> {
        self.desk.of_workspace(&self.who, workspace).await
    }

    /// The engine that has the session.
    pub(crate) fn home(&self) -> &Engine {
        &self.desk.cells.all()[self.home].engine
    }

    /// The place of that engine among the cells.
    pub(crate) const fn home_place(&self) -> usize {
        self.home
    }

    /// Who this is to the API: what they may hand out.
    pub(crate) async fn caller(&self) -> Result<Operator, Error> {
        match &self.who {
            Who::Operator(visitor) => self.home().caller_of(visitor).await,
            Who::Customer(_) => Err(Error::new(ErrorCode::Forbidden, "this is for those who operate")),
        }
    }

    /// `Unauthenticated` when the session has ended while the form was arriving.
    pub(crate) async fn confirm(&self) -> Result<(), Error> {
        self.home().confirm(&self.who.pass()).await
    }

    /// `Forbidden` for who only looks.
    pub(crate) fn must_act(&self) -> Result<(), Error> {
        self.must(self.who.acts(), "looks and changes nothing")
    }

    /// `Forbidden` for who does not change webhooks.
    pub(crate) fn must_manage_webhooks(&self) -> Result<(), Error> {
        self.must(self.who.manages_webhooks(), "does not change webhooks, nor see their secrets")
    }

    fn must(&self, may: bool, why_not: &str) -> Result<(), Error> {
        let refused =
            || Error::new(ErrorCode::Forbidden, format!("the role `{}` {why_not}", self.who.role()));
        if may { Ok(()) } else { Err(refused()) }
    }

    /// `Forbidden` for who does not administer, and for who is bound to a workspace.
    pub(crate) fn must_administer_all(&self) -> Result<(), Error> {
        if self.who.administers_all() {
            return Ok(());
        }
        Err(Error::new(ErrorCode::Forbidden, "this is for those who administer the whole installation"))
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        let visit = parts.extensions.get::<Self>().cloned();
        visit.ok_or_else(|| Error::internal("nobody has judged who looks").into())
    }
}

/// Stands before every page but the one to sign in at.
pub(crate) async fn let_in(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    let original = request.extensions().get::<OriginalUri>().map(|OriginalUri(uri)| uri);
    let here = original.unwrap_or_else(|| request.uri()).path_and_query();
    let here = here.map_or_else(|| "/".to_owned(), ToString::to_string);
    let door = desk.house.door;
    let token = cookie(request.headers(), door.cookie()).map(str::to_owned);
    let judged = match &token {
        Some(token) => desk.visitor(token.as_bytes(), neighbourhood(&request)).await,
        None => Err(Error::new(ErrorCode::Unauthenticated, "nobody is signed in")),
    };
    let (who, home) = match judged {
        Ok(known) => known,
        Err(error) if error.code == ErrorCode::Unauthenticated => {
            return nobody(&desk, request.method(), &here, &error);
        }
        Err(error) => {
            let (status, words) = (trouble::status(error.code), trouble::words(&error));
            return frame::apart(&desk.house, "Not now", status, &words);
        }
    };
    let now = desk.first().now();
    let proof = proof_of(&token.unwrap_or_default());
    let (address, request_id) = (desk::address(&request), desk::request_id(&request));
    let paths = Paths::behind(door);
    let visit = Visit { desk, door, who, home, paths, proof, now, here, address, request_id };
    request.extensions_mut().insert(visit.clone());
    let changes = *request.method() != Method::GET;
    let work = next.run(request);
    // What is about to change something goes on to its end, whether or not its caller waits for it.
    let response = if changes {
        let done = to_its_end(&*visit.desk.tasks, work).await;
        done.unwrap_or_else(|error| Trouble::from(error).into_response())
    } else {
        work.await
    };
    match response.extensions().get::<Trouble>() {
        Some(Trouble(error)) => {
            trouble::log(error, &visit.here);
            frame::refusal(&visit, error)
        }
        None => response,
    }
}

/// Operators sign in; customers come by a link, which is not ours to make.
fn nobody(desk: &Desk, method: &Method, here: &str, error: &Error) -> Response {
    match desk.house.door {
        Door::Operators => to_sign_in(method, here),
        Door::Customers => crate::portal::open::ask_for_link(&desk.house, error),
    }
}

/// Whoever wanted to read something comes back to it; what was to be done is not repeated.
fn to_sign_in(method: &Method, here: &str) -> Response {
    let base = crate::BASE_PATH;
    if *method != Method::GET {
        return Redirect::to(&format!("{base}/sign-in")).into_response();
    }
    let next = utf8_percent_encode(here, NON_ALPHANUMERIC);
    Redirect::to(&format!("{base}/sign-in?next={next}")).into_response()
}

/// A form that one of our pages has sent, with what was filled in.
pub(crate) struct Posted<T>(pub(crate) Visit, pub(crate) T);

#[derive(Deserialize)]
struct Proven<T> {
    proof: String,
    #[serde(flatten)]
    fields: T,
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for Posted<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, _: &S) -> Result<Self, Trouble> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, &()).await?;
        check_origin(&parts.headers, &visit.desk.house)?;
        let Proven { proof, fields } = request::form(Request::from_parts(parts, body)).await?;
        // Both are hashes of a secret; how long the comparison takes tells nothing about it.
        if proof != visit.proof {
            return Err(Error::new(
                ErrorCode::Forbidden,
                "this form is of another session; go back, load the page again and repeat what you did",
            )
            .into());
        }
        visit.confirm().await?;
        Ok(Self(visit, fields))
    }
}

/// Browsers say which site a form was sent from: it is the one that was asked, or the one under which we are known, where a
/// proxy asks by another name.
pub(crate) fn check_origin(headers: &HeaderMap, house: &House) -> Result<(), Error> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let sent_from = origin.and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    if sent_from.is_some() && (sent_from == host || origin == house.origin.as_deref()) {
        return Ok(());
    }
    Err(Error::new(ErrorCode::Forbidden, "this form was sent from another site"))
}

fn proof_of(token: &str) -> String {
    BASE64.encode(Sha256::new().chain_update(PROOF_OF).chain_update(token).finalize())
}

pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    // Others than ours may hold anything, as texts that are not ASCII.
    let pairs = headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let mut values =
        pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    values.find_map(|value| std::str::from_utf8(value).ok())
}
