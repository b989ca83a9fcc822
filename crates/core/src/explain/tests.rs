//! Every combination of what an answer depends on.

use super::*;
use crate::delivery::CutReason;
use crate::event::{EventContent, Sequence};
use crate::id::{CredentialId, EventId, WebhookId, WorkspaceId};
use crate::matching::wants;
use crate::principal::Principal;
use crate::time::Timestamp;
use crate::webhook::{EventSelection, Tombstone, tests};
use bytes::Bytes;

const AT: Timestamp = Timestamp::from_ms(1_700_000_000_000);

fn event() -> Event {
    Event {
        id: EventId::from_raw(1),
        workspace: WorkspaceId::from_raw(1),
        sequence: Sequence(10),
        content: EventContent {
            producer_id: None,
            event_type: "order.paid".to_owned(),
            subject: Some("a".to_owned()),
            time: AT,
            attributes: Vec::new(),
            data: Bytes::from_static(b"{}"),
            ordering_key: None,
        },
        targets: Vec::new(),
        accepted_at: AT,
        payload_removed_at: None,
    }
}

/// Made and settled after these numbers.
fn living(created_after: i64, settled_after: i64) -> Webhook {
    Webhook {
        created_after: Sequence(created_after),
        settled_after: Sequence(settled_after),
        ..tests::webhook()
    }
}

fn tombstone(created_after: i64, settled_after: i64, deleted_by: Option<Principal>) -> Remembered {
    Remembered::Deleted(Tombstone {
        id: WebhookId::from_raw(1),
        workspace: WorkspaceId::from_raw(1),
        public_id: "wh_1".to_owned(),
        created_after: Sequence(created_after),
        settled_after: Sequence(settled_after),
        deleted_at: AT,
        deleted_by,
    })
}

fn off(reason: DisableReason) -> WebhookState {
    WebhookState::Disabled { at: AT, reason }
}

fn only(entries: &[&str]) -> EventSelection {
    EventSelection::Only(entries.iter().map(|entry| (*entry).to_owned()).collect())
}

/// Every combination of what a judgement looks at, against the order written out once more.
#[test]
fn the_first_reason_in_the_order_is_given() {
    let states = [WebhookState::Active].into_iter().chain(DisableReason::ALL.map(off));
    let selections =
        [(EventSelection::All, true), (only(&["order.*"]), true), (only(&["order.late"]), false)];
    let subjects = [(None, true), (Some("a"), true), (Some("b"), false)];
    let verdicts = [
        (FilterVerdict::Admits, Judgement::Wanted),
        (FilterVerdict::Refuses, Judgement::FilteredOut),
        (FilterVerdict::Failed("no such key".to_owned()), Judgement::FilterFailed("no such key".to_owned())),
        (FilterVerdict::PayloadRemoved, Judgement::PayloadRemoved),
    ];
    let mut combinations = 0;
    for state in states {
        for (events, selected) in &selections {
            for (subject, about) in subjects {
                for (verdict, filtered) in &verdicts {
                    let subject = subject.map(str::to_owned);
                    let webhook = Webhook { state, events: events.clone(), subject, ..living(0, 0) };
                    let expected = match state {
                        WebhookState::Disabled { reason, .. } => Judgement::Inactive(reason),
                        WebhookState::Active if !selected => Judgement::TypeNotSelected,
                        WebhookState::Active if !about => Judgement::SubjectDiffers,
                        WebhookState::Active => filtered.clone(),
                    };
                    let mut asked = false;
                    let remembered = Remembered::Living(Box::new(webhook.clone()));
                    let judged = judge(&event(), &remembered, |_| {
                        asked = true;
                        verdict.clone()
                    });
                    assert_eq!(judged, expected, "{webhook:?} {verdict:?}");
                    assert_eq!(asked, wants(&webhook, "order.paid", Some("a")), "the filter decides last");
                    combinations += 1;
                }
            }
        }
    }
    assert_eq!(combinations, 5 * 3 * 3 * 4);
    let never = |_: &Webhook| -> FilterVerdict { panic!("nothing is left to ask") };
    assert_eq!(judge(&event(), &tombstone(0, 0, None), never), Judgement::Deleted);
}

/// Every order of event, making and last change, with and without a delivery.
#[test]
fn what_has_changed_since_is_not_told_as_a_reason() {
    let state = DeliveryState::Delivered { at: AT };
    let refuses = |_: &Webhook| FilterVerdict::Refuses;
    for created_after in [0, 9, 10, 11] {
        for settled_after in [9, 10, 11].into_iter().filter(|settled| *settled >= created_after) {
            let webhooks = [
                (Remembered::Living(Box::new(living(created_after, settled_after))), Judgement::FilteredOut),
                (tombstone(created_after, settled_after, None), Judgement::Deleted),
            ];
            for (webhook, now) in webhooks {
                let expected = match (created_after >= 10, settled_after >= 10) {
                    (true, _) => Answer::CreatedLater(now),
                    (false, true) => Answer::ChangedLater(now),
                    (false, false) => Answer::NotSent(now),
                };
                let answer = explain(&event(), &webhook, None, refuses);
                assert_eq!(answer, expected, "{webhook:?}");
                let sent = explain(&event(), &webhook, Some(state), refuses);
                assert_eq!(sent, Answer::Sent(state), "what was sent was sent: {webhook:?}");
            }
        }
    }
}

