//! Keys of the operator side: minted, found by hash, revoked at once, rotated with an overlap.
//!
//! The root key is no key of this kind: it belongs to the installation and opens everything.

use signalpost_core::credential::{CredentialHash, preview_of};
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::{OperatorKeyId, WorkspaceId};
use signalpost_core::limits::{KEY_OVERLAP_S_MAX, KEY_RATE_PER_S_MAX};
use signalpost_core::operator_key::{OperatorKey, has_form, mint};
use signalpost_core::rate::RateLimit;
use signalpost_core::scope::{Scope, permits};
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;
use signalpost_core::workspace::check_name;
use signalpost_store::catalog::{ListOperatorKeys, RotateOperatorKey};
use signalpost_store::{Done, Effect};

use crate::Engine;
use crate::once::Keep;
use crate::operator::Operator;
use crate::pass::{Pass, Realm};

#[derive(Clone, Debug)]
pub struct NewOperatorKey {
    pub name: Option<String>,
    pub scopes: Vec<Scope>,
    /// Public id of the workspace that the key is to be bound to.
    pub workspace: Option<String>,
    pub rate_limit_per_s: Option<u32>,
    pub expires_at: Option<Timestamp>,
}

/// A key with the public id of the workspace that it is bound to.
#[derive(Clone, Debug)]
pub struct ShownOperatorKey {
    pub key: OperatorKey,
    pub workspace: Option<String>,
}

/// A key with the only sight of its secret.
#[derive(Debug)]
pub struct IssuedOperatorKey {
    pub shown: ShownOperatorKey,
    pub secret: Secret,
}

/// A key's successor, and until when the key itself stays valid.
#[derive(Debug)]
pub struct RotatedOperatorKey {
    pub next: IssuedOperatorKey,
    pub previous_expires_at: Timestamp,
}

impl Engine {
    /// Finds out who presents this key. `Unauthenticated` whatever is wrong with it: unknown, expired or revoked.
    /// What does not have the form of a minted key is refused without asking the store.
    pub async fn authenticate_operator(&self, presented: &[u8]) -> Result<Operator, Error> {
        let refused = || Error::new(ErrorCode::Unauthenticated, "the operator key is missing or invalid");
        if !has_form(presented) {
            return Err(refused());
        }
        let hash = CredentialHash::of(presented);
        let found = self.operator_keys.find(hash, || self.store.operator_key_by_hash(hash)).await?;
        let (key, generation) = found.ok_or_else(refused)?;
        if !key.is_valid_at(self.clock.now()) {
            return Err(refused());
        }
        let pass = Pass { realm: Realm::Operators, hash, generation, expires_at: key.expires_at };
        Ok(Operator::Key { key, pass })
    }

    /// Whether [`Self::authenticate_operator`] can judge this without the store.
    pub fn knows_operator_key(&self, presented: &[u8]) -> bool {
        has_form(presented) && self.operator_keys.knows(&CredentialHash::of(presented))
    }

    /// `Forbidden` for what is beyond the minter's own rights, `NotFound` for a workspace that it may not know of.
    pub async fn create_operator_key(
        &self,
        minter: &Operator,
        new: NewOperatorKey,
        keep: Option<Keep<'_, IssuedOperatorKey>>,
    ) -> Result<Done<IssuedOperatorKey, Vec<u8>>, Error> {
        let now = self.clock.now();
        check(&new, now)?;
        let workspace = self.binding_of_new(minter, new.workspace.as_deref()).await?;
        let secret = self.mint_operator_secret();
        let key = OperatorKey {
            id: OperatorKeyId::from_raw(self.mint_id()),
            name: new.name,
            scopes: Scope::ALL.into_iter().filter(|scope| new.scopes.contains(scope)).collect(),
            workspace,
            rate: new.rate_limit_per_s.map(RateLimit::of_key),
            preview: preview_of(secret.expose_text()),
            created_at: now,
            expires_at: new.expires_at,
            successor: None,
        };
        check_within(minter, &key)?;
        let effect = Effect::CreateOperatorKey(key.clone(), CredentialHash::of(secret.expose()));
        let issued = IssuedOperatorKey { shown: ShownOperatorKey { key, workspace: new.workspace }, secret };
        let done = self.carry_out(minter.binding(), effect, &issued, keep.as_ref()).await?;
        Ok(done.map_now(|()| issued))
    }

    /// Keys that the caller may know of, oldest first, after `after`; `NotFound` for a workspace that it may not.
    pub async fn list_operator_keys(
        &self,
        caller: &Operator,
        workspace: Option<&str>,
        after: Option<OperatorKeyId>,
        limit: usize,
    ) -> Result<Vec<ShownOperatorKey>, Error> {
        let wanted = match workspace {
            Some(workspace) => Some(self.visible_workspace(caller, workspace).await?),
            None => caller.binding(),
        };
        let keys =
            self.store.list_operator_keys(ListOperatorKeys { workspace: wanted, after, limit }).await?;
        let mut shown = Vec::with_capacity(keys.len());
        for key in keys {
            shown.push(self.show_operator_key(key).await?);
        }
        Ok(shown)
    }

