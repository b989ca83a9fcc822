//! What a lane is told of its webhook, and is not true or not true any more.

use std::collections::BTreeMap;
use std::sync::Mutex;

use signalpost_core::id::WebhookId;
use signalpost_core::policy::RetrySchedule;
use signalpost_store::catalog::LaneRecord;

use crate::plant::Plant;
use crate::profiles::all_styles;

/// First answers about lanes, kept for as long as the process lives.
#[derive(Default)]
pub(crate) struct FirstAnswers(Mutex<BTreeMap<WebhookId, LaneRecord>>);

impl FirstAnswers {
    /// What a lane is told under this plant.
    pub(crate) fn bend(
        &self,
        plant: Plant,
        webhook: WebhookId,
        fresh: Option<LaneRecord>,
    ) -> Option<LaneRecord> {
        match plant {
            Plant::StaleLane => self.first(webhook, fresh),
            Plant::StaleSecrets => {
                let first = self.first(webhook, fresh.clone());
                fresh.map(|fresh| with_secrets_of(fresh, first))
            }
            Plant::StaleKey => {
                let first = self.first(webhook, fresh.clone());
                let key = first.and_then(|first| first.signing_key);
                fresh.map(|fresh| LaneRecord { signing_key: key, ..fresh })
            }
            Plant::OneRetryTooMany => fresh.map(with_one_retry_more),
            Plant::ForgetMaxInFlight => fresh.map(|mut fresh| {
                fresh.webhook.ceilings.in_flight = None;
                fresh
            }),
            Plant::ForgetRate => fresh.map(|mut fresh| {
                fresh.webhook.ceilings.rate = None;
                fresh
            }),
            _ => fresh,
        }
    }

    /// The first answer that there was, also when there is none any more.
    fn first(&self, webhook: WebhookId, fresh: Option<LaneRecord>) -> Option<LaneRecord> {
        let mut kept = self.0.lock().expect("nobody panics while looking");
        if let Some(record) = &fresh {
            kept.entry(webhook).or_insert_with(|| record.clone());
        }
        kept.get(&webhook).cloned()
    }
}

fn with_secrets_of(mut fresh: LaneRecord, first: Option<LaneRecord>) -> LaneRecord {
    if let Some(first) = first {
        fresh.webhook.secret = first.webhook.secret;
        fresh.webhook.previous_secrets = first.webhook.previous_secrets;
    }
    fresh
}

fn with_one_retry_more(mut record: LaneRecord) -> LaneRecord {
    let own = record.webhook.patience.retry.as_ref().or(record.workspace.policy.retry.as_ref());
    let style = all_styles().find(|style| style.name == record.workspace.dialect);
    let general = style.expect("workspaces of this world have a style").schedule_s;
    let mut delays_s = own.map_or_else(|| general.to_vec(), RetrySchedule::as_seconds);
    delays_s.push(delays_s.last().copied().unwrap_or(1));
    record.webhook.patience.retry = Some(RetrySchedule::from_seconds(&delays_s).expect("short and few"));
    record
}
