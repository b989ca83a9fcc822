//! Users: made with a right and a session, found by name and by key, gone with the last right.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{CredentialId, UserId, WorkspaceId};
use signalpost_core::limits::{RIGHT_REMEMBERED_MS, USER_RIGHTS_MAX, WORKSPACE_RIGHTS_MAX};
use signalpost_core::user::{Right, User};

use super::Harness;
use super::kit::{Kit, refusal};
use crate::catalog::{Account, CreateUser, EraseWorkspace, HeldRight, OpenSession};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

fn hash(n: i64) -> CredentialHash {
    CredentialHash::of(&n.to_be_bytes())
}

/// User `n` with right `n + 1`, and a session by the key `n`.
async fn add(kit: &Kit, workspace: WorkspaceId, n: i64) -> CreateUser {
    let new = sample::new_user(workspace, n, hash(n));
    kit.create_user(new.clone()).await.expect("a new user");
    new
}

async fn grant(kit: &Kit, workspace: WorkspaceId, user: UserId, n: i64) -> Right {
    let right = sample::right(workspace, user, n);
    kit.grant_right(right.clone()).await.expect("a further right");
    right
}

async fn account(kit: &Kit, user: &User) -> Option<Account> {
    kit.account(user.dialect.clone(), user.username.clone()).await.expect("it reads")
}

async fn session(kit: &Kit, n: i64) -> Option<OpenSession> {
    kit.session_by_hash(hash(n)).await.expect("it reads")
}

async fn rights(kit: &Kit, workspace: WorkspaceId) -> Vec<i64> {
    let held = kit.list_rights(workspace).await.expect("it reads");
    held.iter().map(|held| held.right.id.raw()).collect()
}

/// No verb finds the user, and the session opens nothing.
async fn assert_gone(kit: &Kit, new: &CreateUser) {
    assert_eq!(account(kit, &new.user).await, None);
    let User { dialect, public_id, .. } = new.user.clone();
    assert_eq!(kit.user(dialect, public_id).await.expect("it reads"), None);
    assert_eq!(kit.session_by_hash(new.hash).await.expect("it reads"), None);
    let open = kit.open_session(new.session, hash(999)).await;
    assert_eq!(refusal(open), Refusal::Missing("user"));
}

pub async fn a_user_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let first = add(&kit, workspace, 20).await;
    let mut second = sample::new_user(workspace, 30, hash(30));
    second.user.username = "🧀 USER-20".to_owned();
    second.right.name = None;
    second.right.scopes = Vec::new();
    // Long past: whether a right or a session has expired is not the store's to judge.
    second.right.expires_at = Some(sample::at(-1_000_000));
    second.session.expires_at = sample::at(-1_000_000);
    kit.create_user(second.clone()).await.expect("a new user");
    let kit = kit.reopen(harness).await;
    for new in [first, second] {
        let CreateUser { user, password, right, session, hash } = new;
        let found = kit.user(user.dialect.clone(), user.public_id.clone()).await.expect("it reads");
        assert_eq!(found.as_ref(), Some(&user));
        let rights = vec![right.clone()];
        let expected = Account { user: user.clone(), password, rights: rights.clone() };
        assert_eq!(account(&kit, &user).await, Some(expected));
        let open = OpenSession { session, user: user.clone(), rights };
        assert_eq!(kit.session_by_hash(hash).await.expect("it reads"), Some(open));
        let listed = kit.list_rights(workspace).await.expect("it reads");
        assert!(listed.contains(&HeldRight { right, user }), "{listed:?}");
    }
    assert_eq!(kit.highest_id(), 31);
}

