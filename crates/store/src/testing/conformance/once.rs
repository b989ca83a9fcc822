//! Calls that happen once: their effect and their answer are stored together.

use signalpost_core::credential::CredentialHash;
use signalpost_core::event::Sequence;
use signalpost_core::id::{EventId, WorkspaceId};
use signalpost_core::limits::IDEMPOTENCY_KEPT_MS;
use signalpost_core::retention::RetentionRules;
use signalpost_core::rotation::SecretsChange;
use signalpost_core::secret::SealedSecret;

use super::Harness;
use super::kit::{Kit, delivery, refusal};
use crate::catalog::{EraseWorkspace, RotateOperatorKey, UpdateWebhook};
use crate::ledger::{AcceptEvent, Accepted, Dedupe, EventKey, Repeated, Requeue, RequeueRule};
use crate::testing::notes::{Notes, Told};
use crate::testing::refusal::Refusal;
use crate::testing::sample;
use crate::vault::{SealedKey, SealedPage};
use crate::{Done, Effect, Once};

const NOTHING: RetentionRules =
    RetentionRules { event_age_max: None, payload_age_max: None, bytes_max: None };

fn answer(n: u8) -> SealedSecret {
    SealedSecret::from_bytes(vec![n, 0xff, 0, n])
}

async fn accept(kit: &Kit, event: AcceptEvent, once: Once) -> Done<Vec<Accepted>, Vec<Accepted>> {
    kit.accept_once(vec![event], once).await.expect("it is accepted")
}

async fn is_stored(kit: &Kit, workspace: WorkspaceId, n: i64) -> bool {
    kit.event(workspace, EventKey::Ours(EventId::from_raw(n))).await.expect("it reads").is_some()
}

/// One of each effect, all of workspace 1 where there is a workspace.
async fn effects(kit: &Kit) -> Vec<Effect> {
    let (workspace, [webhook]) = kit.tenant().await;
    let failed = signalpost_core::attempt::Verdict::GiveUp;
    let failed = kit.publish_and_attempt(workspace, 31, webhook, failed).await;
    let hash = |n: u8| CredentialHash::of(&[n]);
    let key = sample::operator_key(None, 41);
    kit.create_operator_key(key.clone(), hash(9)).await.expect("a new operator key");
    let user = sample::new_user(workspace, 45, hash(4));
    let right = sample::right(workspace, user.user.id, 47);
    vec![
        Effect::CreateWorkspace(sample::workspace(2)),
        Effect::CreateWebhook(Box::new(sample::webhook(workspace, 12).into())),
        Effect::CreateCredential(sample::credential(workspace, 42), hash(1)),
        Effect::CreateUser(Box::new(user)),
        Effect::GrantRight(right),
        Effect::CreateOperatorKey(sample::operator_key(Some(workspace), 43), hash(2)),
        Effect::RotateOperatorKey(RotateOperatorKey {
            previous: key.id,
            ends_at: sample::at(50),
            next: sample::operator_key(None, 44),
            hash: hash(3),
        }),
        Effect::UpdateWebhook(Box::new(UpdateWebhook {
            secrets: Some(SecretsChange::Rotate { secret: sample::sealed(77), keep_until: None }),
            ..UpdateWebhook::nothing(workspace, webhook, sample::at(60))
        })),
        Effect::Requeue(Requeue {
            workspace,
            delivery: failed,
            at: sample::at(60),
            rule: RequeueRule::Ended,
        }),
        Effect::CreateReplay(Box::new(sample::replay(workspace, 48, webhook))),
    ]
}

pub async fn each_effect_happens_once(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = Some(WorkspaceId::from_raw(1));
    for (name, effect) in (1..).zip(effects(&kit).await) {
        let once = sample::once(workspace, name, 1, 100);
        assert_eq!(kit.done_before(once).await.expect("it reads"), None);
        let before = kit.snapshot().await;
        let done = kit.do_once(effect.clone(), once, answer(name)).await.expect("it is done");
        assert_eq!(done, Done::Now(()));
        let after = kit.snapshot().await;
        assert_ne!(before.difference(&after), None, "{effect:?}");
        let again = kit.do_once(effect.clone(), once, answer(99)).await.expect("it was done");
        assert_eq!(again, Done::Before(answer(name)));
        assert_eq!(kit.done_before(once).await.expect("it reads"), Some(answer(name)));
        assert_eq!(after.difference(&kit.snapshot().await), None, "{effect:?}");
    }
}

