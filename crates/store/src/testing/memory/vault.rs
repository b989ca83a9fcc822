//! The model's sealed values.

use signalpost_core::seal::{KEY_CHECK_PLACE, Place};
use signalpost_core::secret::SealedSecret;
use signalpost_core::webhook::SECRET_FIELD;

use super::data::{Data, OnceAnswer};
use crate::vault::{AnswerKey, Resealed, Sealed, SealedKey, SealedPage};

impl Data {
    pub(super) fn sealed_page(&self, params: SealedPage) -> Vec<Sealed> {
        let after = |sealed: &Sealed| params.after.is_none_or(|after| sealed.key > after);
        let mut all = self.all_sealed();
        all.sort_by_key(|sealed| sealed.key);
        all.into_iter().filter(after).take(params.limit).collect()
    }

    pub(super) fn reseal(&mut self, resealed: Vec<Resealed>) -> usize {
        let mut replaced = 0;
        for Resealed { key, old, new } in resealed {
            if let Some(value) = self.sealed_mut(key).filter(|value| **value == old) {
                *value = new;
                replaced += 1;
            }
        }
        replaced
    }

    fn all_sealed(&self) -> Vec<Sealed> {
        let check = self.key_check.iter().map(|value| Sealed {
            key: SealedKey::KeyCheck,
            place: KEY_CHECK_PLACE,
            value: value.clone(),
        });
        let secrets = self.webhooks.values().filter_map(|row| {
            let webhook = &row.webhook;
            let (workspace, object) = (webhook.workspace.raw(), webhook.id.raw());
            let place = Place { workspace, object, field: SECRET_FIELD };
            let value = webhook.secret.clone()?;
            Some(Sealed { key: SealedKey::WebhookSecret(webhook.id), place, value })
        });
        let answers = self.once.iter().filter_map(|((workspace, name), row)| {
            let answer = AnswerKey { workspace: *workspace, name: *name };
            let OnceAnswer::Sealed(value) = &row.answer else { return None };
            Some(Sealed { key: SealedKey::Answer(answer), place: answer.place(), value: value.clone() })
        });
        check.chain(secrets).chain(answers).collect()
    }

    fn sealed_mut(&mut self, key: SealedKey) -> Option<&mut SealedSecret> {
        match key {
            SealedKey::KeyCheck => self.key_check.as_mut(),
            SealedKey::WebhookSecret(id) => self.webhooks.get_mut(&id)?.webhook.secret.as_mut(),
            SealedKey::Answer(AnswerKey { workspace, name }) => {
                match &mut self.once.get_mut(&(workspace, name))?.answer {
                    OnceAnswer::Sealed(value) => Some(value),
                    OnceAnswer::Accepted(_) => None,
                }
            }
        }
    }
}
