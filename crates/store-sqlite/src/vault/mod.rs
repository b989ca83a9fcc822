//! The vault's verbs: sealed values, which nobody here can open.

mod key_check;
mod reseal;
mod sealed_page;

use signalpost_core::secret::SealedSecret;
use signalpost_store::vault::{Resealed, Sealed, SealedPage};
use signalpost_store::{Answer, Vault};

use crate::queue::Admission;
use crate::store::SqliteStore;

/// What one sealed value weighs in a commit, in bytes.
const VALUE_BYTES: usize = 512;

impl Vault for SqliteStore {
    fn key_check(&self) -> Answer<Option<SealedSecret>> {
        self.read(key_check::read)
    }

    fn set_key_check(&self, sealed: SealedSecret) -> Answer<()> {
        self.write(Admission::Always, VALUE_BYTES, move |write| key_check::set(write, &sealed))
    }

    fn sealed_page(&self, params: SealedPage) -> Answer<Vec<Sealed>> {
        self.read(move |connection| sealed_page::run(connection, params))
    }

    fn reseal(&self, resealed: Vec<Resealed>) -> Answer<usize> {
        let bytes = VALUE_BYTES * resealed.len();
        self.write(Admission::Always, bytes, move |write| reseal::run(write, &resealed))
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    key_check::SELECT,
    key_check::REPLACE,
    reseal::UPDATE_KEY_CHECK,
    reseal::SELECT_WEBHOOK,
    reseal::UPDATE_WEBHOOK,
    reseal::UPDATE_SIGNING_KEY,
    reseal::UPDATE_ANSWER,
    sealed_page::SELECT_WEBHOOKS,
    sealed_page::SELECT_SIGNING_KEYS,
    sealed_page::SELECT_ANSWERS,
];