pub async fn another_request_under_the_same_name_is_refused(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let webhook = |n| Effect::CreateWebhook(Box::new(sample::webhook(workspace, n).into()));
    let once = sample::once(Some(workspace), 1, 1, 100);
    kit.do_once(webhook(11), once, answer(1)).await.expect("it is done");
    let before = kit.snapshot().await;
    let other = sample::once(Some(workspace), 1, 2, 100);
    assert_eq!(refusal(kit.do_once(webhook(12), other, answer(2)).await), Refusal::KeyReused);
    assert_eq!(refusal(kit.done_before(other).await), Refusal::KeyReused);
    let event = kit.draft(workspace, 31, &[]).await;
    assert_eq!(refusal(kit.accept_once(vec![event], other).await), Refusal::KeyReused);
    assert_eq!(before.difference(&kit.snapshot().await), None);
}

pub async fn a_call_belongs_to_its_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (first, second) = (kit.workspace(1).await, kit.workspace(2).await);
    let webhook = |workspace, n| Effect::CreateWebhook(Box::new(sample::webhook(workspace, n).into()));
    for (workspace, n) in [(first, 11), (second, 12)] {
        let once = sample::once(Some(workspace), 1, 1, 100);
        assert_eq!(kit.do_once(webhook(workspace, n), once, answer(1)).await.expect("done"), Done::Now(()));
    }
    let outside = sample::once(None, 1, 2, 100);
    assert_eq!(kit.done_before(outside).await.expect("it reads"), None);
    let done = kit.do_once(Effect::CreateWorkspace(sample::workspace(3)), outside, answer(3)).await;
    assert_eq!(done.expect("it is done"), Done::Now(()));
}

pub async fn a_refusal_leaves_the_call_unused(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    kit.subscribe(workspace, 11).await;
    let once = sample::once(Some(workspace), 1, 1, 100);
    let mut taken = sample::webhook(workspace, 12);
    taken.public_id = "wh-11".to_owned();
    let refused = kit.do_once(Effect::CreateWebhook(Box::new(taken.into())), once, answer(1)).await;
    assert_eq!(refusal(refused), Refusal::Taken("webhook id"));
    assert_eq!(kit.done_before(once).await.expect("it reads"), None);
    let mut stale = kit.draft(workspace, 31, &[]).await;
    stale.version += 1;
    assert_eq!(refusal(kit.accept_once(vec![stale], once).await), Refusal::CatalogMoved);
    let event = kit.draft(workspace, 31, &[]).await;
    assert!(matches!(accept(&kit, event, once).await, Done::Now(_)));
}

pub async fn events_are_accepted_once(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let once = sample::once(Some(workspace), 1, 1, 100);
    let notes = Notes::on(&*kit);
    let events = vec![kit.draft(workspace, 31, &[webhook]).await, kit.draft(workspace, 32, &[]).await];
    let Done::Now(first) = kit.accept_once(events, once).await.expect("accepted") else {
        panic!("nothing was there before");
    };
    let told: Vec<Accepted> = [(31, 1, 1), (32, 2, 0)]
        .map(|(n, sequence, deliveries)| Accepted {
            id: EventId::from_raw(n),
            sequence: Sequence(sequence),
            deliveries,
            repeated: Repeated::No,
        })
        .to_vec();
    assert_eq!(first, told);
    assert!(matches!(&notes.take()[..], [Told::Accepted(events)] if events.len() == 2));
    let again = vec![kit.draft(workspace, 33, &[webhook]).await, kit.draft(workspace, 34, &[]).await];
    assert_eq!(kit.accept_once(again, once).await.expect("accepted"), Done::Before(told));
    assert_eq!(notes.take(), [], "nobody is told again");
    assert!(!is_stored(&kit, workspace, 33).await);
    assert_eq!(kit.owed_one(webhook).await.id, delivery(31, webhook));
    assert_eq!(kit.publish(workspace, 35, &[]).await.sequence, Sequence(3), "no place was taken");
}

/// What the second call brings along does not matter: its targets may be out of date.
pub async fn an_accepted_call_is_answered_whatever_has_changed(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let once = sample::once(Some(workspace), 1, 1, 100);
    let event = kit.draft(workspace, 31, &[]).await;
    let Done::Now(first) = accept(&kit, event.clone(), once).await else { panic!("it is new") };
    kit.subscribe(workspace, 11).await;
    let late = AcceptEvent { id: EventId::from_raw(32), ..event };
    assert_eq!(accept(&kit, late, once).await, Done::Before(first));
}