pub async fn a_user_needs_a_workspace_and_names_of_its_own(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let nowhere = sample::new_user(WorkspaceId::from_raw(9), 20, hash(20));
    assert_eq!(refusal(kit.create_user(nowhere).await), Refusal::Missing("workspace"));
    let workspace = kit.workspace(1).await;
    let other = kit.workspace(2).await;
    let first = add(&kit, workspace, 20).await;
    let new = || sample::new_user(other, 30, hash(30));
    let mut same_name = new();
    same_name.user.username.clone_from(&first.user.username);
    assert_eq!(refusal(kit.create_user(same_name.clone()).await), Refusal::Taken("username"));
    let mut same_id = new();
    same_id.user.public_id.clone_from(&first.user.public_id);
    assert_eq!(refusal(kit.create_user(same_id).await), Refusal::Taken("user id"));
    let same_key = CreateUser { hash: first.hash, ..new() };
    assert_eq!(refusal(kit.create_user(same_key).await), Refusal::Taken("session"));
    assert_eq!(rights(&kit, other).await, [], "a refusal leaves nothing");
    same_name.user.dialect = "other".to_owned();
    same_name.user.public_id.clone_from(&first.user.public_id);
    kit.create_user(same_name.clone()).await.expect("another dialect has names of its own");
    let mut capital = sample::new_user(other, 40, hash(40));
    capital.user.username = first.user.username.to_uppercase();
    kit.create_user(capital).await.expect("names are compared byte by byte");
    assert_eq!(account(&kit, &first.user).await.expect("it is there").user, first.user);
    assert_eq!(account(&kit, &same_name.user).await.expect("it is there").user, same_name.user);
}

pub async fn a_user_may_have_rights_on_many_workspaces(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (one, two, strange) = (kit.workspace(1).await, kit.workspace(2).await, kit.workspace(3).await);
    let new = add(&kit, two, 20).await;
    let other = add(&kit, one, 30).await;
    let (late, early) = (grant(&kit, two, new.user.id, 41).await, grant(&kit, one, new.user.id, 42).await);
    let expected = vec![early, new.right.clone(), late];
    assert_eq!(session(&kit, 20).await.expect("it is open").rights, expected, "by workspace, then by age");
    assert_eq!(account(&kit, &new.user).await.expect("it is there").rights, expected);
    assert_eq!(rights(&kit, one).await, [31, 42]);
    assert_eq!(rights(&kit, two).await, [21, 41]);
    assert_eq!(rights(&kit, strange).await, []);
    let nobody = sample::right(one, UserId::from_raw(77), 50);
    assert_eq!(refusal(kit.grant_right(nobody).await), Refusal::Missing("user"));
    let nowhere = sample::right(WorkspaceId::from_raw(9), other.user.id, 50);
    assert_eq!(refusal(kit.grant_right(nowhere).await), Refusal::Missing("workspace"));
}

pub async fn a_user_goes_with_the_last_right(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (one, two) = (kit.workspace(1).await, kit.workspace(2).await);
    let new = add(&kit, one, 20).await;
    let stays = add(&kit, one, 30).await;
    grant(&kit, two, new.user.id, 40).await;
    let revoke = |workspace, n| kit.revoke_right(workspace, CredentialId::from_raw(n));
    assert_eq!(refusal(revoke(two, 21).await), Refusal::Missing("right"), "of the other workspace");
    assert_eq!(revoke(one, 21).await.expect("it is there"), new.user.id);
    assert_eq!(refusal(revoke(one, 21).await), Refusal::Missing("right"), "for the second time");
    assert_eq!(session(&kit, 20).await.expect("it is open").rights.len(), 1);
    assert_eq!(revoke(two, 40).await.expect("it is there"), new.user.id);
    assert_gone(&kit, &new).await;
    assert_eq!(refusal(kit.grant_right(sample::right(one, new.user.id, 50)).await), Refusal::Missing("user"));
    assert_eq!(rights(&kit, one).await, [31]);
    assert_eq!(account(&kit, &stays.user).await.expect("it is there").rights, [stays.right]);
    let again = sample::new_user(two, 60, new.hash);
    let again = CreateUser { user: User { username: new.user.username, ..again.user.clone() }, ..again };
    kit.create_user(again).await.expect("name and key are free again");
}

