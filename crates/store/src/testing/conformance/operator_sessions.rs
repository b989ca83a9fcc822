//! Sessions of those who operate: as good as what they were opened with.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{OperatorSessionId, WorkspaceId};
use signalpost_core::limits::OPERATOR_SESSIONS_MAX;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::operator_session::{Opener, OperatorSession};
use signalpost_core::role::Role;
use signalpost_core::scope::Scope;

use super::Harness;
use super::kit::{Kit, refusal};
use crate::catalog::{EraseWorkspace, RotateOperatorKey};
use crate::desk::{ListOperatorSessions, OpenOperatorSession};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

const ROOT: Opener = Opener::Root { fingerprint: [0xf7; 8] };

fn hash(n: i64) -> CredentialHash {
    CredentialHash::of(&n.to_be_bytes())
}

async fn key(kit: &Kit, n: i64, scopes: &[Scope], workspace: Option<WorkspaceId>) -> OperatorKey {
    let key = OperatorKey { scopes: scopes.to_vec(), expires_at: None, ..sample::operator_key(workspace, n) };
    kit.create_operator_key(key.clone(), hash(n)).await.expect("a new key");
    key
}

async fn open(kit: &Kit, opener: Opener, n: i64) -> OperatorSession {
    let session = sample::operator_session(opener, n);
    kit.open_operator_session(session, hash(n), None).await.expect("a new session");
    session
}

async fn found(kit: &Kit, n: i64) -> Option<OpenOperatorSession> {
    kit.operator_session_by_hash(hash(n)).await.expect("it reads")
}

/// Numbers of those that are good then.
async fn listed(kit: &Kit, at_ms: i64) -> Vec<i64> {
    let all = ListOperatorSessions { at: sample::at(at_ms), before: None, limit: 10_000 };
    let page = kit.list_operator_sessions(all).await.expect("it reads");
    page.iter().map(|open| open.session.id.raw()).collect()
}

pub async fn a_session_has_the_rights_of_its_opener(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let reader = key(&kit, 21, &[Scope::Publish, Scope::Read], Some(workspace)).await;
    let admin = key(&kit, 22, &[Scope::Admin], None).await;
    for (n, opener, role, bound, name) in [
        (31, ROOT, Role::Admin, None, None),
        (32, Opener::Key(reader.id), Role::Viewer, Some(workspace), reader.name.clone()),
        (33, Opener::Key(admin.id), Role::Admin, None, admin.name.clone()),
    ] {
        let given = open(&kit, opener, n).await;
        let session = OperatorSession { role, workspace: bound, ..given };
        assert_eq!(found(&kit, n).await, Some(OpenOperatorSession { session, opener_name: name }));
    }
    assert_eq!(found(&kit, 34).await, None);
    assert_eq!(kit.highest_id(), 33);
}

pub async fn a_session_needs_an_opener_and_a_hash_of_its_own(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let publisher = key(&kit, 21, &[Scope::Publish], None).await;
    let reader = key(&kit, 22, &[Scope::Read], None).await;
    open(&kit, ROOT, 31).await;
    let before = kit.snapshot().await;
    let gone = Opener::Key(signalpost_core::id::OperatorKeyId::from_raw(9));
    for (opener, n, refused) in [
        (gone, 32, Refusal::Missing("operator key")),
        (Opener::Key(publisher.id), 32, Refusal::WrongState),
        (Opener::Key(reader.id), 31, Refusal::Taken("operator session")),
    ] {
        let session = sample::operator_session(opener, 40);
        assert_eq!(refusal(kit.open_operator_session(session, hash(n), None).await), refused);
    }
    assert_eq!(before.difference(&kit.snapshot().await), None);
}

pub async fn sessions_are_listed_newest_first_while_they_are_good(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let reader = key(&kit, 21, &[Scope::Read], None).await;
    for (n, opener) in [(31, ROOT), (34, ROOT), (32, Opener::Key(reader.id)), (33, ROOT)] {
        open(&kit, opener, n).await;
    }
    let page = async |at_ms, before: Option<i64>, limit| {
        let before = before.map(OperatorSessionId::from_raw);
        let params = ListOperatorSessions { at: sample::at(at_ms), before, limit };
        let rows = kit.list_operator_sessions(params).await.expect("it reads");
        rows.iter().map(|open| open.session.id.raw()).collect::<Vec<_>>()
    };
    assert_eq!(page(0, None, 9).await, [34, 33, 32, 31]);
    assert_eq!(page(0, Some(34), 2).await, [33, 32]);
    let end_ms = 33 + 1_000;
    assert_eq!(page(end_ms - 1, None, 9).await, [34, 33]);
    assert_eq!(page(end_ms, None, 9).await, [34], "ends are exclusive");
}