#[test]
fn every_answer_has_a_name_of_its_own() {
    let judgements = [
        Judgement::Deleted,
        Judgement::Inactive(DisableReason::Gone),
        Judgement::TypeNotSelected,
        Judgement::SubjectDiffers,
        Judgement::PayloadRemoved,
        Judgement::FilterFailed(String::new()),
        Judgement::FilteredOut,
        Judgement::Wanted,
    ];
    assert_eq!(judgements.each_ref().map(Judgement::name), Judgement::NAMES);
    let [deleted, ..] = judgements.clone();
    let first = [
        Answer::Sent(DeliveryState::Pending { next_at: AT }),
        Answer::CreatedLater(deleted.clone()),
        Answer::ChangedLater(deleted.clone()),
    ];
    assert_eq!(first.each_ref().map(Answer::now), [None, Some(&deleted), Some(&deleted)]);
    let answers = first.into_iter().chain(judgements.map(Answer::NotSent));
    assert_eq!(answers.map(|answer| answer.name()).collect::<Vec<_>>(), Answer::NAMES);
}

#[test]
fn sentences_say_what_was_found() {
    let by = Some(Principal::user("12", "Ann Example"));
    let at = "2023-11-14T22:13:20.000Z";
    let alive = Remembered::Living(Box::new(Webhook {
        events: only(&["b", "c.*", "d", "e", "f", "g", "h"]),
        subject: Some("b".to_owned()),
        state: off(DisableReason::Failing),
        ..living(0, 0)
    }));
    let gone = tombstone(0, 0, by);
    let dropped = |reason| Answer::Sent(DeliveryState::Dropped { at: AT, reason });
    let table = [
        (
            &alive,
            Answer::Sent(DeliveryState::Pending { next_at: AT }),
            "it waits until the webhook is switched on",
        ),
        (&gone, Answer::Sent(DeliveryState::Pending { next_at: AT }), at),
        (&alive, Answer::Sent(DeliveryState::Delivered { at: AT }), at),
        (&alive, Answer::Sent(DeliveryState::Failed { at: AT }), "its last attempt was made at 2023"),
        (&alive, dropped(CutReason::Disabled), "the webhook was switched off at 2023"),
        (
            &gone,
            dropped(CutReason::Deleted),
            "deleted: at 2023-11-14T22:13:20.000Z, by user 12 (Ann Example).",
        ),
        (&gone, Answer::NotSent(Judgement::Deleted), "by user 12 (Ann Example)."),
        (&gone, Answer::ChangedLater(Judgement::Deleted), "It was deleted: at 2023"),
        (
            &alive,
            Answer::NotSent(Judgement::TypeNotSelected),
            "`order.paid`; it selects `b`, `c.*`, `d`, `e`, `f` and 2 more.",
        ),
        (&alive, Answer::NotSent(Judgement::SubjectDiffers), "about `b`, and the event is about `a`."),
        (&alive, Answer::NotSent(Judgement::Inactive(DisableReason::Failing)), "too many attempts in a row"),
        (&alive, Answer::NotSent(Judgement::FilterFailed("no such key: x".to_owned())), "no such key: x"),
        (&alive, Answer::NotSent(Judgement::FilteredOut), "filter refuses the event"),
        (&alive, Answer::NotSent(Judgement::PayloadRemoved), "cannot be found out any more"),
        (&alive, Answer::NotSent(Judgement::Wanted), "for another webhook alone"),
        (
            &alive,
            Answer::CreatedLater(Judgement::Wanted),
            "made after the event had been accepted. As it is now, it would get",
        ),
        (
            &alive,
            Answer::ChangedLater(Judgement::TypeNotSelected),
            "it would not get it either: The webhook does not select",
        ),
    ];
    for (webhook, answer, expected) in table {
        let text = because(&event(), webhook, &answer);
        assert!(text.contains(expected), "{answer:?}: {text}");
        assert!(text.ends_with('.') || text.ends_with('x'), "a sentence: {text}");
    }
    let unknown = because(
        &event(),
        &tombstone(0, 0, Some(Principal::Credential(CredentialId::from_raw(3)))),
        &Answer::NotSent(Judgement::Deleted),
    );
    assert!(unknown.contains("by cred_"), "{unknown}");
}
