//! Operator keys: stored by hash, listed, revoked, rotated.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{OperatorKeyId, WorkspaceId};
use signalpost_core::limits::{OPERATOR_KEY_REMEMBERED_MS, OPERATOR_KEYS_MAX};
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::scope::Scope;

use super::Harness;
use super::kit::{Kit, refusal};
use crate::catalog::{EraseWorkspace, ListOperatorKeys, RotateOperatorKey};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

fn hash(n: i64) -> CredentialHash {
    CredentialHash::of(&n.to_be_bytes())
}

async fn add(kit: &Kit, workspace: Option<WorkspaceId>, n: i64) -> OperatorKey {
    let key = sample::operator_key(workspace, n);
    kit.create_operator_key(key.clone(), hash(n)).await.expect("a new operator key");
    key
}

async fn all(kit: &Kit, workspace: Option<WorkspaceId>) -> Vec<OperatorKey> {
    let params = ListOperatorKeys { workspace, after: None, limit: 9 };
    kit.list_operator_keys(params).await.expect("it reads")
}

fn rotation(previous: &OperatorKey, n: i64, ends_ms: i64) -> RotateOperatorKey {
    RotateOperatorKey {
        previous: previous.id,
        ends_at: sample::at(ends_ms),
        next: sample::operator_key(previous.workspace, n),
        hash: hash(n),
    }
}

pub async fn an_operator_key_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let given = [
        sample::operator_key(Some(workspace), 21),
        OperatorKey { scopes: Scope::ALL.to_vec(), ..sample::operator_key(None, 22) },
        OperatorKey { name: None, rate: None, expires_at: None, ..sample::operator_key(None, 23) },
        // Long past: whether a key has expired is not the store's to judge.
        OperatorKey { expires_at: Some(sample::at(-1_000_000)), ..sample::operator_key(None, 24) },
    ];
    for (n, key) in (21..).zip(&given) {
        kit.create_operator_key(key.clone(), hash(n)).await.expect("a new operator key");
    }
    assert_eq!(kit.highest_id(), 24);
    for (n, key) in (21..).zip(given) {
        assert_eq!(kit.operator_key_by_hash(hash(n)).await.expect("it reads"), Some(key.clone()));
        assert_eq!(kit.operator_key(key.id).await.expect("it reads"), Some(key));
    }
    assert_eq!(kit.operator_key_by_hash(hash(9)).await.expect("it reads"), None);
    assert_eq!(kit.operator_key(OperatorKeyId::from_raw(9)).await.expect("it reads"), None);
}

pub async fn an_operator_key_needs_a_hash_of_its_own_and_a_living_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let nowhere = sample::operator_key(Some(WorkspaceId::from_raw(9)), 21);
    assert_eq!(refusal(kit.create_operator_key(nowhere, hash(1)).await), Refusal::Missing("workspace"));
    add(&kit, None, 21).await;
    let again = kit.create_operator_key(sample::operator_key(None, 22), hash(21)).await;
    assert_eq!(refusal(again), Refusal::Taken("operator key"));
    assert_eq!(all(&kit, None).await.len(), 1);
}

pub async fn operator_keys_are_listed_oldest_first_in_pages(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (first, second) = (kit.workspace(1).await, kit.workspace(2).await);
    for (n, workspace) in [(24, None), (21, Some(first)), (23, Some(second)), (22, Some(first))] {
        add(&kit, workspace, n).await;
    }
    let page = async |workspace, after: Option<i64>, limit| {
        let after = after.map(OperatorKeyId::from_raw);
        let rows = kit.list_operator_keys(ListOperatorKeys { workspace, after, limit }).await;
        rows.expect("it reads").into_iter().map(|key| key.id.raw()).collect::<Vec<_>>()
    };
    assert_eq!(page(None, None, 9).await, [21, 22, 23, 24]);
    assert_eq!(page(None, Some(21), 2).await, [22, 23]);
    assert_eq!(page(Some(first), None, 9).await, [21, 22]);
    assert_eq!(page(Some(first), Some(21), 1).await, [22]);
    assert_eq!(page(Some(second), Some(23), 9).await, [0i64; 0]);
}

