//! What callers name without saying whose it is; see [`crate::Ledger::owner_of`].

use signalpost_core::id::DeliveryId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    Delivery(DeliveryId),
    /// A webhook of any workspace of this dialect instance; the oldest if several have the id.
    Webhook {
        dialect: String,
        public_id: String,
    },
    /// A signing key, as a webhook.
    SigningKey {
        dialect: String,
        public_id: String,
    },
}
