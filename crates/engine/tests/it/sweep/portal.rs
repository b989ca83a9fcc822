//! Customers: somebody makes them a link, they come, and they leave.

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::portal_rights::PortalRights;
use signalpost_core::profile::{PauseRule, Profile};
use signalpost_engine::portal::links::NewPortalLink;

use super::life::workspace_called;
use super::stage::{Stage, Told};
use super::{Scenario, Step, Turn, ended, step};
use crate::rig;

pub(super) const SCENARIO: Scenario = Scenario { profile, steps: STEPS, loose: &[] };

/// Who has lost the answer follows the link once more; a token that nobody has seen opens its session to nobody.
const STEPS: &[Step] = &[
    step("make a workspace", make_workspace),
    step("make a link", make_link),
    step("follow it", follow),
    step("come with the token", come_in),
    ended("leave", leave, ErrorCode::NotFound),
    step("the token opens nothing", opens_nothing),
    step("follow it again", follow),
    step("come with that token", come_in),
    step("end all sessions", end_all),
    step("that token opens nothing either", opens_nothing),
    step("nor does the link", link_opens_nothing),
    step("restart", |stage, _| {
        stage.restart();
        stage.settle();
        Told::Done
    }),
    step("the token opens nothing still", opens_nothing),
    step("nor the link", link_opens_nothing),
];

fn profile() -> Profile {
    Profile { farewell: None, ..rig::profile(PauseRule::Drops, None) }
}

fn make_workspace(stage: &mut Stage, _: Turn) -> Told {
    stage.call(
        async |engine, _| workspace_called(&engine, "portal").await,
        |stage, id| stage.note("workspace", &id),
    )
}

fn make_link(stage: &mut Stage, _: Turn) -> Told {
    let workspace = stage.noted("workspace");
    stage.call(
        async |engine, _| {
            let view = engine.workspace(&workspace).await?;
            let new =
                NewPortalLink { rights: PortalRights::Manages, name: None, lasts_ms: None, session_ms: None };
            engine.create_portal_link(&view, new)
        },
        |stage, issued| stage.note("link", issued.token.expose_text()),
    )
}

fn follow(stage: &mut Stage, _: Turn) -> Told {
    let link = stage.noted("link");
    stage.call(
        async |engine, _| engine.open_portal(link.as_bytes()).await,
        |stage, opened| stage.note("token", opened.token.expose_text()),
    )
}

fn come_in(stage: &mut Stage, _: Turn) -> Told {
    let token = stage.noted("token");
    stage.call(
        async |engine, _| {
            let visitor = engine.portal_visitor(token.as_bytes()).await?;
            engine.confirm(&visitor.pass()).await
        },
        |stage, ()| stage.note("session", "somebody was there"),
    )
}

fn leave(stage: &mut Stage, _: Turn) -> Told {
    let token = stage.noted("token");
    stage.call(
        async |engine, _| match engine.portal_visitor(token.as_bytes()).await {
            // It has ended before, as the answer that was lost would have said.
            Err(error) if error.code == ErrorCode::Unauthenticated => Err(Error::not_found("portal session")),
            visitor => {
                let session = visitor?.session;
                engine.end_portal_session(session.workspace, session.id).await
            }
        },
        |_, ()| (),
    )
}

fn end_all(stage: &mut Stage, _: Turn) -> Told {
    let workspace = stage.noted("workspace");
    stage.call(
        async |engine, _| {
            let id = engine.workspace_id(&workspace).await?;
            engine.end_portal_sessions(id).await
        },
        |_, ()| (),
    )
}

fn opens_nothing(stage: &mut Stage, _: Turn) -> Told {
    let token = stage.noted("token");
    stage.call(async |engine, _| refused(engine.portal_visitor(token.as_bytes()).await.map(drop)), |_, ()| ())
}

fn link_opens_nothing(stage: &mut Stage, _: Turn) -> Told {
    let link = stage.noted("link");
    stage.call(async |engine, _| refused(engine.open_portal(link.as_bytes()).await.map(drop)), |_, ()| ())
}

fn refused(judged: Result<(), Error>) -> Result<(), Error> {
    match judged {
        Err(error) if error.code == ErrorCode::Unauthenticated => Ok(()),
        Err(error) => Err(error),
        Ok(()) => panic!("it opens something"),
    }
}
