//! The vault's verbs: sealed values, which nobody here can open.

pub(crate) mod key_check;
mod reseal;
mod sealed_page;

use signalpost_core::secret::SealedSecret;
use signalpost_store::vault::{Resealed, Sealed, SealedPage};
use signalpost_store::{Answer, Vault};

use crate::store::PostgresStore;

impl Vault for PostgresStore {
    fn key_check(&self) -> Answer<Option<SealedSecret>> {
        self.read(async move |session| key_check::read(session).await)
    }

    fn set_key_check(&self, sealed: SealedSecret) -> Answer<()> {
        self.write(async move |write| key_check::set(write, &sealed).await)
    }

    fn sealed_page(&self, params: SealedPage) -> Answer<Vec<Sealed>> {
        self.read_snapshot(async move |session| sealed_page::run(session, params).await)
    }

    fn reseal(&self, resealed: Vec<Resealed>) -> Answer<usize> {
        self.write(async move |write| reseal::run(write, &resealed).await)
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    key_check::SELECT,
    key_check::REPLACE,
    reseal::SELECT_OWNERS,
    reseal::UPDATE_KEY_CHECK,
    reseal::SELECT_WEBHOOK,
    reseal::UPDATE_WEBHOOK,
    reseal::UPDATE_SIGNING_KEY,
    reseal::UPDATE_ANSWER,
    sealed_page::SELECT_WEBHOOKS,
    sealed_page::SELECT_SIGNING_KEYS,
    sealed_page::SELECT_ANSWERS,
];
