//! Which cell has something. The rows are the directory: each is asked, and what one remembers without its store is asked
//! first, so that calls of workspaces that are in use reach no other cell.

use std::sync::Arc;

use futures_util::future::join_all;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::root_key::RootKey;

use super::Cells;
use crate::Engine;

impl Cells {
    pub async fn of_workspace(&self, public_id: &str) -> Result<Option<usize>, Error> {
        let known = |engine: &Engine| engine.knows_workspace(public_id);
        let has = |engine: Arc<Engine>| async move { found(engine.workspace_id(public_id).await) };
        self.that_has(known, has).await
    }

    pub async fn of_delivery(&self, public_id: &str) -> Result<Option<usize>, Error> {
        let has = |engine: Arc<Engine>| async move { found(engine.owner_of(public_id).await) };
        self.that_has(|_| false, has).await
    }

    pub async fn of_credential(&self, presented: &[u8]) -> Result<Option<usize>, Error> {
        let known = |engine: &Engine| engine.knows_credential(presented);
        self.that_has(known, |engine| async move { engine.has_credential(presented).await }).await
    }

    pub async fn of_session(&self, presented: &[u8]) -> Result<Option<usize>, Error> {
        let known = |engine: &Engine| engine.knows_session(presented);
        self.that_has(known, |engine| async move { engine.has_session(presented).await }).await
    }

    /// Whether a cell can judge a credential without its store.
    pub fn knows_credential(&self, presented: &[u8]) -> bool {
        self.all().iter().any(|cell| cell.engine.knows_credential(presented))
    }

    /// Whether a cell can judge the key of a user's session without its store.
    pub fn knows_session(&self, key: &[u8]) -> bool {
        self.all().iter().any(|cell| cell.engine.knows_session(key))
    }

    /// By the workspace that a link names. `Unauthenticated` where it is none of ours, or has expired.
    pub async fn of_portal_link(&self, token: &[u8]) -> Result<Option<usize>, Error> {
        let link = self.first().engine.read_portal_link(token)?;
        self.of_workspace(&link.workspace).await
    }

    pub async fn of_portal_session(&self, token: &[u8]) -> Result<Option<usize>, Error> {
        let known = |engine: &Engine| engine.knows_portal_session(token);
        self.that_has(known, |engine| async move { engine.has_portal_session(token).await }).await
    }

    /// Whether a cell can judge the token of a customer's session without its store.
    pub fn knows_portal_session(&self, token: &[u8]) -> bool {
        self.all().iter().any(|cell| cell.engine.knows_portal_session(token))
    }

    pub async fn of_user(&self, dialect: &str, username: &str) -> Result<Option<usize>, Error> {
        self.that_has(|_| false, |engine| async move { engine.has_user(dialect, username).await }).await
    }

    pub async fn of_operator_key(&self, public_id: &str) -> Result<Option<usize>, Error> {
        self.that_has(|_| false, |engine| async move { engine.has_operator_key(public_id).await }).await
    }

    pub async fn of_operator(&self, presented: &[u8]) -> Result<Option<usize>, Error> {
        let known = |engine: &Engine| engine.knows_operator_key(presented);
        let has =
            |engine: Arc<Engine>| async move { authenticated(engine.authenticate_operator(presented).await) };
        self.that_has(known, has).await
    }

    pub async fn of_operator_session(&self, token: &[u8], root: &RootKey) -> Result<Option<usize>, Error> {
        let known = |engine: &Engine| engine.knows_operator_session(token);
        let has =
            |engine: Arc<Engine>| async move { authenticated(engine.operator_visitor(token, root).await) };
        self.that_has(known, has).await
    }

    /// Whether a cell can judge the token of an operator's session without its store.
    pub fn knows_operator_session(&self, token: &[u8]) -> bool {
        self.all().iter().any(|cell| cell.engine.knows_operator_session(token))
    }

    /// The place of the first that has it. What nobody has who answers may be with one who does not: then it is that one's error,
    /// for nothing may be taken for gone that is only out of reach.
    async fn that_has<F>(
        &self,
        known: impl Fn(&Engine) -> bool,
        has: impl Fn(Arc<Engine>) -> F,
    ) -> Result<Option<usize>, Error>
    where
        F: Future<Output = Result<bool, Error>>,
    {
        if !self.is_divided() {
            return Ok(Some(0));
        }
        if let Some(place) = self.all().iter().position(|cell| known(&cell.engine)) {
            return Ok(Some(place));
        }
        let asked = join_all(self.all().iter().map(|cell| has(Arc::clone(&cell.engine)))).await;
        if let Some(place) = asked.iter().position(|has| matches!(has, Ok(true))) {
            return Ok(Some(place));
        }
        let none: Result<Vec<bool>, Error> = asked.into_iter().collect();
        none.map(|_| None)
    }
}

fn authenticated<T>(judged: Result<T, Error>) -> Result<bool, Error> {
    match judged {
        Err(error) if error.code == ErrorCode::Unauthenticated => Ok(false),
        judged => judged.map(|_| true),
    }
}

fn found<T>(asked: Result<T, Error>) -> Result<bool, Error> {
    match asked {
        Err(error) if error.code == ErrorCode::NotFound => Ok(false),
        asked => asked.map(|_| true),
    }
}
