//! Explanations never contradict what happened, whatever the history of a workspace.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use signalpost_core::explain::{Answer, Judgement};
use signalpost_core::principal::{Audience, Principal};
use signalpost_core::profile::PauseRule;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::{EventSelection, Remembered, Webhook, WebhookState};
use signalpost_engine::explain::{ExplainPage, Explanation};
use signalpost_engine::ingest::NewEvent;
use signalpost_engine::test_event::TestEvent;
use signalpost_engine::webhooks::{Activity, NewWebhook, WebhookChange};

use crate::rig::{Rig, new_event};

const TYPES: [&str; 2] = ["a.b", "a.c"];
/// The second cannot decide about an event without a subject.
const FILTERS: [&str; 2] = ["subject != null", "subject.endsWith('1')"];

#[derive(Clone, Debug)]
enum Step {
    Create(Kind),
    Change(usize, Kind),
    /// Names what is there already.
    Repeat(usize),
    Rename(usize),
    Switch(usize, Activity),
    Delete(usize),
    Publish(usize, Option<u8>),
    Test(usize),
    /// The receiver takes everything from here on, or refuses it, by which webhooks are switched off.
    Receiver(u16),
    /// Retries come due.
    Wait,
}

#[derive(Clone, Debug, PartialEq)]
struct Kind {
    only_type: Option<usize>,
    subject: Option<u8>,
    filter: Option<usize>,
}

impl Kind {
    fn events(&self) -> EventSelection {
        self.only_type
            .map_or(EventSelection::All, |place| EventSelection::Only(vec![TYPES[place].to_owned()]))
    }

    fn subject(&self) -> Option<String> {
        self.subject.map(subject)
    }

    fn filter(&self) -> Option<String> {
        self.filter.map(|place| FILTERS[place].to_owned())
    }
}

fn subject(n: u8) -> String {
    format!("subject {n}")
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = || {
        (option::weighted(0.5, 0..2usize), option::weighted(0.3, 0..2u8), option::weighted(0.5, 0..2usize))
            .prop_map(|(only_type, subject, filter)| Kind { only_type, subject, filter })
    };
    let activity = prop_oneof![Just(Activity::Active), Just(Activity::Paused)];
    let webhook = || 0..4usize;
    vec(
        prop_oneof![
            3 => kind().prop_map(Step::Create),
            2 => (webhook(), kind()).prop_map(|(webhook, kind)| Step::Change(webhook, kind)),
            1 => webhook().prop_map(Step::Repeat),
            1 => webhook().prop_map(Step::Rename),
            3 => (webhook(), activity).prop_map(|(webhook, activity)| Step::Switch(webhook, activity)),
            1 => webhook().prop_map(Step::Delete),
            8 => (0..2usize, option::of(0..2u8)).prop_map(|(place, subject)| Step::Publish(place, subject)),
            2 => webhook().prop_map(Step::Test),
            1 => prop_oneof![Just(204), Just(500)].prop_map(Step::Receiver),
            1 => Just(Step::Wait),
        ],
        1..40,
    )
}

/// What decides about a webhook, as a caller of the API sees it.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    NotYet,
    Living { events: EventSelection, subject: Option<String>, filter: Option<String>, state: WebhookState },
    Gone,
}

impl Seen {
    /// The rules of the product, written down a second time.
    fn judge(&self, event: &Published) -> Judgement {
        match self {
            Self::NotYet => panic!("there is no such webhook"),
            Self::Gone => Judgement::Deleted,
            Self::Living { state: WebhookState::Disabled { reason, .. }, .. } => Judgement::Inactive(*reason),
            Self::Living { events: EventSelection::Only(types), .. }
                if !types.contains(&event.event_type) =>
            {
                Judgement::TypeNotSelected
            }
            Self::Living { subject: Some(own), .. } if event.subject.as_ref() != Some(own) => {
                Judgement::SubjectDiffers
            }
            Self::Living { filter: None, .. } => Judgement::Wanted,
            Self::Living { filter: Some(filter), .. } => {
                match (event.subject.as_deref(), filter == FILTERS[0]) {
                    (None, true) => Judgement::FilteredOut,
                    (Some(_), true) => Judgement::Wanted,
                    (None, false) => Judgement::FilterFailed("a string is needed; this is null".to_owned()),
                    (Some(about), false) if about.ends_with('1') => Judgement::Wanted,
                    (Some(_), false) => Judgement::FilteredOut,
                }
            }
        }
    }
}

