//! The model's sealed values.

use signalpost_core::seal::KEY_CHECK_PLACE;
use signalpost_core::secret::SealedSecret;

use super::MemoryStore;
use super::data::{Data, Life, OnceAnswer, SigningKeyRow};
use crate::Answer;
use crate::vault::{
    AnswerKey, Resealed, Sealed, SealedKey, SealedPage, Vault, replace_in, sealed_in, sealed_in_key,
};

impl Vault for MemoryStore {
    fn key_check(&self) -> Answer<Option<SealedSecret>> {
        self.run(|data| Ok(data.key_check.clone()))
    }

    fn set_key_check(&self, sealed: SealedSecret) -> Answer<()> {
        self.run(|data| {
            data.key_check = Some(sealed);
            Ok(())
        })
    }

    fn sealed_page(&self, params: SealedPage) -> Answer<Vec<Sealed>> {
        self.run(move |data| Ok(data.sealed_page(params)))
    }

    fn reseal(&self, resealed: Vec<Resealed>) -> Answer<usize> {
        self.run(|data| Ok(data.reseal(resealed)))
    }
}

impl Data {
    pub(super) fn sealed_page(&self, params: SealedPage) -> Vec<Sealed> {
        let SealedPage { after, limit } = params;
        let later =
            self.all_sealed().into_iter().filter(|sealed| after.is_none_or(|after| sealed.key > after));
        let mut page: Vec<Sealed> = Vec::new();
        for sealed in later {
            if page.len() >= limit && page.last().is_some_and(|last| last.key != sealed.key) {
                break;
            }
            page.push(sealed);
        }
        page
    }

    pub(super) fn reseal(&mut self, resealed: Vec<Resealed>) -> usize {
        resealed.iter().filter(|one| self.reseal_one(one)).count()
    }

    /// By key: webhooks stand in the order of their ids.
    fn all_sealed(&self) -> Vec<Sealed> {
        let check = self.key_check.iter().map(|value| Sealed {
            key: SealedKey::KeyCheck,
            place: KEY_CHECK_PLACE,
            value: value.clone(),
        });
        let secrets = self.webhooks.values().flat_map(|row| sealed_in(&row.webhook));
        let living = self.signing_keys.values().filter(|row| row.life == Life::Living);
        let keys = living.map(|row| sealed_in_key(&row.key));
        let answers = self.once.iter().filter_map(|((workspace, name), row)| {
            let answer = AnswerKey { workspace: *workspace, name: *name };
            let OnceAnswer::Sealed(value) = &row.answer else { return None };
            Some(Sealed { key: SealedKey::Answer(answer), place: answer.place(), value: value.clone() })
        });
        check.chain(secrets).chain(keys).chain(answers).collect()
    }

    fn reseal_one(&mut self, Resealed { key, old, new }: &Resealed) -> bool {
        match key {
            SealedKey::KeyCheck if self.key_check.as_ref() == Some(old) => {
                self.key_check = Some(new.clone());
                true
            }
            SealedKey::KeyCheck => false,
            SealedKey::Webhook(id) => {
                self.webhooks.get_mut(id).is_some_and(|row| replace_in(&mut row.webhook, old, new))
            }
            SealedKey::SigningKey(id) => match self.signing_keys.get_mut(id) {
                Some(SigningKeyRow { key, life: Life::Living }) if key.sealed == *old => {
                    key.sealed.clone_from(new);
                    true
                }
                _ => false,
            },
            SealedKey::Answer(AnswerKey { workspace, name }) => {
                match self.once.get_mut(&(*workspace, *name)).map(|row| &mut row.answer) {
                    Some(OnceAnswer::Sealed(value)) if value == old => {
                        value.clone_from(new);
                        true
                    }
                    _ => false,
                }
            }
        }
    }
}
