//! Credentials: stored by hash, listed, revoked.

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::id::{CredentialId, WorkspaceId};

use super::Harness;
use super::kit::{Kit, refusal};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

fn hash(n: u8) -> CredentialHash {
    CredentialHash::of(&[n])
}

pub async fn a_credential_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let given = [
        sample::credential(workspace, 21),
        Credential { name: None, scopes: Vec::new(), expires_at: None, ..sample::credential(workspace, 22) },
        Credential {
            scopes: vec!["a b".to_owned(), "🧀,".to_owned()],
            preview: "key_8f2a…91cd".to_owned(),
            // Long past: whether a credential has expired is not the store's to judge.
            expires_at: Some(sample::at(-1_000_000)),
            ..sample::credential(workspace, 23)
        },
    ];
    for (n, credential) in (0..).zip(&given) {
        kit.create_credential(credential.clone(), hash(n)).await.expect("a new credential");
    }
    for (n, credential) in (0..).zip(given) {
        assert_eq!(kit.credential_by_hash(hash(n)).await.expect("it reads"), Some(credential));
    }
    assert_eq!(kit.credential_by_hash(hash(9)).await.expect("it reads"), None);
}

pub async fn a_credential_needs_a_workspace_and_a_hash_of_its_own(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let nowhere = sample::credential(WorkspaceId::from_raw(9), 21);
    assert_eq!(refusal(kit.create_credential(nowhere, hash(1)).await), Refusal::Missing("workspace"));
    let first = kit.workspace(1).await;
    let second = kit.workspace(2).await;
    kit.create_credential(sample::credential(first, 21), hash(1)).await.expect("a new credential");
    for workspace in [first, second] {
        let again = kit.create_credential(sample::credential(workspace, 22), hash(1)).await;
        assert_eq!(refusal(again), Refusal::Taken("credential"));
    }
    assert_eq!(kit.list_credentials(second).await.expect("it reads"), []);
}

pub async fn credentials_are_listed_oldest_first(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let other = kit.workspace(2).await;
    for (n, owner) in [(23, workspace), (21, workspace), (24, other), (22, workspace)] {
        let hash = hash(u8::try_from(n).expect("small"));
        kit.create_credential(sample::credential(owner, n), hash).await.expect("a new credential");
    }
    let expected = [21, 22, 23].map(|n| sample::credential(workspace, n));
    assert_eq!(kit.list_credentials(workspace).await.expect("it reads"), expected);
    assert_eq!(kit.list_credentials(WorkspaceId::from_raw(9)).await.expect("it reads"), []);
}

pub async fn a_revoked_credential_is_gone(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let (revoked, kept) = (CredentialId::from_raw(21), sample::credential(workspace, 22));
    kit.create_credential(sample::credential(workspace, 21), hash(1)).await.expect("a new credential");
    kit.create_credential(kept.clone(), hash(2)).await.expect("a new credential");
    kit.revoke_credential(workspace, revoked).await.expect("it exists");
    assert_eq!(kit.credential_by_hash(hash(1)).await.expect("it reads"), None);
    assert_eq!(kit.list_credentials(workspace).await.expect("it reads"), [kept]);
    let missing = Refusal::Missing("credential");
    assert_eq!(refusal(kit.revoke_credential(workspace, revoked).await), missing, "for the second time");
}