pub async fn the_producers_ids_keep_their_meaning_within_a_call(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let identified = async |n: i64, said: u8| {
        let mut event = kit.draft(workspace, n, &[]).await;
        event.content.producer_id = Some("p".to_owned());
        event.dedupe = Some(Dedupe { fingerprint: [said; 32], not_before: sample::at(0) });
        event
    };
    let first = kit.accept_one(identified(31, 1).await).await;
    let call = |name| sample::once(Some(workspace), name, 1, 100);
    let refused = kit.accept_once(vec![identified(32, 2).await], call(1)).await;
    assert_eq!(refusal(refused), Refusal::EventIdReused);
    let known = vec![Accepted { repeated: Repeated::Yes, ..first }];
    assert_eq!(accept(&kit, identified(33, 1).await, call(1)).await, Done::Now(known.clone()));
    assert_eq!(accept(&kit, identified(34, 1).await, call(1)).await, Done::Before(known));
    assert!(!is_stored(&kit, workspace, 33).await);
}

pub async fn a_call_may_be_made_again_when_it_is_old(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let call = |said, ms| sample::once(Some(workspace), 1, said, ms);
    let event = kit.draft(workspace, 31, &[]).await;
    accept(&kit, event, call(1, 100)).await;
    for ms in [100 + IDEMPOTENCY_KEPT_MS, 100 - IDEMPOTENCY_KEPT_MS] {
        let other = kit.draft(workspace, 32, &[]).await;
        assert_eq!(refusal(kit.accept_once(vec![other], call(2, ms)).await), Refusal::KeyReused, "{ms}");
    }
    let later = call(2, 101 + IDEMPOTENCY_KEPT_MS);
    let renewed = kit.draft(workspace, 33, &[]).await;
    assert!(matches!(accept(&kit, renewed, later).await, Done::Now(_)));
    let again = kit.draft(workspace, 34, &[]).await;
    assert!(matches!(accept(&kit, again, later).await, Done::Before(_)), "the newer one counts now");
    let ahead = call(3, 100);
    let set_back = kit.draft(workspace, 35, &[]).await;
    assert!(matches!(accept(&kit, set_back, ahead).await, Done::Now(_)), "a clock that was set back by more");
}

async fn answers_bytes(kit: &Kit) -> u64 {
    kit.storage().await.expect("it reads").answers_bytes
}

pub async fn retention_removes_old_calls_and_keeps_young_ones(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    assert_eq!(answers_bytes(&kit).await, 0);
    for (name, ms) in [(1, 0), (2, 100), (3, 200)] {
        let event = kit.draft(workspace, 30 + i64::from(name), &[]).await;
        accept(&kit, event, sample::once(Some(workspace), name, 1, ms)).await;
    }
    let outside = Effect::CreateWorkspace(sample::workspace(2));
    kit.do_once(outside, sample::once(None, 4, 1, 50), answer(4)).await.expect("it is done");
    let all = answers_bytes(&kit).await;
    let now_ms = 100 + IDEMPOTENCY_KEPT_MS;
    kit.tidy_up(now_ms).await;
    assert_eq!(answers_bytes(&kit).await, all, "upkeep leaves them alone");
    kit.retain_all(now_ms, &NOTHING).await;
    assert!((all / 4..all * 3 / 4).contains(&answers_bytes(&kit).await), "two of four are gone");
    let kit = kit.reopen(harness).await;
    for (name, before) in [(1, false), (2, true), (3, true)] {
        let event = kit.draft(workspace, 40 + i64::from(name), &[]).await;
        let done = accept(&kit, event, sample::once(Some(workspace), name, 1, now_ms)).await;
        assert_eq!(matches!(done, Done::Before(_)), before, "call {name}");
    }
    kit.retain_all(now_ms + 1 + IDEMPOTENCY_KEPT_MS, &NOTHING).await;
    assert_eq!(answers_bytes(&kit).await, 0, "what was counted in was counted out");
    assert_eq!(kit.storage().await.expect("it reads").answers_forgotten, 0, "none went before its time");
}

