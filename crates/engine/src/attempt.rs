//! One attempt: render, sign, send, judge.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use signalpost_core::attempt::{Attempt, Exchange, Failure, Outcome, Timing, Verdict};
use signalpost_core::concurrency::Load;
use signalpost_core::custom_header::MASKED;
use signalpost_core::delivery::Due;
use signalpost_core::event::{Event, Sequence};
use signalpost_core::health::{self, Health, ReleaseOrder, after_attempt};
use signalpost_core::id::WorkspaceId;
use signalpost_core::lane_group::GroupEpoch;
use signalpost_core::limits::{ANSWER_KEPT_FAILURE_BYTES, ANSWER_KEPT_SUCCESS_BYTES, DELIVERY_STEPS_MAX};
use signalpost_core::masking::Masking;
use signalpost_core::ports::{OutboundRequest, Random, Transport};
use signalpost_core::profile::DeliveryProfile;
use signalpost_core::retry::{Ended, asked_for, decide};
use signalpost_core::sign::Signer;
use signalpost_core::template::{Scope, Template};
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::DisableReason;
use signalpost_store::ledger::{Backlog, Finished, HealthChange};

use crate::lane::Epoch;
use crate::lane_config::{LaneConfig, Target};
use crate::permit::Permit;

/// An attempt that has ended and is not yet recorded.
#[derive(Debug)]
pub(crate) struct EndedAttempt {
    pub(crate) config: Rc<LaneConfig>,
    pub(crate) due: Due,
    pub(crate) accepted_at: Timestamp,
    started_at: Timestamp,
    request_headers: Vec<(Arc<str>, String)>,
    exchange: Exchange,
}

/// A planned attempt that did not begin: its webhook changed first, or is another node's.
#[derive(Debug)]
pub(crate) struct Unbegun {
    pub(crate) due: Due,
    pub(crate) event: Arc<Event>,
}

/// Makes the request and sends it. Only the clock reading is taken from outside.
///
/// Some time may pass between planning this and its first poll, which is when the attempt begins.
pub(crate) async fn run(
    config: Rc<LaneConfig>,
    permit: Permit,
    event: Arc<Event>,
    due: Due,
    started_at: Timestamp,
    transport: Rc<dyn Transport>,
) -> Result<EndedAttempt, Unbegun> {
    if config.superseded.get() || !permit.holds() {
        return Err(Unbegun { due, event });
    }
    let (request_headers, exchange) = match &config.target {
        Ok(target) => {
            let request = render(&config, target, &event, due, started_at);
            (shown_headers(&request), shown_exchange(transport.send(request).await, &target.masking))
        }
        Err(problem) => (Vec::new(), not_sent(problem)),
    };
    Ok(EndedAttempt { config, due, accepted_at: event.accepted_at, started_at, request_headers, exchange })
}

fn render(config: &LaneConfig, target: &Target, event: &Event, due: Due, at: Timestamp) -> OutboundRequest {
    let delivery_id = due.id.to_public();
    let scope = Scope {
        event,
        workspace: &config.workspace_public_id,
        webhook: &config.webhook_public_id,
        delivery: &delivery_id,
        attempt_at: at,
        body: b"",
        signature: "",
    };
    let body = Bytes::from(config.profile.body_of(event).render(scope));
    let scope = Scope { body: &body, ..scope };
    let headers = headers(&config.profile.delivery, target.signer.as_ref(), scope);
    OutboundRequest {
        url: Arc::clone(&target.url),
        headers,
        secret_headers: Arc::clone(&target.headers),
        body,
        timeout: config.policy.timeout,
    }
}

/// Without a signer nothing is sent that a signature would stand in.
fn headers(delivery: &DeliveryProfile, signer: Option<&Signer>, scope: Scope<'_>) -> Vec<(Arc<str>, String)> {
    let carry_it = |(_, value): &(Arc<str>, Template)| value.needs_signature();
    let signature =
        signer.filter(|_| delivery.headers.iter().any(carry_it)).map(|signer| signer.newest(scope));
    let signed = Scope { signature: signature.as_deref().unwrap_or_default(), ..scope };
    let mut headers = Vec::with_capacity(delivery.headers.len() + 1);
    let sent = delivery.headers.iter().filter(|header| signer.is_some() || !carry_it(header));
    headers.extend(sent.map(|(name, value)| (Arc::clone(name), value.render_text(signed))));
    headers.extend(signer.map(|signer| signer.sign(scope)));
    headers
}

/// The headers as they go into the record: what the owner has sent along may be a credential.
fn shown_headers(request: &OutboundRequest) -> Vec<(Arc<str>, String)> {
    let masked = request.secret_headers.iter().map(|(name, _)| (Arc::clone(name), MASKED.to_owned()));
    request.headers.iter().cloned().chain(masked).collect()
}

/// The exchange as it goes into the record: a receiver may say again what it was sent, or what it signs with.
fn shown_exchange(exchange: Exchange, masking: &Masking) -> Exchange {
    let detail = match masking.mask(exchange.detail.as_bytes()) {
        Cow::Borrowed(_) => None,
        Cow::Owned(masked) => Some(String::from_utf8_lossy(&masked).into_owned()),
    };
    let answer = match masking.mask(&exchange.answer) {
        Cow::Borrowed(_) => None,
        Cow::Owned(masked) => Some(Bytes::from(masked)),
    };
    Exchange {
        detail: detail.unwrap_or(exchange.detail),
        answer: answer.unwrap_or(exchange.answer),
        ..exchange
    }
}

