//! Lists of those who operate, to their ends.

use signalpost_core::operator_key::OperatorKey;
use signalpost_core::time::Timestamp;

use super::PAGE_ROWS;
use crate::catalog::ListOperatorKeys;
use crate::desk::{ListOperatorAccounts, ListOperatorSessions, OpenOperatorSession, OperatorLogin};
use crate::{Store, StoreError};

pub(super) async fn all_operator_keys(store: &dyn Store) -> Result<Vec<OperatorKey>, StoreError> {
    let mut found: Vec<OperatorKey> = Vec::new();
    loop {
        let after = found.last().map(|key| key.id);
        let page =
            store.list_operator_keys(ListOperatorKeys { workspace: None, after, limit: PAGE_ROWS }).await?;
        let Some(last) = page.last() else { return Ok(found) };
        assert!(after.is_none_or(|after| last.id > after), "the list of operator keys stands still");
        found.extend(page);
    }
}

pub(super) async fn all_operator_accounts(store: &dyn Store) -> Result<Vec<OperatorLogin>, StoreError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_operator_accounts(ListOperatorAccounts { after, limit: PAGE_ROWS }).await?;
        let Some(last) = page.last() else { return Ok(found) };
        assert!(after.is_none_or(|after| last.id > after), "the list of operator accounts stands still");
        after = Some(last.id);
        for account in page {
            found.extend(store.operator_account(account.username).await?);
        }
    }
}

/// Those too that have expired and are still there.
pub(super) async fn all_operator_sessions(store: &dyn Store) -> Result<Vec<OpenOperatorSession>, StoreError> {
    let mut found: Vec<OpenOperatorSession> = Vec::new();
    loop {
        let before = found.last().map(|open| open.session.id);
        let params = ListOperatorSessions { at: Timestamp::from_ms(i64::MIN), before, limit: PAGE_ROWS };
        let page = store.list_operator_sessions(params).await?;
        let Some(last) = page.last() else { return Ok(found) };
        assert!(before.is_none_or(|before| last.session.id < before), "the list of sessions stands still");
        found.extend(page);
    }
}
