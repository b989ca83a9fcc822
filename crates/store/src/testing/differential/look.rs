//! The reads of a random sequence, with filters.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use signalpost_core::delivery::DeliveryStatus;

use super::operation::{Caller, Choice, DIALECTS, caller, choice};

/// Reads with filters; what an unfiltered read shows is compared after each step anyway.
#[derive(Clone, Debug)]
pub enum Look {
    Events { workspace: Choice, event_type: Option<u8>, subject: Option<u8>, limit: usize },
    EventOfProducer { workspace: Choice, id: u8 },
    Feed { workspace: Choice, after: Option<i64>, types: Vec<u8>, limit: usize },
    Deliveries { workspace: Choice, webhook: Option<Choice>, status: Option<DeliveryStatus>, limit: usize },
    Delivery { delivery: Choice, caller: Caller },
    OwnerOfWebhook { name: u8, dialect: String },
    OwnerOfSigningKey { name: u8, dialect: String },
    Lane { webhook: Choice },
    Remembered { workspace: Choice, name: u8 },
    Webhooks { workspace: Choice, active: Option<bool>, subject: Option<u8>, offset: usize, limit: usize },
}

pub(super) fn look() -> impl Strategy<Value = Look> {
    let status = option::of(prop::sample::select(DeliveryStatus::ALL.to_vec()));
    prop_oneof![
        (choice(), option::of(0..2u8), option::of(0..2u8), 1..5usize).prop_map(
            |(workspace, event_type, subject, limit)| Look::Events { workspace, event_type, subject, limit }
        ),
        (choice(), 0..3u8).prop_map(|(workspace, id)| Look::EventOfProducer { workspace, id }),
        (choice(), option::of(0..9i64), vec(0..2u8, 0..3), 1..5usize)
            .prop_map(|(workspace, after, types, limit)| Look::Feed { workspace, after, types, limit }),
        (choice(), option::of(choice()), status, 1..5usize).prop_map(
            |(workspace, webhook, status, limit)| Look::Deliveries { workspace, webhook, status, limit }
        ),
        (choice(), caller()).prop_map(|(delivery, caller)| Look::Delivery { delivery, caller }),
        (0..12u8, prop::sample::select(DIALECTS.map(str::to_owned).to_vec()))
            .prop_map(|(name, dialect)| Look::OwnerOfWebhook { name, dialect }),
        (0..4u8, prop::sample::select(DIALECTS.map(str::to_owned).to_vec()))
            .prop_map(|(name, dialect)| Look::OwnerOfSigningKey { name, dialect }),
        choice().prop_map(|webhook| Look::Lane { webhook }),
        (choice(), 0..12u8).prop_map(|(workspace, name)| Look::Remembered { workspace, name }),
        (choice(), option::of(any::<bool>()), option::of(0..2u8), 0..3usize, 1..4usize).prop_map(
            |(workspace, active, subject, offset, limit)| Look::Webhooks {
                workspace,
                active,
                subject,
                offset,
                limit
            }
        ),
    ]
}
