//! Who signs in, as somebody who calls the API: what they may hand out to others is the same.

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::operator_session::Opener;
use signalpost_core::scope::Scope;

use super::sessions::OperatorVisitor;
use crate::Engine;
use crate::operator::Operator;

impl Engine {
    /// A session of a key hands out no more than the key; the installation's own key, and an admin with an account, everything.
    /// `Forbidden` for who does not administer, `Unauthenticated` when the key has gone meanwhile.
    pub async fn caller_of(&self, visitor: &OperatorVisitor) -> Result<Operator, Error> {
        if !visitor.role().administers() {
            let message = format!("this needs the scope `{}`", Scope::Admin.name());
            return Err(Error::new(ErrorCode::Forbidden, message));
        }
        match visitor.session.opener {
            Opener::Root { .. } | Opener::Account(_) => Ok(Operator::Root),
            Opener::Key(id) => {
                let gone = || Error::new(ErrorCode::Unauthenticated, "the operator key was revoked");
                let key = self.store.operator_key(id).await?.ok_or_else(gone)?;
                Ok(Operator::Key { key: key.into(), pass: visitor.pass() })
            }
        }
    }
}
