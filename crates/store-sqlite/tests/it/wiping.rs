//! What is deleted is gone from the file, and not only from the tables: secrets, although sealed, hashes of keys and
//! passwords, and what customers called things.

use std::fs;
use std::path::Path;

use signalpost_core::basic_auth::Login;
use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::custom_header::CustomHeader;
use signalpost_core::id::{CredentialId, SigningKeyId, WebhookId, WorkspaceId};
use signalpost_core::password::PasswordHash;
use signalpost_core::principal::Principal;
use signalpost_core::rotation::PreviousSecret;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::webhook::Webhook;
use signalpost_store::catalog::{CreateUser, DeleteSigningKey, DeleteWebhook, EraseWorkspace};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Effect, Ledger};

use crate::support::Inline;

/// Far more than is deleted, before it and behind it: pages stay in use.
const NEIGHBOURS: i64 = 100;
const DELETED: i64 = 1_000;

/// What may not be in the file any more, each of them as it lies there.
const SECRETS: [&str; 8] = [
    "sealed-secret-of-a-webhook",
    "sealed-previous-secret",
    "sealed-header-of-a-webhook",
    "sealed-password-at-a-receiver",
    "sealed-signing-key",
    "sealed-answer-to-a-call",
    "hash-of-a-users-password",
    "name-of-a-credential",
];

fn sealed(text: &str) -> SealedSecret {
    SealedSecret::from_bytes(text.as_bytes().to_vec())
}

fn webhook(workspace: WorkspaceId) -> Webhook {
    let login = Login { user: Some("ann".to_owned()), password: Some(sealed(SECRETS[3])) };
    Webhook {
        secret: Some(sealed(SECRETS[0])),
        previous_secrets: vec![PreviousSecret {
            sealed: sealed(SECRETS[1]),
            expires_at: sample::at(1 << 40),
        }],
        headers: vec![CustomHeader { name: "x-api-key".to_owned(), value: sealed(SECRETS[2]) }],
        login,
        ..sample::webhook(workspace, DELETED)
    }
}

/// Which of the secrets are in any file of the directory.
fn found(directory: &Path) -> Vec<&'static str> {
    let files = fs::read_dir(directory).expect("it is there").map(|entry| entry.expect("a file").path());
    let texts: Vec<Vec<u8>> = files.map(|file| fs::read(file).expect("it reads")).collect();
    let is_in = |text: &[u8], secret: &str| text.windows(secret.len()).any(|part| part == secret.as_bytes());
    SECRETS.into_iter().filter(|secret| texts.iter().any(|text| is_in(text, secret))).collect()
}

#[test]
fn what_is_deleted_is_not_in_the_file_any_more() {
    let place = Inline::new();
    let store = place.open_store();
    let (kept, erased) = (WorkspaceId::from_raw(1), WorkspaceId::from_raw(2));
    for n in [1, 2] {
        block_on(store.create_workspace(sample::workspace(n))).expect("a workspace");
    }
    let neighbours = |from: i64| {
        for n in from..from + NEIGHBOURS {
            block_on(store.create_webhook(sample::webhook(kept, n).into())).expect("a webhook");
            let hash = CredentialHash::of(&n.to_be_bytes());
            block_on(store.create_credential(sample::credential(kept, n + 10_000), hash))
                .expect("a credential");
        }
    };
    neighbours(100);
    block_on(store.create_webhook(webhook(kept).into())).expect("a webhook");
    let key = SigningKey { sealed: sealed(SECRETS[4]), ..sample::signing_key(kept, DELETED) };
    block_on(store.create_signing_key(key)).expect("a key");
    let credential = Credential { name: Some(SECRETS[7].to_owned()), ..sample::credential(kept, 11_000) };
    block_on(store.create_credential(credential, CredentialHash::of(b"x"))).expect("a credential");
    let password = PasswordHash::from_phc(SECRETS[6].to_owned());
    let user = CreateUser { password, ..sample::new_user(kept, 30_000, CredentialHash::of(b"y")) };
    let right = user.right.id;
    block_on(store.create_user(user)).expect("a user");
    let effect = Effect::CreateWebhook(Box::new(sample::webhook(erased, 2_000).into()));
    let once = sample::once(Some(erased), 1, 1, 1);
    block_on(store.do_once(effect, once, sealed(SECRETS[5]))).expect("a call");
    neighbours(5_000);
    block_on(store.close()).expect("it closes");
    assert_eq!(found(place.directory.path()), SECRETS, "what is kept is seen");

    let store = place.open_store();
    let (at, by) = (sample::at(50), Principal::Operator);
    let params = DeleteWebhook { workspace: kept, webhook: WebhookId::from_raw(DELETED), at, by: by.clone() };
    block_on(store.delete_webhook(params)).expect("it is deleted");
    let key = SigningKeyId::from_raw(DELETED);
    block_on(store.delete_signing_key(DeleteSigningKey { workspace: kept, key, at, by }))
        .expect("it is deleted");
    block_on(store.revoke_credential(kept, CredentialId::from_raw(11_000))).expect("it is revoked");
    block_on(store.revoke_right(kept, right)).expect("it is revoked");
    block_on(store.erase_workspace(EraseWorkspace { workspace: erased, at })).expect("it is erased");
    block_on(store.close()).expect("it closes");
    assert_eq!(found(place.directory.path()), Vec::<&str>::new());
}