fn not_sent(problem: &str) -> Exchange {
    Exchange {
        outcome: Outcome::Failed(Failure::Internal),
        detail: format!("The request could not be made: {problem}."),
        retry_after: None,
        timing: Timing::default(),
        answer: Bytes::new(),
    }
}

impl EndedAttempt {
    pub(crate) const fn outcome(&self) -> Outcome {
        self.exchange.outcome
    }

    pub(crate) const fn duration_us(&self) -> u64 {
        self.exchange.timing.total_us
    }

    /// From the event's acceptance to its delivery. One that was sent again measures how long somebody took to ask for it: a replay
    /// of last week would hide what live ones take. A pause that held a delivery leaves it out, too.
    pub(crate) fn latency_ms(&self, now: Timestamp) -> Option<u64> {
        let is_live = self.due.steps == self.due.tries;
        let delivered = is_live && self.outcome().is_success();
        delivered.then(|| u64::try_from(now.ms_since(self.accepted_at)).expect("never below zero"))
    }

    /// What it says about its receiver's capacity.
    pub(crate) fn load(&self) -> Load {
        Load::of(self.outcome())
    }

    /// For how long its receiver wants to be left alone.
    pub(crate) fn asked_for(&self) -> Duration {
        asked_for(self.outcome(), self.exchange.retry_after)
    }

    /// Decides what follows. `before` is how the webhook fared before this attempt, `group` the epoch under which it began.
    pub(crate) fn judge(
        self,
        before: Health,
        group: GroupEpoch,
        now: Timestamp,
        random: &dyn Random,
    ) -> Judged {
        let (due, policy) = (self.due, &self.config.policy);
        let outcome = self.exchange.outcome;
        let ended = health::Ended { outcome, began_at: self.started_at, now };
        let after = after_attempt(policy.health(), before, ended);
        let verdict = self.verdict(after.health, now, random);
        let is_back = before.hold.is_some() && after.health.hold.is_none();
        let skips = is_back && policy.release == ReleaseOrder::Skip;
        let backlog = if skips { Backlog::Skipped } else { Backlog::Kept };
        let changed = after.health != before || after.disable.is_some();
        let health =
            changed.then_some(HealthChange { health: after.health, disable: after.disable, backlog });
        let ending = Ending {
            due,
            workspace: self.config.workspace,
            verdict,
            disabled: after.disable,
            backlog,
            latency_ms: self.latency_ms(now),
            epoch: Epoch::default(),
            ends_upto: None,
        };
        let finished = Finished {
            workspace: self.config.workspace,
            due,
            attempt: self.into_record(verdict),
            health,
            concurrency: None,
            epoch: group,
        };
        Judged { finished, ending }
    }

    /// What a paused webhook is owed stays owed; it is not tried for ever, for its history is read as a whole.
    fn verdict(&self, health: Health, now: Timestamp, random: &dyn Random) -> Verdict {
        let (outcome, due) = (self.exchange.outcome, self.due);
        match health.hold {
            Some(hold) if !outcome.is_success() && due.steps < DELIVERY_STEPS_MAX => {
                Verdict::HeldUntil(hold.next_probe(now))
            }
            _ => {
                let (schedule, retry_after) = (&self.config.policy.retry, self.exchange.retry_after);
                let ended = Ended { outcome, tries: due.tries + 1, schedule, retry_after, now };
                decide(ended, &mut |bound| random.up_to(bound))
            }
        }
    }

    fn into_record(self, verdict: Verdict) -> Attempt {
        let outcome = self.exchange.outcome;
        let kept = if outcome.is_success() { ANSWER_KEPT_SUCCESS_BYTES } else { ANSWER_KEPT_FAILURE_BYTES };
        Attempt {
            number: self.due.steps + 1,
            at: self.started_at,
            outcome,
            verdict,
            detail: self.exchange.detail,
            timing: self.exchange.timing,
            request_headers: self
                .request_headers
                .into_iter()
                .map(|(name, value)| (name.to_string(), value))
                .collect(),
            answer: self.exchange.answer.slice(..self.exchange.answer.len().min(kept)),
        }
    }
}

/// An attempt with everything that was decided on it: for the store, and for the lane once that is stored.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) finished: Finished,
    pub(crate) ending: Ending,
}

/// What the lane has to know when the outcome is recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    pub(crate) due: Due,
    pub(crate) workspace: WorkspaceId,
    pub(crate) verdict: Verdict,
    /// Set when this attempt ended the webhook.
    pub(crate) disabled: Option<DisableReason>,
    pub(crate) backlog: Backlog,
    /// From the event's acceptance, where this delivered it and nothing had put it off.
    pub(crate) latency_ms: Option<u64>,
    /// As its lane has numbered it.
    pub(crate) epoch: Epoch,
    /// Set where it [closes](Self::closes) its lane: what was born up to here and has not started ends with it.
    pub(crate) ends_upto: Option<Sequence>,
}

impl Ending {
    /// Whether nothing of its lane may start before it is recorded.
    pub(crate) fn closes(&self) -> bool {
        self.disabled.is_some() || self.backlog == Backlog::Skipped
    }

    /// What is owed next, if anything.
    pub(crate) fn next_due(&self) -> Option<Due> {
        let due_at = self.verdict.next_at()?;
        let tries = self.due.tries_after(self.verdict);
        Some(Due { due_at, steps: self.due.steps + 1, tries, ..self.due })
    }
}

#[cfg(test)]
pub(crate) mod tests;
