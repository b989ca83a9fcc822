//! Many publishers and readers that poll the feed all along: each event must reach each reader once, in order.
//!
//! For any store whose verbs may be called from many threads. Publishers mint their ids long before they are
//! committed, and commit them out of order, as processes under load do.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::{EventId, WorkspaceId};

use super::block_on::block_on;
use super::sample;
use crate::Store;
use crate::ledger::{AcceptEvent, Feed, ReadFeed};

const TYPES: [&str; 3] = ["order.paid", "order.shipped", "user.created"];
/// Sizes of calls, one after the other.
const CALL_EVENTS: [usize; 4] = [1, 20, 3, 50];
const PAGE_ROWS: usize = 100;

#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// Of each handle.
    pub publishers: usize,
    /// Events of each publisher.
    pub events: usize,
}

/// What publishers tell readers.
struct Progress {
    next_id: AtomicI64,
    /// The highest place that was acknowledged.
    acknowledged: AtomicI64,
    running: AtomicUsize,
}

/// Runs a race on an empty store, through several handles of it.
///
/// # Panics
/// When a reader misses an event, gets one twice or out of order, or does not see what was acknowledged before it
/// asked.
#[expect(clippy::disallowed_methods, reason = "a race needs threads of the system")]
pub fn run(handles: &[&dyn Store], race: Race) {
    let (store, publishers) = (handles[0], handles.len() * race.publishers);
    let workspace = sample::workspace_with_feed(1);
    let id = workspace.id;
    block_on(store.create_workspace(workspace)).expect("a workspace");
    let version = block_on(store.fan_out(id)).expect("it reads").expect("it exists").version;
    let progress = Progress {
        next_id: AtomicI64::new(1_000),
        acknowledged: AtomicI64::new(0),
        running: AtomicUsize::new(publishers),
    };
    let (all, of_a_type) = std::thread::scope(|scope| {
        let progress = &progress;
        for handle in handles.iter().cycle().take(publishers) {
            scope.spawn(move || publish(*handle, id, version, race.events, progress));
        }
        let one_type = vec![TYPES[1].to_owned()];
        let all = scope.spawn(move || read_all(store, id, Vec::new(), progress));
        let of_a_type = scope.spawn(move || read_all(handles[handles.len() - 1], id, one_type, progress));
        (all.join().expect("a reader"), of_a_type.join().expect("a reader"))
    });
    let expected = publishers * race.events;
    assert_eq!(all.len(), expected, "every event, once");
    let wanted: Vec<_> = all.iter().filter(|event| event.content.event_type == TYPES[1]).collect();
    assert_eq!(of_a_type.iter().collect::<Vec<_>>(), wanted, "the same of one type");
    let mut ids: Vec<i64> = all.iter().map(|event| event.id.raw()).collect();
    assert!(!ids.is_sorted(), "ids were committed in the order of their minting, which shows nothing");
    ids.sort_unstable();
    let minted = 1_000..1_000 + i64::try_from(expected).expect("few");
    assert!(ids.into_iter().eq(minted), "each event that was published");
}

/// Of two calls, each minted in turn, the later goes first.
fn publish(store: &dyn Store, workspace: WorkspaceId, version: u64, events: usize, progress: &Progress) {
    let mut left = events;
    let mut sizes = CALL_EVENTS.iter().cycle();
    while left > 0 {
        let calls = [0; 2].map(|_: usize| {
            let size = left.min(*sizes.next().expect("it goes round"));
            left -= size;
            (0..size).map(|_| draft(workspace, version, progress)).collect::<Vec<_>>()
        });
        for call in calls.into_iter().rev().filter(|call| !call.is_empty()) {
            let accepted = block_on(store.accept(call)).expect("it is accepted");
            let last = accepted.last().expect("it is not empty").sequence;
            progress.acknowledged.fetch_max(last.0, Ordering::SeqCst);
        }
    }
    progress.running.fetch_sub(1, Ordering::SeqCst);
}

fn draft(workspace: WorkspaceId, version: u64, progress: &Progress) -> AcceptEvent {
    let id = progress.next_id.fetch_add(1, Ordering::SeqCst);
    let mut event = sample::event(workspace, id, version, &[]);
    event.id = EventId::from_raw(id);
    let place = usize::try_from(id).expect("ids are positive") % TYPES.len();
    event.content.event_type = TYPES[place].to_owned();
    event
}

/// Polls until the publishers have ended, and once more.
fn read_all(
    store: &dyn Store,
    workspace: WorkspaceId,
    types: Vec<String>,
    progress: &Progress,
) -> Vec<Arc<Event>> {
    let mut found: Vec<Arc<Event>> = Vec::new();
    let mut params = ReadFeed { workspace, after: None, types, limit: PAGE_ROWS };
    loop {
        let last_round = progress.running.load(Ordering::SeqCst) == 0;
        let acknowledged = Sequence(progress.acknowledged.load(Ordering::SeqCst));
        loop {
            let feed = block_on(store.feed(params.clone())).expect("it reads").expect("the workspace exists");
            let Feed::Page { events, next, more } = feed else { panic!("nothing expires: {feed:?}") };
            for event in events {
                assert!(params.after.is_none_or(|after| event.sequence > after), "behind the cursor");
                assert!(found.last().is_none_or(|last| last.sequence < event.sequence), "in order, once");
                found.push(event);
            }
            params.after = Some(next);
            if !more {
                assert!(next >= acknowledged, "{next:?}, but {acknowledged:?} was acknowledged before");
                break;
            }
        }
        if last_round {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::memory::MemoryStore;

    #[test]
    fn the_model_hands_out_every_event_once() {
        run(&[&MemoryStore::new()], Race { publishers: 4, events: 300 });
    }
}
