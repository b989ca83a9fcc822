//! Replacing a webhook's secret: for a while the one before signs beside the new one.

use thiserror::Error;

use crate::limits::WEBHOOK_PREVIOUS_SECRETS_MAX;
use crate::secret::SealedSecret;
use crate::time::Timestamp;
use crate::webhook::Webhook;

/// A secret that was replaced and signs until it expires. Sealed in the same place as the webhook's newest, so that
/// a store can move it without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    pub sealed: SealedSecret,
    /// The first instant at which it signs no more.
    pub expires_at: Timestamp,
}

/// A change of the secrets that sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretsChange {
    /// This one signs from now on. The one before it until `keep_until`, or no more; older ones as they did.
    Rotate { secret: SealedSecret, keep_until: Option<Timestamp> },
    /// Only the newest signs from now on.
    RevokePrevious,
}

/// As many previous secrets sign already as one webhook may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("five previous secrets of the webhook still sign; revoke them, or wait until one has expired")]
pub struct TooManySecrets;

const _: () = assert!(WEBHOOK_PREVIOUS_SECRETS_MAX == 5);

/// The webhook after a change at `now`. Nothing is changed when it is refused.
pub fn apply(webhook: &mut Webhook, change: &SecretsChange, now: Timestamp) -> Result<(), TooManySecrets> {
    match change {
        SecretsChange::RevokePrevious => webhook.previous_secrets.clear(),
        SecretsChange::Rotate { secret, keep_until } => {
            let mut previous = unexpired(&webhook.previous_secrets, now);
            let kept = webhook.secret.clone().zip(keep_until.filter(|until| *until > now));
            if let Some((sealed, expires_at)) = kept {
                if previous.len() >= WEBHOOK_PREVIOUS_SECRETS_MAX {
                    return Err(TooManySecrets);
                }
                previous.insert(0, PreviousSecret { sealed, expires_at });
            }
            webhook.previous_secrets = previous;
            webhook.secret = Some(secret.clone());
        }
    }
    Ok(())
}

/// Drops what signs no more, so that no secret outlives its use.
pub fn wipe_expired(webhook: &mut Webhook, now: Timestamp) {
    webhook.previous_secrets.retain(|previous| previous.expires_at > now);
}

/// When the first of these expires.
pub fn first_expiry(previous: &[PreviousSecret]) -> Option<Timestamp> {
    previous.iter().map(|secret| secret.expires_at).min()
}

fn unexpired(previous: &[PreviousSecret], now: Timestamp) -> Vec<PreviousSecret> {
    previous.iter().filter(|secret| secret.expires_at > now).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::tests::webhook;

    fn sealed(n: u8) -> SealedSecret {
        SealedSecret::from_bytes(vec![n])
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn rotate(webhook: &mut Webhook, n: u8, keep_until: Option<i64>, now: i64) -> Result<(), TooManySecrets> {
        let change = SecretsChange::Rotate { secret: sealed(n), keep_until: keep_until.map(at) };
        apply(webhook, &change, at(now))
    }

    /// The newest, then what stands before it with its expiry.
    fn secrets(webhook: &Webhook) -> (u8, Vec<(u8, i64)>) {
        let first = |sealed: &SealedSecret| sealed.as_bytes()[0];
        let previous =
            webhook.previous_secrets.iter().map(|one| (first(&one.sealed), one.expires_at.as_ms()));
        (webhook.secret.as_ref().map_or(0, first), previous.collect())
    }

    #[test]
    fn the_newest_stands_first_and_the_expired_go() {
        let mut webhook = Webhook { secret: Some(sealed(1)), ..webhook() };
        rotate(&mut webhook, 2, Some(100), 10).expect("the first");
        assert_eq!(secrets(&webhook), (2, vec![(1, 100)]));
        rotate(&mut webhook, 3, Some(50), 20).expect("the second");
        assert_eq!(secrets(&webhook), (3, vec![(2, 50), (1, 100)]));
        assert_eq!(first_expiry(&webhook.previous_secrets), Some(at(50)));
        rotate(&mut webhook, 4, None, 49).expect("without an overlap");
        assert_eq!(secrets(&webhook), (4, vec![(2, 50), (1, 100)]), "only the replaced one stops");
        rotate(&mut webhook, 5, Some(60), 50).expect("at an expiry");
        assert_eq!(secrets(&webhook), (5, vec![(4, 60), (1, 100)]));
        rotate(&mut webhook, 6, Some(60), 60).expect("kept until now is not kept");
        assert_eq!(secrets(&webhook), (6, vec![(1, 100)]));
        wipe_expired(&mut webhook, at(99));
        assert_eq!(secrets(&webhook), (6, vec![(1, 100)]));
        wipe_expired(&mut webhook, at(100));
        assert_eq!(secrets(&webhook), (6, vec![]));
    }

    #[test]
    fn a_sixth_previous_secret_is_refused_and_changes_nothing() {
        let mut webhook = Webhook { secret: Some(sealed(1)), ..webhook() };
        for n in 2..=6 {
            rotate(&mut webhook, n, Some(100 + i64::from(n)), 10).expect("five fit");
        }
        let before = webhook.clone();
        assert_eq!(rotate(&mut webhook, 7, Some(200), 20), Err(TooManySecrets));
        assert_eq!(webhook, before);
        rotate(&mut webhook, 7, None, 20).expect("nothing is added");
        rotate(&mut webhook, 8, Some(200), 102).expect("one has expired");
        assert_eq!(secrets(&webhook), (8, vec![(7, 200), (5, 106), (4, 105), (3, 104), (2, 103)]));
        apply(&mut webhook, &SecretsChange::RevokePrevious, at(103)).expect("always possible");
        assert_eq!(secrets(&webhook), (8, vec![]));
    }
}
