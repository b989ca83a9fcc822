//! Looking after the master key: recognising the right one, and sealing everything anew with another.
//!
//! Free functions on a store, because both run without an engine: before anything is served, or from a command.

use signalpost_core::ports::Random;
use signalpost_core::seal::{KEY_CHECK_PLACE, Keyring, OpenError};
use signalpost_core::secret::{SealedSecret, Secret};
use signalpost_store::vault::{Resealed, Sealed, SealedPage};
use signalpost_store::{Store, StoreError};

/// What the key check says when it opens. Its only use is to be known.
const KEY_CHECK_TEXT: &str = "signalpost";
/// Values that are sealed anew in one commit.
const PAGE_VALUES: usize = 500;

/// Why a ring of master keys cannot be used on a store.
#[derive(Debug, thiserror::Error)]
pub enum KeyCheckError {
    #[error("the master key is not the one that sealed the secrets stored here: {0}")]
    WrongKey(OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refuses a ring that does not open what is stored. A store that holds nothing sealed takes any ring and
/// remembers it.
pub async fn check_keyring(
    store: &dyn Store,
    keyring: &Keyring,
    random: &dyn Random,
) -> Result<(), KeyCheckError> {
    if let Some(sealed) = store.key_check().await? {
        return check_sealed(keyring, &sealed);
    }
    let first = store.sealed_page(SealedPage { after: None, limit: 1 }).await?;
    if let Some(Sealed { place, value, .. }) = first.first() {
        keyring.open(*place, value).map_err(KeyCheckError::WrongKey)?;
    }
    let check = keyring.seal(KEY_CHECK_PLACE, &Secret::from_text(KEY_CHECK_TEXT), random);
    Ok(store.set_key_check(check).await?)
}

/// Refuses a ring that does not open this key check.
pub fn check_sealed(keyring: &Keyring, sealed: &SealedSecret) -> Result<(), KeyCheckError> {
    keyring.open(KEY_CHECK_PLACE, sealed).map(drop).map_err(KeyCheckError::WrongKey)
}

/// What became of the sealed values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Sealed with the ring's first key now, and not before.
    pub resealed: u64,
    /// Sealed with it before, or changed by somebody else meanwhile.
    pub unchanged: u64,
    /// Sealed with a key that is not in the ring, or damaged. Left as they are.
    pub unopened: u64,
}

impl std::ops::AddAssign for Rewrapped {
    fn add_assign(&mut self, other: Self) {
        self.resealed += other.resealed;
        self.unchanged += other.unchanged;
        self.unopened += other.unopened;
    }
}

/// Seals everything that is stored with the first key of the ring; the others are needed only until this is done.
/// May be repeated, also after it broke off.
pub async fn rewrap(
    store: &dyn Store,
    keyring: &Keyring,
    random: &dyn Random,
    progress: &mut dyn FnMut(Rewrapped),
) -> Result<Rewrapped, StoreError> {
    let mut done = Rewrapped::default();
    let mut after = None;
    loop {
        let page = store.sealed_page(SealedPage { after, limit: PAGE_VALUES }).await?;
        let Some(last) = page.last() else { return Ok(done) };
        after = Some(last.key);
        let mut resealed = Vec::new();
        for Sealed { key, place, value } in page {
            if keyring.is_current(&value) {
                done.unchanged += 1;
                continue;
            }
            match keyring.open(place, &value) {
                Ok(secret) => {
                    let new = keyring.seal(place, &secret, random);
                    resealed.push(Resealed { key, old: value, new });
                }
                Err(_) => done.unopened += 1,
            }
        }
        let wanted = resealed.len() as u64;
        let replaced = if resealed.is_empty() { 0 } else { store.reseal(resealed).await? as u64 };
        done.resealed += replaced;
        done.unchanged += wanted - replaced;
        progress(done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use futures_util::FutureExt;
    use signalpost_core::basic_auth::{Login, PASSWORD_FIELD};
    use signalpost_core::id::{SigningKeyId, WorkspaceId};
    use signalpost_core::seal::Place;
    use signalpost_core::signing_key::SigningKey;
    use signalpost_core::webhook::{SECRET_FIELD, Webhook};
    use signalpost_store::testing::memory::MemoryStore;
    use signalpost_store::testing::sample;
    use signalpost_store::vault::signing_key_place;
    use signalpost_store::{Catalog, Vault};

    struct Sevens;

    impl Random for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn ring(ids: &[u8]) -> Keyring {
        let entries: Vec<String> =
            ids.iter().map(|id| format!("{id}:{}", format!("{id:02x}").repeat(32))).collect();
        Keyring::parse(&entries.join(",")).expect("a good ring")
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().expect("the memory model never waits")
    }

    fn place(webhook: i64) -> Place {
        Place { workspace: 1, object: webhook, field: SECRET_FIELD }
    }

    /// A store with webhooks whose secrets read `secret <n>`, sealed with the ring.
    fn store_of(ring: &Keyring, webhooks: std::ops::Range<i64>) -> MemoryStore {
        let store = MemoryStore::new();
        now(store.create_workspace(sample::workspace(1))).expect("a workspace");
        for n in webhooks {
            let secret = ring.seal(place(n), &Secret::from_text(&format!("secret {n}")), &Sevens);
            let webhook = Webhook { secret: Some(secret), ..sample::webhook(WorkspaceId::from_raw(1), n) };
            now(store.create_webhook(webhook.into())).expect("a webhook");
        }
        store
    }

    #[test]
    fn the_ring_that_came_first_is_the_right_one() {
        let store = MemoryStore::new();
        let check = |ids| now(check_keyring(&store, &ring(ids), &Sevens));
        check(&[1]).expect("an empty store takes any");
        check(&[1]).expect("and knows it again");
        check(&[2, 1]).expect("a ring that holds it as well");
        let error = check(&[2]).expect_err("another key");
        assert!(matches!(error, KeyCheckError::WrongKey(OpenError::UnknownKey(1))), "{error}");
    }

    #[test]
    fn a_store_without_a_check_is_judged_by_what_it_holds() {
        let store = store_of(&ring(&[1]), 11..12);
        assert!(now(check_keyring(&store, &ring(&[2]), &Sevens)).is_err());
        assert_eq!(now(store.key_check()).expect("it reads"), None, "a refusal leaves nothing");
        now(check_keyring(&store, &ring(&[1]), &Sevens)).expect("the right one");
    }

    #[test]
    fn after_a_rewrap_the_new_key_alone_opens_everything() {
        let old = ring(&[1]);
        let store = store_of(&old, 11..11 + 2 * i64::try_from(PAGE_VALUES).expect("few"));
        now(check_keyring(&store, &old, &Sevens)).expect("it fits");
        let both = ring(&[2, 1]);
        let mut steps = 0;
        let done = now(rewrap(&store, &both, &Sevens, &mut |_| steps += 1)).expect("it works");
        let all = 2 * PAGE_VALUES as u64 + 1;
        assert_eq!(done, Rewrapped { resealed: all, unchanged: 0, unopened: 0 });
        assert_eq!(steps, 3);
        let new = ring(&[2]);
        now(check_keyring(&store, &new, &Sevens)).expect("the check is sealed anew as well");
        let webhook = now(store.webhook(WorkspaceId::from_raw(1), "wh-12".to_owned())).expect("it reads");
        let sealed = webhook.and_then(|webhook| webhook.secret).expect("it has a secret");
        assert_eq!(new.open(place(12), &sealed).expect("it opens").expose_text(), "secret 12");
        let again = now(rewrap(&store, &new, &Sevens, &mut |_| {})).expect("it works");
        assert_eq!(again, Rewrapped { resealed: 0, unchanged: all, unopened: 0 });
    }

    #[test]
    fn signing_keys_and_logins_are_sealed_anew_as_well() {
        let (old, new) = (ring(&[1]), ring(&[2]));
        let store = store_of(&old, 0..0);
        let workspace = WorkspaceId::from_raw(1);
        let key_place = signing_key_place(workspace, SigningKeyId::from_raw(21));
        let sealed = old.seal(key_place, &Secret::from_text("key"), &Sevens);
        now(store.create_signing_key(SigningKey { sealed, ..sample::signing_key(workspace, 21) }))
            .expect("a signing key");
        let place = Place { workspace: 1, object: 31, field: PASSWORD_FIELD };
        let password = Some(old.seal(place, &Secret::from_text("password"), &Sevens));
        let login = Login { user: Some("user".to_owned()), password };
        let webhook = Webhook { secret: None, login, ..sample::webhook(workspace, 31) };
        now(store.create_webhook(webhook.into())).expect("a webhook");
        let done = now(rewrap(&store, &ring(&[2, 1]), &Sevens, &mut |_| {})).expect("it works");
        assert_eq!(done, Rewrapped { resealed: 2, unchanged: 0, unopened: 0 });
        let key = now(store.signing_key(workspace, "sk-21".to_owned())).expect("it reads").expect("it lives");
        assert_eq!(new.open(key_place, &key.sealed).expect("it opens").expose_text(), "key");
        let webhook = now(store.webhook(workspace, "wh-31".to_owned())).expect("it reads").expect("it lives");
        let password = webhook.login.password.expect("it has one");
        assert_eq!(new.open(place, &password).expect("it opens").expose_text(), "password");
    }

    #[test]
    fn what_does_not_open_is_counted_and_left() {
        let store = store_of(&ring(&[1]), 11..13);
        let before = now(store.sealed_page(SealedPage { after: None, limit: 10 })).expect("it reads");
        let done = now(rewrap(&store, &ring(&[3, 2]), &Sevens, &mut |_| {})).expect("it works");
        assert_eq!(done, Rewrapped { resealed: 0, unchanged: 0, unopened: 2 });
        assert_eq!(now(store.sealed_page(SealedPage { after: None, limit: 10 })).expect("it reads"), before);
    }
}