pub async fn a_revoked_operator_key_is_gone(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let key = add(&kit, None, 21).await;
    let kept = add(&kit, None, 20).await;
    kit.revoke_operator_key(key.id).await.expect("it exists");
    assert_eq!(kit.operator_key_by_hash(hash(21)).await.expect("it reads"), None);
    assert_eq!(all(&kit, None).await, [kept]);
    let missing = Refusal::Missing("operator key");
    assert_eq!(refusal(kit.revoke_operator_key(key.id).await), missing, "for the second time");
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 21, "an id is never given out again");
}

pub async fn a_rotated_key_ends_and_has_a_successor(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let endless = OperatorKey { expires_at: None, ..sample::operator_key(None, 21) };
    kit.create_operator_key(endless.clone(), hash(21)).await.expect("a new operator key");
    kit.rotate_operator_key(rotation(&endless, 22, 500)).await.expect("it exists");
    let successor = Some(OperatorKeyId::from_raw(22));
    let ended = OperatorKey { expires_at: Some(sample::at(500)), successor, ..endless };
    let next = sample::operator_key(None, 22);
    assert_eq!(all(&kit, None).await, [ended.clone(), next.clone()]);
    assert_eq!(kit.operator_key_by_hash(hash(21)).await.expect("it reads"), Some(ended));
    assert_eq!(kit.operator_key_by_hash(hash(22)).await.expect("it reads"), Some(next.clone()));
    kit.rotate_operator_key(rotation(&next, 23, 900_000)).await.expect("it exists");
    let rotated = kit.operator_key(next.id).await.expect("it reads");
    let successor = Some(OperatorKeyId::from_raw(23));
    let unprolonged = OperatorKey { successor, ..next };
    assert_eq!(rotated, Some(unprolonged), "one that ends before its overlap does is not prolonged");
}

pub async fn a_rotation_that_cannot_be_changes_nothing(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (key, rotated) = (add(&kit, None, 21).await, add(&kit, None, 19).await);
    kit.rotate_operator_key(rotation(&rotated, 20, 900_000)).await.expect("it exists");
    let before = kit.snapshot().await;
    let missing = RotateOperatorKey { previous: OperatorKeyId::from_raw(9), ..rotation(&key, 22, 5) };
    let taken = RotateOperatorKey { hash: hash(21), ..rotation(&key, 22, 5) };
    for (params, refused) in [
        (missing, Refusal::Missing("operator key")),
        (rotation(&rotated, 22, 5), Refusal::WrongState),
        (taken, Refusal::Taken("operator key")),
    ] {
        assert_eq!(refusal(kit.rotate_operator_key(params).await), refused);
    }
    assert_eq!(before.difference(&kit.snapshot().await), None);
}

pub async fn erasing_a_workspace_ends_the_keys_bound_to_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, other) = (kit.workspace(1).await, kit.workspace(2).await);
    let kept = [add(&kit, Some(other), 21).await, add(&kit, None, 22).await];
    add(&kit, Some(gone), 23).await;
    kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(50) }).await.expect("it exists");
    assert_eq!(all(&kit, None).await, kept);
    assert_eq!(all(&kit, Some(gone)).await, []);
    assert_eq!(kit.operator_key_by_hash(hash(23)).await.expect("it reads"), None);
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 23, "an id is never given out again");
}

pub async fn operator_keys_have_a_bound_for_each_binding(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let count = i64::try_from(OPERATOR_KEYS_MAX).expect("small");
    // All are called before the first is waited for, so that a store may put them into one commit.
    let calls: Vec<_> = (100..100 + count)
        .map(|n| kit.create_operator_key(sample::operator_key(Some(workspace), n), hash(n)))
        .collect();
    for call in calls {
        call.await.expect("within the bound");
    }
    let one_more = kit.create_operator_key(sample::operator_key(Some(workspace), 50), hash(50)).await;
    assert_eq!(refusal(one_more), Refusal::WrongState);
    add(&kit, None, 51).await;
    kit.revoke_operator_key(OperatorKeyId::from_raw(100)).await.expect("it exists");
    add(&kit, Some(workspace), 52).await;
}

