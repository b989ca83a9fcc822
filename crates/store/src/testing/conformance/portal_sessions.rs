//! Sessions of customers: each of one workspace, with which it ends.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{PortalSessionId, WorkspaceId};
use signalpost_core::limits::PORTAL_SESSIONS_MAX;
use signalpost_core::portal_rights::PortalRights;
use signalpost_core::portal_session::PortalSession;

use super::Harness;
use super::kit::{Kit, refusal};
use crate::catalog::EraseWorkspace;
use crate::portal::OpenPortalSession;
use crate::testing::refusal::Refusal;
use crate::testing::sample;

fn hash(n: i64) -> CredentialHash {
    CredentialHash::of(&n.to_be_bytes())
}

fn opening(session: PortalSession, link_made_ms: i64) -> OpenPortalSession {
    let hash = hash(session.id.raw());
    OpenPortalSession { session, hash, link_made_at: sample::at(link_made_ms) }
}

pub async fn a_portal_session_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let nameless =
        PortalSession { rights: PortalRights::Reads, name: None, ..sample::portal_session(workspace, 22) };
    kit.open_portal_session(opening(nameless.clone(), 0)).await.expect("a new session");
    let named = kit.let_in(workspace, 23).await;
    let kit = kit.reopen(harness).await;
    assert_eq!([kit.customer(22).await, kit.customer(23).await], [Some(nameless), Some(named)]);
    assert_eq!(kit.customer(24).await, None);
    assert_eq!(kit.highest_id(), 23);
}

pub async fn a_portal_session_needs_a_living_workspace_and_a_hash_of_its_own(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, erased) = (kit.workspace(1).await, kit.workspace(2).await);
    kit.let_in(workspace, 22).await;
    kit.erase_workspace(EraseWorkspace { workspace: erased, at: sample::at(50) }).await.expect("it exists");
    let of = |workspace, n| opening(sample::portal_session(workspace, n), 0);
    let taken = OpenPortalSession { hash: hash(22), ..of(workspace, 24) };
    for (params, refused) in [
        (of(erased, 23), Refusal::Missing("workspace")),
        (of(WorkspaceId::from_raw(9), 23), Refusal::Missing("workspace")),
        (taken, Refusal::Taken("portal session")),
    ] {
        assert_eq!(refusal(kit.open_portal_session(params).await), refused);
    }
    assert_eq!(kit.customer(23).await, None);
}

pub async fn a_portal_session_that_was_ended_is_gone(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let (ended, kept) = (kit.let_in(workspace, 32).await, kit.let_in(workspace, 31).await);
    kit.end_portal_session(workspace, ended.id).await.expect("it is there");
    assert_eq!([kit.customer(32).await, kit.customer(31).await], [None, Some(kept)]);
    let missing = Refusal::Missing("portal session");
    assert_eq!(refusal(kit.end_portal_session(workspace, ended.id).await), missing, "for the second time");
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 32, "an id is never given out again");
}

pub async fn ending_all_portal_sessions_keeps_earlier_links_from_opening_more(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, other) = (kit.workspace(1).await, kit.workspace(2).await);
    kit.let_in(workspace, 31).await;
    kit.let_in(workspace, 32).await;
    let kept = kit.let_in(other, 30).await;
    kit.end_portal_sessions(workspace, sample::at(40)).await.expect("it exists");
    assert_eq!([kit.customer(31).await, kit.customer(32).await], [None, None]);
    assert_eq!(kit.customer(30).await, Some(kept), "it is of another workspace");
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 32, "ids are never given out again");
    for (n, workspace, link_made_ms, opens) in [
        (33, workspace, 39, false),
        (34, workspace, 40, false),
        (35, workspace, 41, true),
        (36, other, 1, true),
    ] {
        let opened =
            kit.open_portal_session(opening(sample::portal_session(workspace, n), link_made_ms)).await;
        assert_eq!(
            opened.map_err(Refusal::from),
            if opens { Ok(()) } else { Err(Refusal::WrongState) },
            "{n}"
        );
    }
    let missing = kit.end_portal_sessions(WorkspaceId::from_raw(9), sample::at(50)).await;
    assert_eq!(refusal(missing), Refusal::Missing("workspace"));
}

/// By another node's clock, or by one that was set back.
pub async fn ending_all_portal_sessions_at_an_earlier_instant_opens_no_link_again(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    kit.end_portal_sessions(workspace, sample::at(40)).await.expect("it exists");
    let opens = async |n, link_made_ms| {
        let params = opening(sample::portal_session(workspace, n), link_made_ms);
        kit.open_portal_session(params).await.map_err(Refusal::from)
    };
    assert_eq!(opens(31, 45).await, Ok(()));
    kit.end_portal_sessions(workspace, sample::at(30)).await.expect("it exists");
    assert_eq!(kit.customer(31).await, None, "it ends what is open all the same");
    assert_eq!([opens(32, 40).await, opens(33, 41).await], [Err(Refusal::WrongState), Ok(())]);
}

pub async fn erasing_a_workspace_ends_its_portal_sessions(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, other) = (kit.workspace(1).await, kit.workspace(2).await);
    let ended = kit.let_in(gone, 31).await;
    let kept = kit.let_in(other, 30).await;
    kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(50) }).await.expect("it exists");
    assert_eq!([kit.customer(31).await, kit.customer(30).await], [None, Some(kept)]);
    let missing = Refusal::Missing("portal session");
    assert_eq!(refusal(kit.end_portal_session(gone, ended.id).await), missing);
    assert_eq!(refusal(kit.end_portal_sessions(gone, sample::at(60)).await), Refusal::Missing("workspace"));
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 31, "an id is never given out again");
}

pub async fn of_too_many_portal_sessions_of_one_workspace_the_oldest_ends(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, other) = (kit.workspace(1).await, kit.workspace(2).await);
    kit.let_in(other, 31).await;
    let count = i64::try_from(PORTAL_SESSIONS_MAX).expect("small");
    // All are called before the first is waited for, so that a store may put them into one commit.
    let calls: Vec<_> = (100..100 + count)
        .map(|n| kit.open_portal_session(opening(sample::portal_session(workspace, n), 0)))
        .collect();
    for call in calls {
        call.await.expect("within the bound");
    }
    assert!(kit.customer(100).await.is_some());
    kit.let_in(workspace, 5_000).await;
    assert_eq!(kit.customer(100).await, None);
    assert!(kit.customer(101).await.is_some() && kit.customer(31).await.is_some());
}

pub async fn upkeep_removes_portal_sessions_that_have_expired(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    for n in [31, 32] {
        kit.let_in(workspace, n).await;
    }
    kit.tidy_up(30 + 1_000).await;
    assert!(kit.customer(31).await.is_some() && kit.customer(32).await.is_some(), "not before their time");
    kit.tidy_up(31 + 1_000).await;
    assert_eq!([kit.customer(31).await.is_some(), kit.customer(32).await.is_some()], [false, true]);
    kit.tidy_up(5_000).await;
    let missing = Refusal::Missing("portal session");
    let gone = kit.end_portal_session(workspace, PortalSessionId::from_raw(32)).await;
    assert_eq!(refusal(gone), missing);
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 32, "an id is never given out again");
}
