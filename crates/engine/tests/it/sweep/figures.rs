//! What was counted is stored and looked at. Some of it may be lost, or count twice; nothing else takes notice.

use signalpost_core::figures::{Figures, FiguresOf};
use signalpost_core::profile::{PauseRule, Profile};
use signalpost_core::template::Template;
use signalpost_core::time::Timestamp;

use super::life::{make_webhook, make_workspace, publish, refuse};
use super::stage::{Stage, Told};
use super::{Scenario, Step, published, step};
use crate::rig;

pub(super) const SCENARIO: Scenario = Scenario { profile, steps: STEPS, loose: &[] };

const STEPS: &[Step] = &[
    step("make a workspace", make_workspace),
    step("make a webhook", |stage, _| make_webhook(stage, "workspace", "first")),
    step("count", |stage, _| count(stage)),
    step("refuse all requests", refuse),
    published("publish into a closed door", |stage, _| publish(stage, &["one", "two"])),
    step("let a minute pass", |stage, _| let_a_minute_pass(stage)),
    step("store what was counted last", |stage, _| store(stage)),
    step("look at the figures", |stage, _| look(stage)),
    step("look who fails", |stage, _| look_who_fails(stage)),
];

fn profile() -> Profile {
    let mut profile = rig::profile(PauseRule::Drops, None);
    profile.delivery.body = Template::json("${event.data}").expect("a good template");
    profile
}

fn count(stage: &mut Stage) -> Told {
    stage.keep_figures();
    Told::Done
}

fn let_a_minute_pass(stage: &mut Stage) -> Told {
    (0..6).for_each(|_| stage.advance_s(10));
    Told::Done
}

/// Nobody is told whether the store took it.
fn store(stage: &mut Stage) -> Told {
    stage.call(
        async |engine, _| {
            engine.store_last_figures().await;
            Ok(())
        },
        |_, ()| (),
    )
}

fn look(stage: &mut Stage) -> Told {
    stage.call(
        async |engine, _| {
            let until = engine.now().plus_ms(1);
            engine.figures(FiguresOf::Installation, Timestamp::from_ms(0), until).await
        },
        |stage, rows| {
            assert!(rows.len() <= 2, "all in two minutes: {rows:?}");
            let mut sum = Figures::default();
            rows.iter().for_each(|(_, row)| sum.add(row));
            if stage.faults.injected() == 0 {
                assert_eq!((sum.events, sum.attempts_failed, sum.retries), (2, 4, 4));
            }
        },
    )
}

fn look_who_fails(stage: &mut Stage) -> Told {
    stage.call(
        async |engine, _| engine.top_failing(None, Timestamp::from_ms(0), 9).await,
        |stage, found| {
            assert!(found.len() <= 1, "there is one webhook: {found:?}");
            if stage.faults.injected() == 0 {
                let attempts: Vec<_> = found.iter().map(|webhook| webhook.attempts_failed).collect();
                assert_eq!(attempts, [4]);
            }
        },
    )
}
