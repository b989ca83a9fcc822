//! What the engine says of why events were sent, or were not: it must be what may have been true when they were accepted.

use signalpost_core::explain::{Answer, Judgement};
use signalpost_core::webhook::DisableReason;
use signalpost_engine::explain::{Explanation, Explanations};

use super::Evidence;
use crate::facts::{EventFacts, Life, Wanted, WebhookFacts, number_in};
use crate::filters::Says;
use crate::ground::Moment;

pub(super) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    for lists in evidence.lists.values() {
        for explained in &lists.explained {
            let event = &explained.event;
            let facts = number_in(&event.content.data).and_then(|number| evidence.facts.events.get(number));
            findings.extend(check_targets(explained));
            // Without its payload nobody knows which event it is; what nobody sent is found elsewhere.
            let Some(facts) = facts else { continue };
            for row in &explained.rows {
                let Some(webhook) = evidence.webhooks.get(row.webhook.public_id()) else { continue };
                if !may_be(evidence, facts, webhook, &row.answer) {
                    let (id, said) = (event.id.to_public(), (row.webhook.public_id(), &row.answer));
                    findings.push(format!("event {id} is explained as {said:?}, which cannot be"));
                }
            }
        }
    }
    findings
}

/// It was sent to its targets, and to nobody else, and each is told once.
fn check_targets(explained: &Explanations) -> Option<String> {
    let sent = |row: &&Explanation| matches!(row.answer, Answer::Sent(_));
    let mut told: Vec<_> = explained.rows.iter().filter(sent).map(|row| row.webhook.id()).collect();
    let mut targets = explained.event.targets.clone();
    told.sort_unstable();
    targets.sort_unstable();
    (told != targets).then(|| {
        format!(
            "event {} is said to be sent to {told:?}, and was to {targets:?}",
            explained.event.id.to_public()
        )
    })
}

/// Whether an answer may be true, from what its callers know of the webhook while the event was published and since.
fn may_be(evidence: &Evidence<'_>, event: &EventFacts, webhook: &WebhookFacts, answer: &Answer) -> bool {
    let ended = event.ended.unwrap_or(event.called);
    let asked = evidence.facts.listed.unwrap_or(ended);
    let then = Telling { evidence, event, webhook, from: event.called, to: ended };
    let now = Telling { from: asked, to: asked, ..then };
    match answer {
        // Held against the targets, and those against the wishes.
        Answer::Sent(_) => true,
        Answer::CreatedLater(made_of_it) => then.states().contains(&None) && now.may_judge(made_of_it),
        Answer::ChangedLater(made_of_it) => {
            let changed =
                webhook.changes.iter().any(|change| change.done.is_none_or(|done| done >= event.called));
            (changed || evidence.may_go_off(webhook, event.called, asked)) && now.may_judge(made_of_it)
        }
        // One that was wanted all along was meant for another webhook alone, and nobody here sends such.
        Answer::NotSent(Judgement::Wanted) => false,
        Answer::NotSent(judgement) => then.may_judge(judgement),
    }
}

/// What is said of a webhook and an event, and of which time.
#[derive(Clone, Copy)]
struct Telling<'a> {
    evidence: &'a Evidence<'a>,
    event: &'a EventFacts,
    webhook: &'a WebhookFacts,
    from: Moment,
    to: Moment,
}

impl Telling<'_> {
    fn states(&self) -> Vec<Option<&Wanted>> {
        self.webhook.between(self.from, self.to)
    }

    /// Whether the webhook, as it may have been at some moment of that time, makes this of the event.
    fn may_judge(&self, judgement: &Judgement) -> bool {
        match judgement {
            Judgement::Inactive(DisableReason::Gone | DisableReason::Failing) => {
                self.evidence.may_be_off(self.webhook, self.from, self.to)
            }
            _ => self.states().into_iter().flatten().any(|wanted| holds(wanted, self.event, judgement)),
        }
    }
}

fn holds(wanted: &Wanted, event: &EventFacts, judgement: &Judgement) -> bool {
    let selects = wanted.selects(&event.event_type);
    match judgement {
        Judgement::Deleted => wanted.life == Life::Deleted,
        Judgement::Inactive(_) => wanted.life == Life::Disabled,
        Judgement::TypeNotSelected => wanted.life == Life::Active && !selects,
        Judgement::SubjectDiffers => {
            wanted.life == Life::Active
                && selects
                && wanted.subject.is_some()
                && wanted.subject != event.subject
        }
        Judgement::FilteredOut => wanted.would_want(event) && wanted.filter_says(event) == Says::Refuses,
        Judgement::FilterFailed(_) => {
            wanted.would_want(event) && wanted.filter_says(event) == Says::CannotTell
        }
        Judgement::Wanted => wanted.wants(event),
        // Only events are looked at whose payload is there.
        Judgement::PayloadRemoved => false,
    }
}