pub async fn an_expired_operator_key_makes_room_for_a_new_one(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let count = i64::try_from(OPERATOR_KEYS_MAX).expect("small");
    let lasting = |n| OperatorKey { expires_at: None, ..sample::operator_key(None, n) };
    let ending = |n, ms| OperatorKey { expires_at: Some(sample::at(ms)), ..lasting(n) };
    let ends = [ending(20, 900), ending(21, 700), ending(22, 700), ending(23, 5_000)];
    let others = (100..100 + count - 4).map(lasting);
    let calls: Vec<_> = ends
        .into_iter()
        .chain(others)
        .map(|key| {
            let hash = hash(key.id.raw());
            kit.create_operator_key(key, hash)
        })
        .collect();
    for call in calls {
        call.await.expect("within the bound");
    }
    let create = async |n: i64, now_ms| {
        let key = OperatorKey { created_at: sample::at(now_ms), ..lasting(n) };
        kit.create_operator_key(key, hash(n)).await
    };
    let first = async || {
        let page = ListOperatorKeys { workspace: None, after: None, limit: 4 };
        let keys = kit.list_operator_keys(page).await.expect("it reads");
        keys.into_iter().map(|key| key.id.raw()).collect::<Vec<_>>()
    };
    assert_eq!(refusal(create(5_000, 699).await), Refusal::WrongState, "none has expired");
    create(5_000, 700).await.expect("one has, to the millisecond");
    assert_eq!(first().await, [20, 22, 23, 100], "of two that expired together the older one");
    create(5_001, 1_000).await.expect("another one has");
    assert_eq!(first().await, [20, 23, 100, 101], "the one that expired first");
    let rotated = lasting(100);
    let next = OperatorKey { created_at: sample::at(1_000), ..lasting(5_002) };
    kit.rotate_operator_key(RotateOperatorKey { next, ..rotation(&rotated, 5_002, 9_000) })
        .await
        .expect("a successor finds room as well");
    assert_eq!(first().await, [23, 100, 101, 102]);
    assert_eq!(refusal(create(5_003, 4_999).await), Refusal::WrongState);
    assert_eq!(kit.operator_key_by_hash(hash(21)).await.expect("it reads"), None);
}

pub async fn upkeep_forgets_operator_keys_that_expired_long_ago(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let mut kept = vec![
        OperatorKey { expires_at: None, ..sample::operator_key(None, 21) },
        OperatorKey { expires_at: Some(sample::at(1_001)), ..sample::operator_key(None, 22) },
    ];
    for key in &kept {
        kit.create_operator_key(key.clone(), hash(key.id.raw())).await.expect("a new operator key");
    }
    for (n, workspace) in [(23, None), (24, Some(workspace))] {
        let key = OperatorKey { expires_at: Some(sample::at(1_000)), ..sample::operator_key(workspace, n) };
        kit.create_operator_key(key, hash(n)).await.expect("a new operator key");
    }
    kit.tidy_up(999 + OPERATOR_KEY_REMEMBERED_MS).await;
    assert_eq!(all(&kit, None).await.len(), 4, "not before their time");
    kit.tidy_up(1_000 + OPERATOR_KEY_REMEMBERED_MS).await;
    assert_eq!(all(&kit, None).await, kept);
    assert_eq!(kit.operator_key_by_hash(hash(23)).await.expect("it reads"), None);
    assert_eq!(all(&kit, Some(workspace)).await, []);
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 24, "an id is never given out again");
    kit.tidy_up(i64::from(i32::MAX) * 1_000).await;
    kept.truncate(1);
    assert_eq!(all(&kit, None).await, kept);
}
