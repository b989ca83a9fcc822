//! Tests of the bounds on kept answers, with counts that were set to stand near them.

use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::{IDEMPOTENCY_BYTES_MAX, IDEMPOTENCY_SHARE_BYTES_MAX};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Done, Effect, Ledger};
use signalpost_testkit::TempDir;

use crate::SqliteStore;
use crate::queue::Admission;
use crate::write::Caches;

/// Less than one answer takes.
const ROOM_BYTES: u64 = 100;

struct Calls {
    store: SqliteStore,
    next: i64,
    _directory: TempDir,
}

impl Calls {
    /// Workspaces 1 and 2.
    fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        let store = SqliteStore::open_inline(directory.path()).expect("it opens");
        for n in [1, 2] {
            block_on(store.create_workspace(sample::workspace(n))).expect("a workspace");
        }
        Self { store, next: 100, _directory: directory }
    }

    /// Makes a call of this name.
    fn make(&mut self, place: Option<i64>, name: u8) {
        self.next += 1;
        let effect = match place {
            Some(workspace) => {
                let workspace = WorkspaceId::from_raw(workspace);
                Effect::CreateWebhook(Box::new(sample::webhook(workspace, self.next).into()))
            }
            None => Effect::CreateWorkspace(sample::workspace(self.next)),
        };
        let once = sample::once(place.map(WorkspaceId::from_raw), name, 1, 5);
        let done = block_on(self.store.do_once(effect, once, sample::sealed(self.next)));
        assert_eq!(done.expect("it is done"), Done::Now(()));
    }

    fn is_kept(&self, place: Option<i64>, name: u8) -> bool {
        let once = sample::once(place.map(WorkspaceId::from_raw), name, 1, 5);
        block_on(self.store.done_before(once)).expect("it reads").is_some()
    }

    /// Lets the store count as much as this.
    fn count(&self, sql: &'static str, bytes: u64) {
        let bytes = i64::try_from(bytes).expect("it fits");
        let set = move |write: &mut crate::write::Write<'_>| {
            *write.caches = Caches::default();
            Ok(write.connection.execute(sql, [bytes])?)
        };
        assert_eq!(block_on(self.store.write(Admission::Always, 1, set)).expect("it is set"), 1);
    }

    fn forgotten(&self) -> u64 {
        block_on(self.store.storage()).expect("it reads").answers_forgotten
    }
}

#[test]
fn a_workspace_beyond_its_share_forgets_its_own_oldest_call() {
    let mut calls = Calls::new();
    calls.make(None, 1);
    calls.make(Some(2), 2);
    for name in [3, 4, 5] {
        calls.make(Some(1), name);
    }
    let near = IDEMPOTENCY_SHARE_BYTES_MAX - ROOM_BYTES;
    calls.count("UPDATE head SET kept_bytes = ?1 WHERE workspace = 1", near);
    calls.make(Some(1), 6);
    assert_eq!(calls.forgotten(), 1);
    assert!(!calls.is_kept(Some(1), 3), "the oldest of the workspace made room");
    for (place, name) in [(None, 1), (Some(2), 2), (Some(1), 4), (Some(1), 5), (Some(1), 6)] {
        assert!(calls.is_kept(place, name), "call {name}");
    }
    calls.count("UPDATE meta SET value = ?1 WHERE name = 'kept_bytes_outside'", near);
    calls.make(None, 7);
    assert!(!calls.is_kept(None, 1) && calls.is_kept(None, 7), "the operator side has a share like that");
    assert!(calls.is_kept(Some(2), 2));
}

#[test]
fn beyond_the_bound_in_all_the_oldest_call_goes_whoevers_it_is() {
    let mut calls = Calls::new();
    calls.make(Some(2), 1);
    calls.make(Some(1), 2);
    calls.count("UPDATE meta SET value = ?1 WHERE name = 'kept_bytes'", IDEMPOTENCY_BYTES_MAX - ROOM_BYTES);
    calls.make(Some(1), 3);
    assert_eq!(calls.forgotten(), 1);
    let kept = [(2, 1), (1, 2), (1, 3)].map(|(workspace, name)| calls.is_kept(Some(workspace), name));
    assert_eq!(kept, [false, true, true]);
    calls.make(Some(2), 1);
    assert!(calls.is_kept(Some(2), 1), "what was forgotten may be done again");
}

/// A count that is too high for what is there must not make calls fail, nor turn round for ever.
#[test]
fn a_wrong_count_harms_no_call() {
    let mut calls = Calls::new();
    calls.count("UPDATE meta SET value = ?1 WHERE name = 'kept_bytes'", 2 * IDEMPOTENCY_BYTES_MAX);
    calls.make(Some(1), 1);
    assert!(!calls.is_kept(Some(1), 1), "everything was forgotten for the bound");
    calls.make(Some(1), 1);
}