pub async fn a_session_that_was_ended_is_gone(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (ended, kept) = (open(&kit, ROOT, 32).await, open(&kit, ROOT, 31).await);
    kit.end_operator_session(ended.id).await.expect("it is there");
    assert_eq!(found(&kit, 32).await, None);
    assert_eq!(found(&kit, 31).await.map(|open| open.session.id), Some(kept.id));
    let missing = Refusal::Missing("operator session");
    assert_eq!(refusal(kit.end_operator_session(ended.id).await), missing, "for the second time");
    let kit = kit.reopen(harness).await;
    assert_eq!(listed(&kit, 0).await, [31]);
    assert_eq!(kit.highest_id(), 32, "an id is never given out again");
}

pub async fn a_session_ends_with_the_key_that_opened_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (revoked, other) =
        (key(&kit, 21, &[Scope::Read], None).await, key(&kit, 22, &[Scope::Read], None).await);
    for (n, opener) in [(31, Opener::Key(revoked.id)), (32, Opener::Key(other.id)), (33, ROOT)] {
        open(&kit, opener, n).await;
    }
    kit.revoke_operator_key(revoked.id).await.expect("it is there");
    assert_eq!(found(&kit, 31).await, None);
    assert_eq!(listed(&kit, 0).await, [33, 32]);
    let next = OperatorKey { id: signalpost_core::id::OperatorKeyId::from_raw(41), ..other.clone() };
    let ends_at = sample::at(500);
    let rotation = RotateOperatorKey { previous: other.id, ends_at, next, hash: hash(41) };
    kit.rotate_operator_key(rotation).await.expect("it is there");
    let session = found(&kit, 32).await.expect("it lasts as long as the key").session;
    assert_eq!(session.expires_at, ends_at);
    assert_eq!(listed(&kit, 500).await, [33]);
}

pub async fn erasing_a_workspace_ends_the_sessions_bound_to_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, other) = (kit.workspace(1).await, kit.workspace(2).await);
    for (n, workspace) in [(21, gone), (22, other)] {
        let key = key(&kit, n, &[Scope::Admin], Some(workspace)).await;
        open(&kit, Opener::Key(key.id), n + 10).await;
    }
    kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(50) }).await.expect("it exists");
    assert_eq!(found(&kit, 31).await, None);
    assert_eq!(listed(&kit, 0).await, [32]);
}

pub async fn of_too_many_sessions_of_one_opener_the_oldest_ends(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let reader = key(&kit, 21, &[Scope::Read], None).await;
    open(&kit, Opener::Key(reader.id), 31).await;
    let count = i64::try_from(OPERATOR_SESSIONS_MAX).expect("small");
    // All are called before the first is waited for, so that a store may put them into one commit.
    let calls: Vec<_> = (100..100 + count)
        .map(|n| kit.open_operator_session(sample::operator_session(ROOT, n), hash(n), None))
        .collect();
    for call in calls {
        call.await.expect("within the bound");
    }
    assert_eq!(listed(&kit, 0).await.len(), OPERATOR_SESSIONS_MAX + 1);
    open(&kit, ROOT, 5_000).await;
    assert_eq!(found(&kit, 100).await, None);
    assert!(found(&kit, 101).await.is_some() && found(&kit, 31).await.is_some());
    assert_eq!(listed(&kit, 0).await.len(), OPERATOR_SESSIONS_MAX + 1);
}

pub async fn upkeep_removes_sessions_that_have_expired(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    for n in [31, 32] {
        open(&kit, ROOT, n).await;
    }
    kit.tidy_up(30 + 1_000).await;
    assert_eq!(listed(&kit, 0).await, [32, 31], "not before their time");
    kit.tidy_up(31 + 1_000).await;
    assert_eq!(listed(&kit, 0).await, [32]);
    let missing = Refusal::Missing("operator session");
    assert_eq!(refusal(kit.end_operator_session(OperatorSessionId::from_raw(31)).await), missing);
    kit.tidy_up(5_000).await;
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 32, "an id is never given out again");
}
