//! What was counted is stored and looked at. Some of it may be lost, or count twice; nothing else takes notice.

use signalpost_core::figures::FiguresOf;
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
    step("refuse all requests", refuse),
    published("publish into a closed door", |stage, _| publish(stage, &["one", "two"])),
    step("store what was counted", |stage, _| store(stage)),
    step("look at the figures", |stage, _| look(stage)),
    step("look who fails", |stage, _| look_who_fails(stage)),
];

fn profile() -> Profile {
    let mut profile = rig::profile(PauseRule::Drops, None);
    profile.delivery.body = Template::json("${event.data}").expect("a good template");
    profile
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
        |_, rows| assert!(rows.len() <= 1, "all in one minute: {rows:?}"),
    )
}

fn look_who_fails(stage: &mut Stage) -> Told {
    stage.call(
        async |engine, _| engine.top_failing(None, Timestamp::from_ms(0), 9).await,
        |_, found| assert!(found.len() <= 1, "there is one webhook: {found:?}"),
    )
}
