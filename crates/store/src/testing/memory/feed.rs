//! The model's feed: events in order of their sequence.

use std::sync::Arc;

use signalpost_core::limits::PAGE_DATA_BYTES_MAX;
use signalpost_core::profile::FeedRule;

use super::data::Data;
use crate::StoreError;
use crate::ledger::{Feed, ReadFeed};

impl Data {
    /// It looks at as many events as there are.
    pub(super) fn feed(&self, params: &ReadFeed) -> Result<Option<Feed>, StoreError> {
        let Some(row) = self.living_workspace(params.workspace) else { return Ok(None) };
        if row.workspace.feed == FeedRule::Absent {
            return Err(StoreError::WrongState("the workspace keeps no feed"));
        }
        let oldest = row.expired_through;
        let after = params.after.unwrap_or(oldest);
        if after < oldest {
            return Ok(Some(Feed::Expired { oldest }));
        }
        let all = self.events_of(params.workspace).map(|row| &row.event);
        let mut behind: Vec<_> = all.filter(|event| event.sequence > after).collect();
        behind.sort_by_key(|event| event.sequence);
        let (mut events, mut next, mut bytes) = (Vec::new(), after, 0);
        for event in behind {
            if params.types.is_empty() || params.types.contains(&event.content.event_type) {
                if events.len() == params.limit || bytes >= PAGE_DATA_BYTES_MAX {
                    return Ok(Some(Feed::Page { events, next, more: true }));
                }
                bytes += event.content.data.len();
                events.push(Arc::clone(event));
            }
            next = event.sequence;
        }
        Ok(Some(Feed::Page { events, next, more: false }))
    }
}