/// Calls that are older than the events go before them.
pub async fn the_oldest_calls_go_for_the_bytes_of_the_store(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let long = |n: u8| SealedSecret::from_bytes(vec![n; 20_000]);
    let call = |n: u8| sample::once(Some(workspace), n, 1, i64::from(n));
    for n in 1..=40 {
        let webhook = sample::webhook(workspace, 100 + i64::from(n));
        kit.do_once(Effect::CreateWebhook(Box::new(webhook.into())), call(n), long(n))
            .await
            .expect("it is done");
    }
    for n in 1_000..1_005 {
        let mut event = kit.draft(workspace, n, &[]).await;
        event.content.data = vec![b'7'; 20_000].into();
        kit.accept_one(event).await;
    }
    let storage = kit.storage().await.expect("it reads");
    let occupied = storage.database_bytes - storage.free_bytes;
    let rules = RetentionRules { bytes_max: Some(occupied - 400_000), ..NOTHING };
    assert_eq!(kit.retain_all(2_000, &rules).await, (0, 0), "no event has to go");
    let forgotten = kit.storage().await.expect("it reads").answers_forgotten;
    assert!((15..=25).contains(&forgotten), "{forgotten} calls of 20 kB for 400 kB");
    for n in 1..=40 {
        let kept = kit.done_before(call(n)).await.expect("it reads");
        assert_eq!(kept.is_some(), u64::from(n) > forgotten, "call {n}, {forgotten} are gone");
    }
    let nothing_fits = RetentionRules { bytes_max: Some(0), ..NOTHING };
    assert_eq!(kit.retain_all(2_000, &nothing_fits).await, (5, 0), "then the events");
    assert_eq!(answers_bytes(&kit).await, 0);
}

pub async fn calls_go_with_their_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, other) = (kit.workspace(1).await, kit.workspace(2).await);
    for workspace in [gone, other] {
        let webhook = sample::webhook(workspace, 10 + workspace.raw());
        let once = sample::once(Some(workspace), 1, 1, 100);
        kit.do_once(Effect::CreateWebhook(Box::new(webhook.into())), once, answer(1)).await.expect("done");
    }
    let event = kit.draft(gone, 31, &[]).await;
    accept(&kit, event.clone(), sample::once(Some(gone), 2, 1, 100)).await;
    kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(200) }).await.expect("it exists");
    assert_eq!(kit.done_before(sample::once(Some(gone), 1, 1, 201)).await.expect("it reads"), None);
    let sealed = kit.sealed_page(SealedPage { after: None, limit: 9 }).await.expect("it reads");
    let answers = sealed.iter().filter(|sealed| matches!(sealed.key, SealedKey::Answer(_)));
    assert_eq!(answers.count(), 1, "what may hold a secret goes at once");
    let again = kit.accept_once(vec![event], sample::once(Some(gone), 2, 1, 201)).await;
    assert_eq!(refusal(again), Refusal::Missing("workspace"));
    let kept = kit.done_before(sample::once(Some(other), 1, 1, 201)).await;
    assert_eq!(kept.expect("it reads"), Some(answer(1)));
    kit.retain_all(201, &NOTHING).await;
    kit.erase_workspace(EraseWorkspace { workspace: other, at: sample::at(202) }).await.expect("it exists");
    kit.retain_all(203, &NOTHING).await;
    assert_eq!(answers_bytes(&kit).await, 0, "nothing is left of either");
}

pub async fn a_call_outlives_a_restart(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let (created, published) = (sample::once(None, 1, 1, 100), sample::once(Some(workspace), 2, 1, 100));
    let effect = Effect::CreateWorkspace(sample::workspace(2));
    kit.do_once(effect.clone(), created, answer(7)).await.expect("it is done");
    let event = kit.draft(workspace, 31, &[]).await;
    let Done::Now(first) = accept(&kit, event.clone(), published).await else { panic!("it is new") };
    drop(kit);
    let kit = Kit::open(harness);
    assert_eq!(kit.do_once(effect, created, answer(8)).await.expect("done"), Done::Before(answer(7)));
    let event = AcceptEvent { id: EventId::from_raw(32), ..event };
    assert_eq!(accept(&kit, event, published).await, Done::Before(first));
}

pub async fn calls_at_the_same_time_have_one_effect(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let once = sample::once(Some(workspace), 1, 1, 100);
    let draft = kit.draft(workspace, 31, &[]).await;
    let event = |n| AcceptEvent { id: EventId::from_raw(n), ..draft.clone() };
    // All are called before the first is waited for.
    let calls: Vec<_> = (31..51).map(|n| kit.accept_once(vec![event(n)], once)).collect();
    let mut answers = Vec::new();
    let mut now = 0;
    for call in calls {
        let answer = match call.await.expect("accepted") {
            Done::Now(answer) => {
                now += 1;
                answer
            }
            Done::Before(answer) => answer,
        };
        answers.push(answer);
    }
    assert_eq!(now, 1);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(kit.publish(workspace, 60, &[]).await.sequence, Sequence(2), "one event was stored");
}