struct Published {
    id: String,
    /// How many steps had been made before it.
    after: usize,
    event_type: String,
    subject: Option<String>,
    /// The webhook that it was a test of.
    test_of: Option<String>,
}

/// A workspace and everything that was ever seen of it.
struct History {
    rig: Rig,
    webhooks: Vec<String>,
    /// What each webhook was after each step.
    seen: Vec<BTreeMap<String, Seen>>,
    published: Vec<Published>,
}

impl History {
    fn of(steps: &[Step], pause: PauseRule) -> Self {
        let rig = Rig::new(pause, Some(2));
        rig.receiver.status.set(Some(204));
        let mut history =
            Self { rig, webhooks: Vec::new(), seen: vec![BTreeMap::new()], published: Vec::new() };
        for step in steps {
            history.make(step);
            let seen = history.webhooks.clone().into_iter().map(|id| (id.clone(), history.look(&id)));
            let seen = seen.collect();
            history.seen.push(seen);
        }
        history
    }

    fn webhook(&self, place: usize) -> Option<String> {
        self.webhooks.iter().rev().nth(place).cloned()
    }

    fn look(&mut self, webhook: &str) -> Seen {
        let found = self.rig.call(async |engine, view| engine.webhook(view.workspace.id, webhook).await);
        match found {
            Ok(Webhook { events, subject, filter, state, .. }) => {
                Seen::Living { events, subject, filter, state }
            }
            Err(_) => Seen::Gone,
        }
    }

    fn make(&mut self, step: &Step) {
        match step {
            Step::Create(kind) => self.create(kind),
            Step::Change(place, kind) => self.change(*place, |_| WebhookChange {
                events: Some(kind.events()),
                subject: Some(kind.subject()),
                filter: Some(kind.filter()),
                ..WebhookChange::default()
            }),
            Step::Repeat(place) => self.change(*place, |seen| match seen {
                Seen::Living { events, subject, filter, .. } => WebhookChange {
                    events: Some(events),
                    subject: Some(subject),
                    filter: Some(filter),
                    ..WebhookChange::default()
                },
                Seen::NotYet | Seen::Gone => WebhookChange::default(),
            }),
            Step::Rename(place) => {
                self.change(*place, |_| WebhookChange { name: Some(None), ..WebhookChange::default() });
            }
            Step::Switch(place, activity) => {
                self.change(*place, |_| WebhookChange {
                    active: Some(*activity),
                    ..WebhookChange::default()
                });
            }
            Step::Delete(place) => {
                let Some(webhook) = self.webhook(*place) else { return };
                let by = Principal::user("12", "Ann Example");
                // The second time there is nothing to delete.
                self.rig.call(async |engine, view| engine.delete_webhook(&view, &webhook, &by).await).ok();
            }
            Step::Publish(place, about) => self.publish(TYPES[*place], about.map(subject)),
            Step::Test(place) => self.test(*place),
            Step::Receiver(status) => self.rig.receiver.status.set(Some(*status)),
            Step::Wait => self.rig.advance_s(200),
        }
    }

    fn create(&mut self, kind: &Kind) {
        let url = TargetUrl::parse("https://example.com/").expect("a good URL");
        let (events, subject, filter) = (kind.events(), kind.subject(), kind.filter());
        let new = NewWebhook { events, subject, filter, ..NewWebhook::to(url) };
        let made = self.rig.call(async |engine, view| engine.create_webhook(&view, new, None).await);
        let made = made.expect("a webhook").now().expect("not a repetition");
        self.webhooks.push(made.webhook.public_id);
    }

    /// Of a webhook that is deleted nothing is changed.
    fn change(&mut self, place: usize, change: impl FnOnce(Seen) -> WebhookChange) {
        let Some(webhook) = self.webhook(place) else { return };
        let change = change(self.look(&webhook));
        self.rig.call(async |engine, view| engine.update_webhook(&view, &webhook, change).await).ok();
    }

    fn publish(&mut self, event_type: &str, subject: Option<String>) {
        let NewEvent { mut content, given_time } = new_event(self.rig.view.workspace.created_at);
        (content.event_type, content.subject) = (event_type.to_owned(), subject.clone());
        let event = NewEvent { content, given_time };
        let receipts = self
            .rig
            .call(async |engine, view| engine.publish(&view.workspace.public_id, vec![event]).await)
            .expect("it is accepted");
        self.note(receipts[0].id.clone(), event_type, subject, None);
    }

