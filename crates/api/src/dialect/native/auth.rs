//! Who calls, and what they may: the one place where operator keys are judged.
//!
//! A request passes three questions: whose key is it, may the key know of what the path names, and does it hold the
//! scope that the call needs. The last one stands before every handler ([`permit`]), so that none can do without.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::extract::{FromRequestParts, RawPathParams, Request};
use http::HeaderMap;
use signalpost_core::credential::CredentialHash;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::OperatorKeyId;
use signalpost_core::rate::{Allowance, Granted, RateLimit};
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;
use signalpost_engine::Engine;
use signalpost_engine::cells::Cells;
use signalpost_engine::guesses::Guesses;
use signalpost_engine::limiter::Limiter;
use signalpost_engine::operator::Operator;
use signalpost_engine::pass::Pass;

use crate::kit::auth::bearer;

use crate::kit::operation::Access;
use crate::kit::refusal::Refusal;

/// Who may use the operator side, and whether the process still wants work.
#[derive(Clone, Debug)]
pub struct OperatorAccess {
    /// Hash of the key that opens everything.
    pub key_hash: CredentialHash,
    /// Set once the process is stopping: `/readyz` says so, everything else goes on.
    pub draining: Arc<AtomicBool>,
}

/// Judges callers, and remembers how fast they call.
pub(super) struct Gate {
    root: Secret,
    guesses: Guesses,
    keys: Limiter<OperatorKeyId>,
}

/// What a limited key's answers say of its limit.
pub(super) type Pace = Option<(RateLimit, Allowance)>;

/// Who calls, and the place of the cell that says so. Put into a request's extensions.
#[derive(Clone)]
pub(super) struct Judged {
    pub(super) operator: Operator,
    pub(super) cell: usize,
}

/// Put into a request's extensions once it is known that its path names nothing beyond the caller's workspace.
#[derive(Clone, Copy)]
struct WithinBinding;

impl Gate {
    pub(super) fn new(access: &OperatorAccess) -> Self {
        let root = Secret::new(access.key_hash.0.to_vec());
        Self { root, guesses: Guesses::default(), keys: Limiter::default() }
    }

    /// `Unauthenticated` unless the request carries a good key; `RateLimited` from an address with many bad ones, except
    /// for the installation's own key, which opens always.
    pub(super) async fn authenticate(
        &self,
        cells: &Cells,
        headers: &HeaderMap,
        from: Option<IpAddr>,
    ) -> Result<Judged, Error> {
        let presented = bearer(headers);
        if presented.is_some_and(|presented| self.root.matches(&CredentialHash::of(presented).0)) {
            return Ok(Judged { operator: Operator::Root, cell: 0 });
        }
        let knows = |engine: &Engine| presented.is_some_and(|presented| engine.knows_operator_key(presented));
        let is_known = || cells.all().iter().any(|cell| knows(&cell.engine));
        let judge = async {
            let judged = match presented {
                Some(presented) => judged(cells, presented).await,
                None => Err(Error::new(ErrorCode::Unauthenticated, "")),
            };
            judged.map_err(named)
        };
        self.guesses.judged(from, cells.first().engine.now(), is_known, judge).await
    }

    /// `RateLimited` when a limited key calls too fast.
    pub(super) fn check_pace(&self, now: Timestamp, operator: &Operator) -> Result<Pace, (Error, Pace)> {
        let Operator::Key { key, .. } = operator else { return Ok(None) };
        let Some(limit) = key.rate else { return Ok(None) };
        let allowance = self.keys.take(key.id, limit, now);
        let pace = Some((limit, allowance));
        match allowance.granted {
            Granted::Yes => Ok(pace),
            Granted::No { retry_after_s } => {
                let message = format!("this key may make {} calls a second", limit.per_s);
                Err((Error::too_fast(message, retry_after_s), pace))
            }
        }
    }
}

/// By the cell that has the key, or by the first of several.
async fn judged(cells: &Cells, presented: &[u8]) -> Result<Judged, Error> {
    let cell = cells.of_operator(presented).await?.unwrap_or(0);
    let operator = cells.all()[cell].engine.authenticate_operator(presented).await?;
    Ok(Judged { operator, cell })
}

fn named(error: Error) -> Error {
    if error.code != ErrorCode::Unauthenticated {
        return error;
    }
    let message = "the operator key is missing, wrong or expired; send `Authorization: Bearer <key>`";
    Error { message: message.to_owned(), ..error }
}

/// Lets a key that is bound to a workspace see no other: what belongs to another one does not exist for it.
pub(super) async fn check_binding(
    engine: &Engine,
    operator: &Operator,
    request: Request,
) -> Result<Request, Error> {
    let (mut parts, body) = request.into_parts();
    if operator.binding().is_none() {
        parts.extensions.insert(WithinBinding);
    } else if let Ok(path) = RawPathParams::from_request_parts(&mut parts, &()).await {
        for (name, value) in &path {
            let owner = match name {
                "workspace" => engine.workspace_id(value).await?,
                "delivery" => engine.owner_of(value).await?,
                _ => continue,
            };
            if !operator.sees(owner) {
                return Err(Error::not_found(if name == "workspace" { "workspace" } else { "delivery" }));
            }
            parts.extensions.insert(WithinBinding);
        }
    }
    Ok(Request::from_parts(parts, body))
}

/// Stands before every handler of this surface. Returns by what the caller was let in.
pub(super) fn permit(request: &Request, access: Access) -> Result<Option<Pass>, Refusal> {
    let (needed, own_part) = match access {
        Access::Open => return Ok(None),
        Access::Credential | Access::Right(_) => {
            return Err(Error::internal("the operator side knows no customers' credentials").into());
        }
        Access::Scope(scope) => (scope, false),
        Access::OwnPart(scope) => (scope, true),
    };
    let nobody = || Error::new(ErrorCode::Unauthenticated, "nobody has judged who calls");
    let operator = request.extensions().get::<Operator>().ok_or_else(nobody)?;
    operator.check_scope(needed)?;
    if own_part || request.extensions().get::<WithinBinding>().is_some() {
        return Ok(operator.pass());
    }
    let message = "this key is bound to a workspace, and this call is about the installation as a whole";
    Err(Error::new(ErrorCode::Forbidden, message).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use signalpost_core::scope::Scope;

    fn request(operator: Option<Operator>, within: Option<WithinBinding>) -> Request {
        let mut request = Request::new(Body::empty());
        if let Some(operator) = operator {
            request.extensions_mut().insert(operator);
        }
        if let Some(within) = within {
            request.extensions_mut().insert(within);
        }
        request
    }

    #[test]
    fn nobody_is_nobody_and_what_nobody_has_judged_is_refused() {
        let code =
            |request: &Request, access| permit(request, access).err().map(|refusal| refusal.error().code);
        let (read, own) = (Access::Scope(Scope::Read), Access::OwnPart(Scope::Read));
        let stranger = request(None, Some(WithinBinding));
        assert_eq!(code(&stranger, read), Some(ErrorCode::Unauthenticated));
        assert_eq!(code(&stranger, Access::Open), None);
        assert_eq!(code(&request(Some(Operator::Root), Some(WithinBinding)), read), None);
        let beyond = request(Some(Operator::Root), None);
        assert_eq!(code(&beyond, read), Some(ErrorCode::Forbidden));
        assert_eq!(code(&beyond, own), None);
    }
}