pub async fn ids_of_users_who_are_gone_are_not_given_out_again(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    add(&kit, workspace, 20).await;
    let mut new = sample::new_user(workspace, 30, hash(30));
    new.user.id = UserId::from_raw(90);
    (new.right.user, new.session.user) = (new.user.id, new.user.id);
    kit.create_user(new).await.expect("a new user");
    kit.revoke_right(workspace, CredentialId::from_raw(31)).await.expect("it is there");
    assert_eq!(kit.highest_id(), 90);
    assert_eq!(kit.reopen(harness).await.highest_id(), 90);
}

pub async fn a_login_ends_the_session_before(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let new = add(&kit, workspace, 20).await;
    let other = add(&kit, workspace, 30).await;
    let next = sample::session(new.user.id, 40);
    assert_eq!(refusal(kit.open_session(next, other.hash).await), Refusal::Taken("session"));
    assert_eq!(refusal(kit.open_session(next, new.hash).await), Refusal::Taken("session"), "its own too");
    assert!(session(&kit, 20).await.is_some(), "a refusal ends nothing");
    kit.open_session(next, hash(40)).await.expect("a login");
    assert_eq!(session(&kit, 20).await, None);
    let open = session(&kit, 40).await.expect("it is open");
    assert_eq!((open.session, open.user, open.rights), (next, new.user, vec![new.right]));
    assert!(session(&kit, 30).await.is_some(), "the other user's stays");
    let nobody = sample::session(UserId::from_raw(77), 50);
    assert_eq!(refusal(kit.open_session(nobody, hash(50)).await), Refusal::Missing("user"));
}

pub async fn erasing_a_workspace_ends_the_rights_on_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, stays) = (kit.workspace(1).await, kit.workspace(2).await);
    let only_there = add(&kit, gone, 20).await;
    let elsewhere_too = add(&kit, gone, 30).await;
    let right = grant(&kit, stays, elsewhere_too.user.id, 40).await;
    let params = EraseWorkspace { workspace: gone, at: sample::at(50) };
    kit.erase_workspace(params).await.expect("it exists");
    assert_gone(&kit, &only_there).await;
    assert_eq!(rights(&kit, gone).await, []);
    let revoked = kit.revoke_right(gone, CredentialId::from_raw(31)).await;
    assert_eq!(refusal(revoked), Refusal::Missing("right"));
    assert_eq!(session(&kit, 30).await.expect("it is open").rights, [right]);
    let mut new = sample::new_user(stays, 60, only_there.hash);
    new.user.username = only_there.user.username;
    new.user.public_id = only_there.user.public_id;
    kit.create_user(new).await.expect("nothing of the user is left");
}

/// A workspace with many users is erased in steps.
pub async fn many_users_go_with_their_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, stays) = (kit.workspace(1).await, kit.workspace(2).await);
    let mut last = None;
    for n in (1_000..).step_by(2).take(WORKSPACE_RIGHTS_MAX) {
        last = Some(add(&kit, gone, n).await);
    }
    add(&kit, stays, 10_000).await;
    kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(50) }).await.expect("it exists");
    assert_gone(&kit, &last.expect("there are some")).await;
    assert_eq!(rights(&kit, stays).await, [10_001]);
    assert!(session(&kit, 10_000).await.is_some());
}

