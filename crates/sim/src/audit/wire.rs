//! What went over the wire: to whom, when, and the same each time.

use std::collections::BTreeMap;

use signalpost_store::ledger::DeliveryRecord;

use super::health::may_be_woken;
use super::{Evidence, farewell, promises, recorded, removed, succeeded};
use crate::facts::{Life, Promise, Scope, WebhookFacts};
use crate::network::{DELIVERY_HEADER, EVENT_HEADER, OWN_HEADER, Sent, WEBHOOK_HEADER, WORKSPACE_HEADER};

pub(super) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    let listed = by_id(evidence);
    for sent in evidence.sent {
        let found = [
            check_place(evidence, sent),
            check_content(evidence, sent),
            check_origin(evidence, &listed, sent),
        ];
        let shown = |finding| format!("p{} {} to {}: {finding}", sent.process, sent.at.wall, sent.url);
        findings.extend(found.into_iter().flatten().map(shown));
    }
    for (delivery, sent) in &evidence.by_delivery {
        findings.extend(check_sameness(sent).map(|finding| format!("delivery {delivery}: {finding}")));
    }
    for webhook in evidence.webhooks.values() {
        findings.extend(check_off(evidence, webhook));
        findings.extend(check_failing(evidence, webhook));
        findings.extend(farewell::check_sent(evidence, webhook));
    }
    findings
}

/// The webhook lived, was active and had this URL and this header of its own when the request started, as far as its owner could know.
fn check_place(evidence: &Evidence<'_>, sent: &Sent) -> Option<String> {
    let Some(webhook) = evidence.webhooks.get(sent.header(WEBHOOK_HEADER)) else {
        return Some("a webhook that nobody made".to_owned());
    };
    let workspace = &evidence.facts.workspaces[webhook.workspace];
    if sent.header(WORKSPACE_HEADER) != workspace.public_id || !workspace.hosts.contains(&sent.host) {
        return Some(format!("{} got what belongs to {}", sent.host, workspace.public_id));
    }
    if farewell::is_one(sent) {
        return farewell::check_place(evidence, webhook, sent);
    }
    let states = webhook.between(sent.at, sent.at);
    let mut known = states.iter().flatten();
    let fits = known.any(|wanted| {
        let token = wanted.token.as_deref().unwrap_or_default();
        wanted.life == Life::Active && wanted.url == sent.url && sent.header(OWN_HEADER) == token
    });
    (!fits).then(|| format!("its webhook was {states:?} at {:?}", sent.at))
}

/// The body, put together a second time from what the producer said.
fn check_content(evidence: &Evidence<'_>, sent: &Sent) -> Option<String> {
    if farewell::is_one(sent) {
        return farewell::check_content(evidence, sent);
    }
    let body = String::from_utf8_lossy(&sent.body);
    let Some(number) = sent.event_number() else {
        return Some(format!("a body of another form: {body}"));
    };
    let Some(event) = evidence.facts.events.get(number) else { return Some("an event of nobody".to_owned()) };
    let subject = match &event.subject {
        Some(subject) => format!("\"{}\"", subject.replace('"', "\\\"")),
        None => "null".to_owned(),
    };
    let head = format!("{{\"type\":\"{}\",\"subject\":{subject},\"sequence\":", event.event_type);
    let tail = format!(",\"data\":{}}}", String::from_utf8_lossy(&event.data));
    let good = body.starts_with(&head) && body.ends_with(&tail);
    let id = event.producer_id.as_deref();
    let named = id.is_none_or(|id| sent.header(EVENT_HEADER) == id);
    (!good || !named).then(|| format!("event {number} went out as {:?} {body}", sent.header(EVENT_HEADER)))
}

/// Deliveries in the lists by public id, each with its place among the workspaces.
type Listed<'a> = BTreeMap<String, (usize, &'a DeliveryRecord)>;

fn by_id<'a>(evidence: &Evidence<'a>) -> Listed<'a> {
    let of_each = evidence.lists.iter().flat_map(|(place, lists)| {
        lists.deliveries.iter().map(|record| (record.summary.id.to_public(), (*place, record)))
    });
    of_each.collect()
}

