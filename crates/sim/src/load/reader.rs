//! A consumer who follows the feed of a workspace with a cursor, over restarts and refusals of the store: what it has read
//! must be all that there is up to its cursor, for good.

use std::rc::Rc;

use signalpost_core::error::ErrorCode;
use signalpost_core::event::Sequence;
use signalpost_engine::feed::FeedQuery;
use signalpost_store::ledger::Feed;

use crate::facts::Tenancy;
use crate::world::World;

const PAGE_MAX: u64 = 20;

/// Reads now and then, a page at a time.
pub(crate) async fn follow(world: Rc<World>, workspace: usize, pause_ms: u64) {
    let mut chance = world.chance(&format!("reader {workspace}"));
    while world.is_loading() {
        world.ground.sleep_us(chance.around(pause_ms * 1_000)).await;
        let limit = usize::try_from(chance.between(1, PAGE_MAX)).expect("a small page");
        if read(&world, workspace, limit).await == More::No && !is_living(&world, workspace) {
            return;
        }
    }
}

/// Reads what is left, when nothing is published any more.
pub(crate) async fn catch_up(world: &Rc<World>) {
    let workspaces = world.facts.borrow().workspaces.len();
    for workspace in 0..workspaces {
        while is_living(world, workspace) && read(world, workspace, 250).await == More::Yes {}
    }
}

fn is_living(world: &World, workspace: usize) -> bool {
    world.facts.borrow().workspaces[workspace].tenancy == Tenancy::Living
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    No,
    Yes,
}

async fn read(world: &Rc<World>, workspace: usize, limit: usize) -> More {
    let (public_id, cursor) = {
        let facts = world.facts.borrow();
        let facts = &facts.workspaces[workspace];
        (facts.public_id.clone(), facts.feed.cursor)
    };
    let answered = world
        .ask(|engine| {
            let (public_id, after) = (public_id.clone(), cursor.map(Sequence));
            async move {
                let view = engine.workspace(&public_id).await?;
                engine.feed(&view, FeedQuery { after, types: Vec::new(), limit }).await
            }
        })
        .await;
    let mut facts = world.facts.borrow_mut();
    match answered.answer {
        Ok(Feed::Page { events, next, more }) => {
            let sequences: Vec<i64> = events.iter().map(|event| event.sequence.0).collect();
            world.ground.note(format_args!("the feed of {workspace} after {cursor:?}: {sequences:?}"));
            let grows = sequences.windows(2).all(|pair| pair[0] < pair[1]);
            let behind = sequences.first().is_none_or(|first| cursor.is_none_or(|cursor| *first > cursor));
            if !grows || !behind {
                facts.findings.push(format!("the feed of {workspace} after {cursor:?} was {sequences:?}"));
            }
            let feed = &mut facts.workspaces[workspace].feed;
            feed.read.extend(sequences);
            feed.cursor = Some(next.0);
            if more { More::Yes } else { More::No }
        }
        Ok(Feed::Expired { oldest }) => {
            if facts.retention.is_none() {
                facts.findings.push(format!("the feed of {workspace} has expired up to {}", oldest.0));
            }
            let feed = &mut facts.workspaces[workspace].feed;
            (feed.expired, feed.cursor) = (Some(oldest.0), Some(oldest.0));
            More::Yes
        }
        Err(error) => {
            let erased = facts.workspaces[workspace].tenancy == Tenancy::Erased;
            if error.code != ErrorCode::NotFound || !erased {
                facts.findings.push(format!("the feed of {workspace} cannot be read: {error}"));
            }
            More::No
        }
    }
}