pub async fn rights_have_a_bound_for_each_workspace_and_an_expired_one_makes_room(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (full, other) = (kit.workspace(1).await, kit.workspace(2).await);
    let mut expiring = sample::new_user(full, 20, hash(20));
    expiring.right.expires_at = Some(sample::at(500));
    kit.create_user(expiring.clone()).await.expect("a new user");
    let mut later = sample::right(full, expiring.user.id, 30);
    later.expires_at = Some(sample::at(600));
    kit.grant_right(later).await.expect("a further right");
    for n in (1_000..).step_by(2).take(WORKSPACE_RIGHTS_MAX - 2) {
        add(&kit, full, n).await;
    }
    let limit = Refusal::LimitReached("rights on a workspace");
    let right_at =
        |n: i64, ms: i64| Right { created_at: sample::at(ms), ..sample::right(full, expiring.user.id, n) };
    assert_eq!(refusal(kit.grant_right(right_at(5_000, 499)).await), limit);
    let mut new = sample::new_user(full, 5_000, hash(5_000));
    new.right.created_at = sample::at(499);
    assert_eq!(refusal(kit.create_user(new.clone()).await), limit);
    new.right.created_at = sample::at(700);
    kit.create_user(new).await.expect("the one that expired first makes room");
    let held = rights(&kit, full).await;
    assert!(held.len() == WORKSPACE_RIGHTS_MAX && held[0] == 30 && held.contains(&5_001), "{:?}", &held[..3]);
    kit.grant_right(right_at(6_000, 700)).await.expect("the user's own last one makes room for the next");
    assert_eq!(account(&kit, &expiring.user).await.expect("it is there").rights, [right_at(6_000, 700)]);
    assert_eq!(refusal(kit.grant_right(right_at(6_001, 700)).await), limit);
    add(&kit, other, 7_000).await;
}

pub async fn rights_of_a_user_have_a_bound(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspaces = [kit.workspace(1).await, kit.workspace(2).await];
    let new = add(&kit, workspaces[0], 20).await;
    for (n, workspace) in (1_000..).zip(workspaces.into_iter().cycle()).take(USER_RIGHTS_MAX - 1) {
        grant(&kit, workspace, new.user.id, n).await;
    }
    let beyond = sample::right(workspaces[1], new.user.id, 9_000);
    assert_eq!(refusal(kit.grant_right(beyond.clone()).await), Refusal::LimitReached("rights of a user"));
    let params = EraseWorkspace { workspace: workspaces[0], at: sample::at(50) };
    kit.erase_workspace(params).await.expect("it exists");
    kit.grant_right(beyond).await.expect("there is room again");
}

pub async fn upkeep_forgets_expired_sessions_and_rights_that_expired_long_ago(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (one, two) = (kit.workspace(1).await, kit.workspace(2).await);
    // Its session ends at 1020.
    let new = add(&kit, one, 20).await;
    let mut expiring = sample::new_user(one, 30, hash(30));
    expiring.right.expires_at = Some(sample::at(5_000));
    expiring.session.expires_at = sample::at(5_000);
    kit.create_user(expiring.clone()).await.expect("a new user");
    let mut there_too = sample::right(two, new.user.id, 40);
    there_too.expires_at = Some(sample::at(5_000));
    kit.grant_right(there_too).await.expect("a further right");
    kit.tidy_up(1_019).await;
    assert!(session(&kit, 20).await.is_some());
    kit.tidy_up(1_020).await;
    assert_eq!(session(&kit, 20).await, None);
    assert_eq!(account(&kit, &new.user).await.expect("it is there").rights.len(), 2);
    let remembered = 5_000 + RIGHT_REMEMBERED_MS;
    kit.tidy_up(remembered - 1).await;
    assert_eq!(session(&kit, 30).await, None, "it went with its own end");
    assert_eq!((rights(&kit, one).await, rights(&kit, two).await), (vec![21, 31], vec![40]));
    kit.tidy_up(remembered).await;
    assert_eq!((rights(&kit, one).await, rights(&kit, two).await), (vec![21], vec![]));
    assert_gone(&kit, &expiring).await;
    assert_eq!(account(&kit, &new.user).await.expect("it is there").rights, [new.right]);
}

pub async fn upkeep_forgets_many_of_them_in_steps(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    for n in (1_000..).step_by(2).take(WORKSPACE_RIGHTS_MAX) {
        let mut new = sample::new_user(workspace, n, hash(n));
        new.right.expires_at = Some(sample::at(5_000));
        kit.create_user(new).await.expect("a new user");
    }
    kit.tidy_up(5_000 + RIGHT_REMEMBERED_MS).await;
    assert_eq!(rights(&kit, workspace).await, []);
    assert_eq!(session(&kit, 1_000).await, None);
}