    pub async fn operator_key(&self, caller: &Operator, id: &str) -> Result<ShownOperatorKey, Error> {
        let key = self.visible_operator_key(caller, id).await?;
        self.show_operator_key(key).await
    }

    /// When this returns the key opens nothing any more.
    pub async fn revoke_operator_key(&self, caller: &Operator, id: &str) -> Result<(), Error> {
        self.take_away(async {
            let key = self.visible_operator_key(caller, id).await?;
            let revoked = self.store.revoke_operator_key(key.id).await;
            // Also after a failure: the store may have revoked it and lost the answer.
            self.forget_operator_key(key.id);
            Ok(revoked?)
        })
        .await
    }

    /// Mints a successor with the same properties; the key itself ends after `overlap_s`, or when it would have
    /// ended. `Conflict` for one that has expired or was rotated before: its own end is the overlap's by then, and a
    /// second successor would end with it. `Forbidden` for one whose properties are beyond the caller's own.
    pub async fn rotate_operator_key(
        &self,
        caller: &Operator,
        id: &str,
        overlap_s: u64,
        keep: Option<Keep<'_, RotatedOperatorKey>>,
    ) -> Result<Done<RotatedOperatorKey, Vec<u8>>, Error> {
        self.take_away(self.replace_operator_key(caller, id, overlap_s, keep)).await
    }

    async fn replace_operator_key(
        &self,
        caller: &Operator,
        id: &str,
        overlap_s: u64,
        keep: Option<Keep<'_, RotatedOperatorKey>>,
    ) -> Result<Done<RotatedOperatorKey, Vec<u8>>, Error> {
        if overlap_s > KEY_OVERLAP_S_MAX {
            return Err(Error::field("overlap_s", format!("must be from 0 to {KEY_OVERLAP_S_MAX}")));
        }
        let now = self.clock.now();
        let previous = self.visible_operator_key(caller, id).await?;
        check_within(caller, &previous)?;
        if let Some(successor) = previous.successor {
            return Err(rotated_before(successor));
        }
        if !previous.is_valid_at(now) {
            return Err(Error::new(ErrorCode::Conflict, "the key has expired; make a new one"));
        }
        let overlap_ms = i64::try_from(overlap_s * 1_000).expect("30 days fit");
        let ends_at = now.plus_ms(overlap_ms);
        let secret = self.mint_operator_secret();
        let next = OperatorKey {
            id: OperatorKeyId::from_raw(self.mint_id()),
            preview: preview_of(secret.expose_text()),
            created_at: now,
            successor: None,
            ..previous.clone()
        };
        let effect = Effect::RotateOperatorKey(RotateOperatorKey {
            previous: previous.id,
            ends_at,
            next: next.clone(),
            hash: CredentialHash::of(secret.expose()),
        });
        let rotated = RotatedOperatorKey {
            next: IssuedOperatorKey { shown: self.show_operator_key(next).await?, secret },
            previous_expires_at: previous.expires_at.map_or(ends_at, |end| end.min(ends_at)),
        };
        let done = self.carry_out(caller.binding(), effect, &rotated, keep.as_ref()).await;
        self.forget_operator_key(previous.id);
        Ok(done?.map_now(|()| rotated))
    }

    /// `NotFound` also for a key that the caller may not know of.
    async fn visible_operator_key(&self, caller: &Operator, id: &str) -> Result<OperatorKey, Error> {
        let missing = || Error::not_found("operator key");
        let id = OperatorKeyId::from_public(id).ok_or_else(missing)?;
        let found = self.store.operator_key(id).await?;
        let seen = found.filter(|key| caller.binding().is_none() || key.workspace == caller.binding());
        seen.ok_or_else(missing)
    }

    /// `NotFound` also for a workspace that the caller may not know of.
    async fn visible_workspace(&self, caller: &Operator, public_id: &str) -> Result<WorkspaceId, Error> {
        let found = self.directory.id(public_id).await?;
        if caller.sees(found) { Ok(found) } else { Err(Error::not_found("workspace")) }
    }

    async fn binding_of_new(
        &self,
        minter: &Operator,
        workspace: Option<&str>,
    ) -> Result<Option<WorkspaceId>, Error> {
        match workspace {
            Some(workspace) => self.visible_workspace(minter, workspace).await.map(Some),
            None if minter.binding().is_none() => Ok(None),
            None => {
                let message = "a key that is bound to a workspace can only make keys bound to the same one; name \
                               it in `workspace`";
                Err(Error::new(ErrorCode::Forbidden, message))
            }
        }
    }

    async fn show_operator_key(&self, key: OperatorKey) -> Result<ShownOperatorKey, Error> {
        let workspace = match key.workspace {
            None => None,
            // It may have been erased a moment ago, and its keys with it.
            Some(id) => self.public_id_of(id).await?,
        };
        Ok(ShownOperatorKey { key, workspace })
    }