    fn test(&mut self, place: usize) {
        let Some(webhook) = self.webhook(place) else { return };
        let Seen::Living { subject, .. } = self.look(&webhook) else { return };
        let test = TestEvent { event_type: TYPES[0].to_owned(), data: Bytes::from_static(b"1") };
        let sent = self.rig.call(async |engine, view| {
            engine.send_test(&view.workspace.public_id, &webhook, test, None).await
        });
        // One that is off gets no test.
        if let Ok(receipt) = sent {
            let id = receipt.now().expect("not a repetition").id;
            self.note(id, TYPES[0], subject, Some(webhook));
        }
    }

    fn note(&mut self, id: String, event_type: &str, subject: Option<String>, test_of: Option<String>) {
        let (after, event_type) = (self.seen.len() - 1, event_type.to_owned());
        self.published.push(Published { id, after, event_type, subject, test_of });
    }

    fn seen_after(&self, steps: usize, webhook: &str) -> Seen {
        self.seen[steps].get(webhook).cloned().unwrap_or(Seen::NotYet)
    }

    /// What the answer must be; `None` for one that tells of a delivery.
    fn expected(&self, event: &Published, webhook: &str) -> Option<Answer> {
        let then = self.seen_after(event.after, webhook);
        let now = self.seen.last().expect("the first is there")[webhook].judge(event);
        if then == Seen::NotYet {
            return Some(Answer::CreatedLater(now));
        }
        let reason = then.judge(event);
        let sent = match &event.test_of {
            Some(test_of) => test_of == webhook,
            None => reason == Judgement::Wanted,
        };
        if sent {
            return None;
        }
        let changed = (event.after..self.seen.len()).any(|steps| self.seen_after(steps, webhook) != then);
        Some(if changed { Answer::ChangedLater(now) } else { Answer::NotSent(reason) })
    }

    /// All pages of explanations for an event.
    fn explain(&mut self, event: &str) -> Vec<Explanation> {
        let (mut rows, mut before) = (Vec::new(), None);
        loop {
            let page = ExplainPage { webhook: None, before, limit: 2, audience: Audience::Operators };
            let page = self
                .rig
                .call(async |engine, view| engine.explain(view.workspace.id, event, page).await)
                .expect("the event is there");
            assert!(page.rows.len() <= 2);
            rows.extend(page.rows);
            before = page.next;
            if before.is_none() {
                return rows;
            }
        }
    }

    fn check(&mut self) {
        let published = std::mem::take(&mut self.published);
        for event in &published {
            let rows = self.explain(&event.id);
            let ids: Vec<_> = rows.iter().map(|row| row.webhook.public_id().to_owned()).collect();
            assert!(ids.iter().eq(self.webhooks.iter().rev()), "each webhook once, newest first");
            for row in rows {
                self.check_row(event, &row);
            }
        }
    }

    fn check_row(&mut self, event: &Published, row: &Explanation) {
        let id = row.webhook.public_id();
        let expected = self.expected(event, id);
        match (&expected, &row.answer) {
            (None, Answer::Sent(_)) => {}
            (Some(expected), answer) if expected == answer => {}
            _ => panic!("{}: {:?} where {expected:?} is right; {:?}", event.id, row.answer, row.webhook),
        }
        assert_eq!(row.delivery.is_some(), expected.is_none(), "a delivery is told where there is one");
        let is_gone = matches!(row.webhook, Remembered::Deleted(_));
        assert_eq!(is_gone, self.seen.last().expect("the first is there")[id] == Seen::Gone);
        if let Remembered::Deleted(tombstone) = &row.webhook {
            assert_eq!(tombstone.deleted_by, Some(Principal::user("12", "Ann Example")));
        }
        let page = ExplainPage {
            webhook: Some(id.to_owned()),
            before: None,
            limit: 1,
            audience: Audience::Operators,
        };
        let alone = self
            .rig
            .call(async |engine, view| engine.explain(view.workspace.id, &event.id, page).await)
            .expect("the webhook is remembered");
        assert_eq!((alone.rows.len(), alone.next), (1, None));
        assert_eq!((&alone.rows[0].answer, &alone.rows[0].because), (&row.answer, &row.because));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn whatever_happened_explanations_say_it(steps in steps(), holds in any::<bool>()) {
        let pause = if holds { PauseRule::Holds } else { PauseRule::Drops };
        History::of(&steps, pause).check();
    }
}