/// What is sent was stored: its delivery is listed, and is of that event and webhook. What was refused is nowhere. An erased
/// workspace has no lists any more.
fn check_origin(evidence: &Evidence<'_>, listed: &Listed<'_>, sent: &Sent) -> Option<String> {
    let webhook = evidence.webhooks.get(sent.header(WEBHOOK_HEADER))?;
    if farewell::is_one(sent) {
        return None;
    }
    let number = sent.event_number()?;
    let event = evidence.facts.events.get(number)?;
    if event.promise == Promise::Refused {
        return Some(format!("event {number} was refused and is sent"));
    }
    let delivery = sent.header(DELIVERY_HEADER);
    let Some((place, record)) = listed.get(delivery) else {
        let lives = evidence.lists.contains_key(&webhook.workspace);
        let removed = removed::may_be_gone(evidence, event);
        return (lives && !removed).then(|| format!("delivery {delivery} of event {number} is in no list"));
    };
    let same = *place == webhook.workspace
        && record.summary.webhook == webhook.public_id
        && promises::number_of(evidence, *place, &record.event).is_none_or(|known| known == number);
    (!same)
        .then(|| format!("delivery {delivery} carries event {number}, and is listed as {:?}", record.summary))
}

/// A retry says the same as the attempt before it.
fn check_sameness(sent: &[&Sent]) -> Option<String> {
    let face = |sent: &Sent| {
        let header = |name: &str| sent.header(name).to_owned();
        (header(EVENT_HEADER), header(WEBHOOK_HEADER), header(WORKSPACE_HEADER), sent.body.clone())
    };
    let changed = sent.windows(2).find(|pair| face(pair[0]) != face(pair[1]))?;
    Some(format!("{:?} became {:?}", face(changed[0]), face(changed[1])))
}

/// What has ended its webhook is known to its process at once, and to those after it when it had time to be recorded. They
/// start nothing more for the webhook, until its owner switches it on again.
fn check_off(evidence: &Evidence<'_>, webhook: &WebhookFacts) -> Option<String> {
    let sent = evidence.by_webhook.get(webhook.public_id.as_str())?;
    for trip in &evidence.trips_of(webhook)?.sure {
        let ended = trip.ended.at;
        let lasting = recorded::must_be(evidence, trip.sent);
        let late = |next: &&&Sent| {
            let known = next.process == trip.sent.process || lasting;
            known && next.at.us > ended.us && !may_be_woken(webhook, ended, next.at)
        };
        if let Some(next) = sent.iter().find(late) {
            let why = if trip.ended.outcome.status() == Some(410) { "was gone" } else { "failed too often" };
            let (id, (process, at)) = (&webhook.public_id, (next.process, next.at));
            return Some(format!(
                "webhook {id} {why} at {ended:?} for p{} and was sent to by p{process} at {at:?}",
                trip.sent.process
            ));
        }
    }
    None
}

/// A webhook that only fails gets no more requests than its rule needs to switch it off: what is in flight and the
/// failures since the last success are never more than the limit, in one process and since its owner switched it on.
fn check_failing(evidence: &Evidence<'_>, webhook: &WebhookFacts) -> Option<String> {
    let limit = evidence.facts.workspaces[webhook.workspace].style.rule.consecutive_failures?;
    let limit = usize::try_from(limit).expect("small");
    let sent = evidence.by_webhook.get(webhook.public_id.as_str())?;
    for (place, next) in sent.iter().enumerate() {
        let before = || sent[..place].iter().filter(|sent| sent.process == next.process);
        let forgiven_us = forgiven_us(webhook, before(), next);
        let failed = |sent: &&&Sent| {
            let ended = sent.ended.filter(|ended| ended.at < next.at && ended.at.us > forgiven_us);
            ended.is_some_and(|ended| !succeeded(ended.outcome))
        };
        let in_flight = |sent: &&&Sent| sent.ended.is_none_or(|ended| ended.at > next.at);
        let (failures, abreast) = (before().filter(failed).count(), before().filter(in_flight).count());
        if failures + abreast >= limit {
            return Some(format!(
                "webhook {} was sent to at {:?} with {failures} failures and {abreast} requests in flight",
                webhook.public_id, next.at
            ));
        }
    }
    None
}

/// The last moment before a request at which failures may have been forgotten; zero when there is none.
fn forgiven_us<'a>(webhook: &WebhookFacts, before: impl Iterator<Item = &'a &'a Sent>, next: &Sent) -> u64 {
    let ended = before.filter_map(|sent| sent.ended).filter(|ended| ended.at < next.at);
    let succeeded = ended.filter(|ended| succeeded(ended.outcome)).map(|ended| ended.at.us);
    let woken = webhook.changes.iter().filter(|change| {
        change.scope == Scope::Life && change.wanted.life == Life::Active && change.called < next.at
    });
    let woken = woken.map(|change| change.done.map_or(next.at.us, |done| done.us.min(next.at.us)));
    succeeded.chain(woken).max().unwrap_or(0)
}