    fn mint_operator_secret(&self) -> Secret {
        mint(&mut |bytes| self.random.fill(bytes))
    }
}

/// Nobody can hand out what they do not hold: no right, no later end, no higher rate.
fn check_within(minter: &Operator, key: &OperatorKey) -> Result<(), Error> {
    let forbidden = |message| Err(Error::new(ErrorCode::Forbidden, message));
    if let Some(scope) = key.scopes.iter().find(|scope| !permits(minter.scopes(), **scope)) {
        return forbidden(format!(
            "this key does not hold `{}`, so it cannot give it to another",
            scope.name()
        ));
    }
    let Operator::Key { key: own, .. } = minter else { return Ok(()) };
    if let Some(end) = own.expires_at
        && key.expires_at.is_none_or(|wanted| wanted > end)
    {
        let end = end.to_rfc3339_ms();
        return forbidden(format!("this key ends at {end}, so it cannot make one that ends later or never"));
    }
    if let Some(RateLimit { per_s, .. }) = own.rate
        && key.rate.is_none_or(|wanted| wanted.per_s > per_s)
    {
        return forbidden(format!(
            "this key may make {per_s} calls a second, so it cannot make one that may make more"
        ));
    }
    Ok(())
}

fn rotated_before(successor: OperatorKeyId) -> Error {
    let message = format!(
        "the key was rotated before, and its successor is `{}`; if nobody has the successor's secret, revoke it and \
         make a new key",
        successor.to_public()
    );
    Error::new(ErrorCode::Conflict, message)
}

fn check(new: &NewOperatorKey, now: Timestamp) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    errors.take("name", new.name.as_deref().map_or(Ok(()), check_name));
    if new.scopes.is_empty() {
        errors.push("scopes", "must name at least one scope");
    }
    if new.expires_at.is_some_and(|end| end <= now) {
        errors.push("expires_at", "must be in the future");
    }
    if new.rate_limit_per_s.is_some_and(|per_s| !(1..=KEY_RATE_PER_S_MAX).contains(&per_s)) {
        errors.push("rate_limit_per_s", format!("must be from 1 to {KEY_RATE_PER_S_MAX}"));
    }
    errors.into_result()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn key(scopes: &[Scope], expires_ms: Option<i64>, per_s: Option<u32>) -> OperatorKey {
        OperatorKey {
            id: OperatorKeyId::from_raw(1),
            name: None,
            scopes: scopes.to_vec(),
            workspace: None,
            rate: per_s.map(RateLimit::of_key),
            preview: String::new(),
            created_at: Timestamp::from_ms(0),
            expires_at: expires_ms.map(Timestamp::from_ms),
            successor: None,
        }
    }

    fn holder(key: OperatorKey) -> Operator {
        let (hash, expires_at) = (CredentialHash::of(b"x"), key.expires_at);
        let pass = Pass { realm: Realm::Operators, hash, generation: 0, expires_at };
        Operator::Key { key: Arc::new(key), pass }
    }

    fn code(minter: &Operator, wanted: &OperatorKey) -> Option<ErrorCode> {
        check_within(minter, wanted).err().map(|error| error.code)
    }

    /// Making keys takes `admin` today, which holds everything; this does not rely on it.
    #[test]
    fn nobody_hands_out_a_scope_that_they_do_not_hold() {
        let with = |scopes: &[Scope]| key(scopes, None, None);
        assert_eq!(code(&Operator::Root, &with(&Scope::ALL)), None);
        assert_eq!(code(&holder(with(&[Scope::Admin])), &with(&Scope::ALL)), None);
        assert_eq!(code(&holder(with(&[Scope::Read])), &with(&[Scope::Read])), None);
        for beyond in [Scope::Publish, Scope::Admin] {
            let reader = holder(with(&[Scope::Read]));
            assert_eq!(code(&reader, &with(&[Scope::Read, beyond])), Some(ErrorCode::Forbidden));
        }
    }

    #[test]
    fn nobody_hands_out_more_time_or_a_higher_rate_than_they_have() {
        let with = |expires_ms, per_s| key(&[Scope::Admin], expires_ms, per_s);
        let forbidden = Some(ErrorCode::Forbidden);
        for (own, wanted, expected) in [
            ((None, None), (None, None), None),
            ((None, None), (Some(5), Some(5)), None),
            ((Some(9), None), (Some(9), None), None),
            ((Some(9), None), (Some(10), None), forbidden),
            ((Some(9), None), (None, None), forbidden),
            ((None, Some(5)), (None, Some(5)), None),
            ((None, Some(5)), (None, Some(6)), forbidden),
            ((None, Some(5)), (None, None), forbidden),
        ] {
            let (minter, wanted) = (holder(with(own.0, own.1)), with(wanted.0, wanted.1));
            assert_eq!(code(&minter, &wanted), expected, "{minter:?} {wanted:?}");
            assert_eq!(code(&Operator::Root, &wanted), None);
        }
    }
}
