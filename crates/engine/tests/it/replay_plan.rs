//! What is in the plan of a replay.

use bytes::Bytes;
use signalpost_core::ceilings::Ceilings;
use signalpost_core::principal::Principal;
use signalpost_core::profile::PauseRule;
use signalpost_core::replay::{Command, Phase, Start, Which};
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::EventSelection;
use signalpost_engine::replay::NewReplay;
use signalpost_engine::test_event::TestEvent;
use signalpost_engine::webhooks::{Activity, NewWebhook};

use crate::replay::{ask, command, failed, impatient, look, pass_ms};
use crate::rig::{Rig, delivered, new_event};

/// Publishes an event of a type, about something.
fn publish(rig: &mut Rig, event_type: &str, subject: Option<&str>) {
    let mut event = new_event(rig.engine.now());
    event.content.event_type = event_type.to_owned();
    event.content.subject = subject.map(str::to_owned);
    rig.call(async |engine, view| engine.publish(&view.workspace.public_id, vec![event]).await)
        .expect("it is accepted");
}

/// How many deliveries a replay would send.
fn planned(rig: &mut Rig, webhook: &str, new: NewReplay) -> u64 {
    let replay = ask(rig, webhook, NewReplay { start: Start::WhenTold, ..new });
    pass_ms(rig, 1_000);
    let shown = look(rig, &replay);
    assert_eq!(shown.replay.phase, Phase::Planned);
    command(rig, &replay, Command::Cancel).expect("it was open");
    shown.replay.progress.planned
}

fn of(which: Which) -> NewReplay {
    NewReplay { which, ..failed(100) }
}

#[test]
fn what_is_selected_is_planned_exactly() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.watch_replays();
    let webhook = impatient(&mut rig, Ceilings::default());
    let first = rig.engine.now();
    for (status, event_type, subject) in [
        (500, "order.paid", Some("a")),
        (204, "order.paid", Some("a")),
        (500, "order.sent", Some("b")),
        (500, "invoice.paid", None),
    ] {
        rig.receiver.status.set(Some(status));
        publish(&mut rig, event_type, subject);
        rig.advance_ms(1_000);
    }
    rig.switch(&webhook, Activity::Paused);
    publish(&mut rig, "order.paid", Some("a"));
    rig.advance_ms(1_000);
    rig.switch(&webhook, Activity::Active);
    let typed = |types: &[&str]| {
        let types = types.iter().map(|entry| (*entry).to_owned()).collect();
        NewReplay { types, ..of(Which::Failed) }
    };
    let about = |which, subject: &str| NewReplay { subject: Some(subject.to_owned()), ..of(which) };
    let within = |from_ms, to_ms| NewReplay {
        since: first.plus_ms(from_ms),
        until: Some(first.plus_ms(to_ms)),
        ..of(Which::All)
    };
    for (new, expected) in [
        (of(Which::Failed), 3),
        (of(Which::All), 4),
        (of(Which::NeverAttempted), 1),
        (typed(&["order.paid"]), 1),
        (typed(&["order.*"]), 2),
        (typed(&["order.sent", "invoice.*"]), 2),
        (typed(&["nothing"]), 0),
        (about(Which::Failed, "a"), 1),
        (about(Which::All, "a"), 2),
        (about(Which::NeverAttempted, "a"), 1),
        (about(Which::NeverAttempted, "b"), 0),
        (within(0, 1_000), 1),
        (within(1, 3_000), 2),
        (within(5_000, 9_000), 0),
    ] {
        assert_eq!(planned(&mut rig, &webhook, new.clone()), expected, "{new:?}");
    }
}

#[test]
fn events_from_before_a_webhook_are_sent_to_it_by_what_it_selects_now() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.watch_replays();
    let other = rig.webhook();
    rig.receiver.status.set(Some(204));
    for event_type in ["a.b", "a.c", "b.a", "a.b"] {
        publish(&mut rig, event_type, None);
    }
    let events = EventSelection::Only(vec!["a.*".to_owned()]);
    let filter = Some("type != 'a.c'".to_owned());
    let webhook = rig.webhook_like(|new| NewWebhook { events, filter, ..new });
    publish(&mut rig, "a.b", None);
    let test = TestEvent { event_type: "a.b".to_owned(), data: Bytes::from_static(b"1") };
    rig.call(async |engine, view| engine.send_test(&view.workspace.public_id, &other, test, None).await)
        .expect("it is sent");
    let before = rig.receiver.requests();
    let replay = ask(&mut rig, &webhook, of(Which::NeverAttempted));
    pass_ms(&mut rig, 1_000);
    let shown = look(&mut rig, &replay);
    let progress = shown.replay.progress;
    assert_eq!((shown.replay.phase, progress.planned, progress.sent), (Phase::Done, 2, 2));
    assert_eq!(rig.receiver.requests() - before, 2, "not the test, which was another's");
    assert_eq!(rig.count(delivered), 4 + 2 + 1 + 2);
    assert_eq!(planned(&mut rig, &webhook, of(Which::NeverAttempted)), 0);
}

#[test]
fn a_plan_is_frozen_and_shows_its_oldest() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.watch_replays();
    let webhook = impatient(&mut rig, Ceilings::default());
    rig.receiver.status.set(Some(500));
    rig.publish(400);
    let replay = ask(&mut rig, &webhook, NewReplay { start: Start::WhenTold, ..failed(1_000) });
    rig.publish(20);
    pass_ms(&mut rig, 1_000);
    rig.publish(20);
    let (shown, sample) =
        rig.call(async |engine, view| engine.replay(view.workspace.id, &replay).await).expect("it exists");
    assert_eq!((shown.replay.phase, shown.replay.progress.planned), (Phase::Planned, 400));
    let mut all: Vec<_> = rig.deliveries().into_iter().map(|row| row.id).collect();
    all.reverse();
    assert_eq!(sample, all[..10]);
}

/// What has arrived meanwhile, by hand or by another replay, is not sent once more.
#[test]
fn what_is_not_missing_any_more_is_passed_over() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.watch_replays();
    let webhook = impatient(&mut rig, Ceilings::default());
    rig.receiver.status.set(Some(500));
    rig.publish(50);
    rig.receiver.status.set(Some(204));
    let told = NewReplay { start: Start::WhenTold, ..failed(100) };
    let replays = [(); 2].map(|()| ask(&mut rig, &webhook, told.clone()));
    pass_ms(&mut rig, 1_000);
    let before = rig.receiver.requests();
    for (replay, expected) in replays.iter().zip([(50, 0), (0, 50)]) {
        command(&mut rig, replay, Command::Start).expect("it is planned");
        pass_ms(&mut rig, 2_000);
        let progress = look(&mut rig, replay).replay.progress;
        assert_eq!((progress.sent, progress.passed_over), expected);
    }
    assert_eq!(rig.receiver.requests() - before, 50);
    let again = ask(&mut rig, &webhook, of(Which::All));
    pass_ms(&mut rig, 2_000);
    assert_eq!(look(&mut rig, &again).replay.progress.sent, 50, "whoever asks for all of it gets all of it");
}

#[test]
fn a_webhook_of_nobody_is_no_source() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    let webhook = rig.webhook();
    let new = NewReplay { source: Some("nobody".to_owned()), since: Timestamp::from_ms(0), ..failed(1) };
    let refused = rig.call(async |engine, view| {
        engine.create_replay(&view, &webhook, new, Principal::Operator, None).await
    });
    let fields = refused.expect_err("there is none").fields;
    assert_eq!(fields.iter().map(|field| field.field.as_str()).collect::<Vec<_>>(), ["source"]);
}
