//! What failed is sent once more, to another webhook: planned, looked at, started, paused and gone through.

use std::sync::Arc;

use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::principal::Principal;
use signalpost_core::profile::{PauseRule, Profile};
use signalpost_core::replay::{Command, Phase, Start, Which};
use signalpost_core::template::Template;
use signalpost_core::time::Timestamp;
use signalpost_engine::replay::NewReplay;
use signalpost_engine::{Engine, View};

use super::life::{deliveries_of, make_webhook, make_workspace, publish, refuse};
use super::stage::{Stage, Told};
use super::{Scenario, Step, Turn, in_parts, published, step};
use crate::rig;

pub(super) const SCENARIO: Scenario = Scenario { profile, steps: STEPS, loose: &[] };

/// Looks at how far something has come.
const LOOKS_MAX: usize = 100;

const STEPS: &[Step] = &[
    step("make a workspace", make_workspace),
    step("make a webhook", |stage, _| make_webhook(stage, "workspace", "first")),
    step("refuse all requests", refuse),
    published("publish into a closed door", |stage, _| publish(stage, &["one", "two", "three"])),
    in_parts("let it fail", |stage, _| until(stage, 31, all_have_failed)),
    step("make another", |stage, _| make_webhook(stage, "workspace", "other")),
    step("ask for a replay", ask),
    in_parts("let it be planned", |stage, _| until(stage, 1, is_planned)),
    in_parts("start", |stage, _| command(stage, Command::Start)),
    in_parts("pause", |stage, _| command(stage, Command::Pause)),
    in_parts("resume", |stage, _| command(stage, Command::Resume)),
    in_parts("let it be done", |stage, _| until(stage, 1, is_done)),
    step("cancel what is done", |stage, _| cancel(stage)),
];

fn profile() -> Profile {
    let mut profile = rig::profile(PauseRule::Drops, None);
    profile.delivery.body = Template::json("${event.data}").expect("a good template");
    profile
}

/// What a caller looks at.
struct Look {
    engine: Arc<Engine>,
    view: Arc<View>,
    replay: Option<String>,
}

fn until(stage: &mut Stage, pause_s: i64, is_so: impl AsyncFn(Look) -> Result<bool, Error>) -> Told {
    let workspace = stage.noted("workspace");
    for _ in 0..LOOKS_MAX {
        let replay = stage.known("replay");
        let mut so = false;
        let told = stage.call(
            async |engine, _| {
                let view = engine.workspace(&workspace).await?;
                is_so(Look { engine, view, replay }).await
            },
            |_, seen| so = seen,
        );
        match told {
            Told::Done if so => return Told::Done,
            Told::Done => stage.advance_s(pause_s),
            Told::Refused(_) | Told::CutOff => return told,
        }
    }
    panic!("it never comes to that: {:?}", stage.faults);
}

async fn all_have_failed(look: Look) -> Result<bool, Error> {
    let rows = look.engine.list_deliveries(deliveries_of(&look.view)).await?.rows;
    Ok(rows.iter().all(|row| row.state.status() == DeliveryStatus::Failed))
}

async fn phase_of(look: Look) -> Result<Phase, Error> {
    let replay = look.replay.expect("it was asked for");
    look.engine.list_replays(look.view.workspace.id, None, 10).await?;
    Ok(look.engine.replay(look.view.workspace.id, &replay).await?.0.replay.phase)
}

async fn is_planned(look: Look) -> Result<bool, Error> {
    Ok(phase_of(look).await? == Phase::Planned)
}

async fn is_done(look: Look) -> Result<bool, Error> {
    Ok(phase_of(look).await? == Phase::Done)
}

/// Made again it is another one, which nobody starts.
fn ask(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, source, target) = (stage.noted("workspace"), stage.noted("first"), stage.noted("other"));
    stage.outlet.status.set(200);
    let new = NewReplay {
        source: Some(source),
        which: Which::Failed,
        since: Timestamp::from_ms(0),
        until: None,
        types: Vec::new(),
        subject: None,
        per_second: 1,
        start: Start::WhenTold,
    };
    stage.call(
        async |engine, _| {
            let view = engine.workspace(&workspace).await?;
            let done = engine.create_replay(&view, &target, new, Principal::Operator, None).await?;
            Ok(done.now().expect("it is not a call that happens once").replay.id.to_public())
        },
        |stage, id| stage.note("replay", &id),
    )
}

/// Asked for again it may have come further than that.
fn command(stage: &mut Stage, command: Command) -> Told {
    let told = carry_out(stage, command);
    match told {
        Told::Refused(error) if error.code == ErrorCode::Conflict => Told::Done,
        Told::Refused(_) | Told::Done | Told::CutOff => told,
    }
}

fn cancel(stage: &mut Stage) -> Told {
    match carry_out(stage, Command::Cancel) {
        Told::Refused(error) if error.code == ErrorCode::Conflict => Told::Done,
        Told::Done => panic!("it was done: {:?}", stage.faults),
        told => told,
    }
}

fn carry_out(stage: &mut Stage, command: Command) -> Told {
    let (workspace, replay) = (stage.noted("workspace"), stage.noted("replay"));
    stage.call(
        async |engine, _| {
            let id = engine.workspace(&workspace).await?.workspace.id;
            engine.command_replay(id, &replay, command, Principal::Operator).await.map(drop)
        },
        |_, ()| (),
    )
}
