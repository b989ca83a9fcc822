//! Faults planted on purpose: each is a mistake that somebody could make, and the auditor must see it.
//!
//! They sit in wrappers around the ports of the process that runs, so that neither the engine nor the simulated world
//! knows of them.

mod hunt;
mod lanes;
mod outcomes;
mod store;
mod store_verbs;
mod transport;
mod unsynced;

use std::rc::Rc;
use std::sync::Arc;

use signalpost_core::ports::Transport;
use signalpost_store::Store;
use signalpost_store::testing::memory::MemoryStore;

use crate::chance::SharedChance;
use crate::executor::Group;
use crate::ground::Ground;
use crate::trouble::Trouble;
pub use hunt::{Catch, SEEDS_MAX, hunt};
use store::PlantedStore;
use transport::PlantedTransport;
use unsynced::Unsynced;

/// One planted fault, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    Nothing,
    /// The store forgets that a retry is owed: only the process that made the attempt still knows.
    ForgetRetryRow,
    /// The first lane is never found among those that are owed something.
    SkipLane,
    /// Some events are acknowledged and not stored.
    LoseAcknowledged,
    /// Every answer of the store leaves before what it speaks of is on disk. Only a kill in between shows it.
    AcknowledgeEarly,
    /// Some outcomes are confirmed and not stored.
    ForgetOutcome,
    /// Outcomes are confirmed before they are stored, and a process that is asked to stop does not wait for them.
    LoseOutcomesAtStop,
    /// Outcomes are stored without what they mean for the health of their webhook.
    ForgetHealth,
    /// Some retries are recorded as if their webhook were paused.
    HoldForNothing,
    /// What is held for a paused webhook is recorded as given up.
    GiveUpHeld,
    /// Retention takes what is pending for ended.
    RemovePending,
    /// A lane always sees its webhook as it was when the process first looked.
    StaleLane,
    /// A lane goes on with the secrets that its webhook had when the process first looked.
    StaleSecrets,
    /// Some attempts start seconds after they were decided on, whatever has become of their webhook.
    StartLate,
    /// Pausing a webhook drops what is pending also where it is to be held.
    DropOnDisable,
    /// A webhook that is deleted takes nothing more, and what is pending for it is left as it is.
    ForgetCut,
    /// Each delivery is tried once more than its schedule says.
    OneRetryTooMany,
    /// Retries that are read from the store come two seconds before their time.
    RetryEarly,
    /// What receivers ask for with Retry-After is not heard.
    IgnoreRetryAfter,
    /// Some deliveries that have ended are tried again.
    TryEndedAgain,
    /// Requests are given up at once and left to themselves.
    LeakRequests,
    /// Neighbours in a workspace's sequence have changed their places.
    SwapSequences,
    /// Webhooks get events about any subject.
    IgnoreSubject,
    /// A retry carries another event id than the first attempt.
    ChangeEventId,
    /// A retry carries the timestamp and the signature of the first attempt.
    ReuseTimestamp,
    /// Some requests go out twice.
    SendTwice,
    /// Some requests carry a damaged signature.
    DamageSignature,
    /// Requests of one webhook go to the URL of another workspace's.
    WrongHost,
    /// A request that was never sent because its address is blocked counts as delivered.
    BlockedAsDelivered,
    /// The store does not know a call again by its idempotency key.
    ForgetCalls,
    /// A workspace is closed without its last event.
    ForgetFarewell,
    /// The store forgets that webhooks have changed since they were made.
    ForgetChanges,
    /// Webhooks get events that their filter does not admit.
    IgnoreFilters,
    /// A lane goes on with the shared key to which its webhook referred when the process first looked.
    StaleKey,
    /// Some events are missing in feeds.
    HideFromFeed,
    /// Lanes are told of new work before its commit, which may fail.
    TellEarly,
    /// What is owed is looked for once in a quarter of an hour or so.
    LookRarely,
    /// A lane does not know how many requests at once the owner of its webhook permits.
    ForgetMaxInFlight,
    /// The same of how many in a second.
    ForgetRate,
    /// Events of a key go to webhooks that keep an order as others do.
    IgnoreOrder,
    /// What was given up lets its key go, whatever the rule.
    ForgetToBlock,
    /// A process of several relies on its lease for an hour.
    TrustForAges,
    /// Outcomes are written though their lane group is another node's by then.
    BlindFence,
    /// Lane groups change hands though attempts of them are under way.
    GiveBusy,
    /// Whoever has more lane groups than its part keeps them.
    GiveNothing,
}

impl Plant {
    pub const ALL: [Self; 44] = [
        Self::ForgetRetryRow,
        Self::SkipLane,
        Self::LoseAcknowledged,
        Self::AcknowledgeEarly,
        Self::ForgetOutcome,
        Self::LoseOutcomesAtStop,
        Self::ForgetHealth,
        Self::HoldForNothing,
        Self::GiveUpHeld,
        Self::RemovePending,
        Self::StaleLane,
        Self::StaleSecrets,
        Self::StartLate,
        Self::DropOnDisable,
        Self::ForgetCut,
        Self::OneRetryTooMany,
        Self::RetryEarly,
        Self::IgnoreRetryAfter,
        Self::TryEndedAgain,
        Self::LeakRequests,
        Self::SwapSequences,
        Self::IgnoreSubject,
        Self::ChangeEventId,
        Self::ReuseTimestamp,
        Self::SendTwice,
        Self::DamageSignature,
        Self::WrongHost,
        Self::BlockedAsDelivered,
        Self::ForgetCalls,
        Self::ForgetFarewell,
        Self::ForgetChanges,
        Self::IgnoreFilters,
        Self::StaleKey,
        Self::HideFromFeed,
        Self::TellEarly,
        Self::LookRarely,
        Self::ForgetMaxInFlight,
        Self::ForgetRate,
        Self::IgnoreOrder,
        Self::ForgetToBlock,
        Self::TrustForAges,
        Self::BlindFence,
        Self::GiveBusy,
        Self::GiveNothing,
    ];

    /// Words of the finding that names this very mistake. Others may come with it.
    pub const fn finding(self) -> &'static str {
        match self {
            Self::Nothing => "there is none",
            Self::ForgetRetryRow | Self::SkipLane | Self::ForgetCut => "pending",
            Self::LoseAcknowledged | Self::AcknowledgeEarly => "is stored 0 times",
            Self::ForgetOutcome | Self::SendTwice => "is not on record",
            // Of a request without a record, how its process ended.
            Self::LoseOutcomesAtStop => "how: Stopped",
            Self::ForgetHealth => "was gone",
            Self::RemovePending => "was removed before",
            Self::StaleLane | Self::StartLate => "its webhook was",
            Self::StaleSecrets | Self::StaleKey | Self::DamageSignature => "does not verify",
            Self::DropOnDisable => "that nothing disabled",
            Self::HoldForNothing => "was held after",
            Self::OneRetryTooMany | Self::GiveUpHeld | Self::IgnoreRetryAfter => "was judged",
            Self::RetryEarly => "a retry due at",
            Self::TryEndedAgain => "follows a final verdict",
            Self::LeakRequests => "requests in flight for one webhook",
            Self::SwapSequences => "one before it had",
            Self::IgnoreSubject | Self::IgnoreFilters => "may false, chosen true",
            Self::ChangeEventId => "became",
            Self::ReuseTimestamp => "carries the timestamp",
            Self::WrongHost => "got what belongs to",
            Self::BlockedAsDelivered => "no receiver has ever answered",
            Self::ForgetCalls => "is stored 2 times",
            Self::ForgetFarewell => "never got the last event",
            Self::ForgetChanges => "which cannot be",
            Self::HideFromFeed => "never came in the feed",
            Self::TellEarly => "is in no list",
            Self::LookRarely => "is pending and late",
            Self::ForgetMaxInFlight => "more than its owner permits",
            Self::ForgetRate => "faster than",
            Self::IgnoreOrder => "while a request was in flight of",
            Self::ForgetToBlock => "although its key is blocked by",
            Self::TrustForAges => "while its lane group",
            Self::BlindFence => "had been another's before it ended",
            // Of a request without a record, as above.
            Self::GiveBusy => "how: HandedOver",
            Self::GiveNothing => "are divided as",
        }
    }

    /// What must have happened in a world for its finding to count, as its history says it. Elsewhere the mistake has
    /// no consequence, and what was found is something else.
    pub const fn needs(self) -> Option<&'static str> {
        match self {
            Self::AcknowledgeEarly => Some("is killed"),
            Self::SkipLane => Some("p2 starts"),
            _ => None,
        }
    }
}

/// Plants one fault, or none, into each process of a world.
pub(crate) struct Planter {
    plant: Plant,
    ground: Rc<Ground>,
    trouble: Arc<Trouble>,
    chance: Arc<SharedChance>,
}

impl Planter {
    /// What is left to chance here has a stream of its own: the world around is that of the seed.
    pub(crate) fn new(plant: Plant, seed: u64, ground: Rc<Ground>, trouble: Arc<Trouble>) -> Self {
        Self { plant, ground, trouble, chance: Arc::new(SharedChance::new(seed, "plant")) }
    }

    pub(crate) const fn plant(&self) -> Plant {
        self.plant
    }

    /// What a process takes for the disk.
    pub(crate) fn disk(&self, model: &MemoryStore) -> MemoryStore {
        if self.plant == Plant::AcknowledgeEarly { model.copy() } else { model.reopen() }
    }

    /// The store as the engine gets it. `cache` is what [`Self::disk`] gave for `model`.
    pub(crate) fn store(
        &self,
        inner: Arc<dyn Store>,
        cache: MemoryStore,
        model: &MemoryStore,
        group: Group,
    ) -> Arc<dyn Store> {
        if self.plant == Plant::Nothing {
            return inner;
        }
        let unsynced = Unsynced::new(cache, model.clone());
        let (plant, chance, trouble) = (self.plant, Arc::clone(&self.chance), Arc::clone(&self.trouble));
        let store = Arc::new(PlantedStore::new(plant, inner, chance, trouble, unsynced));
        if matches!(plant, Plant::AcknowledgeEarly | Plant::LoseOutcomesAtStop) {
            self.ground.spawn(group, Arc::clone(&store).catch_up(self.ground.clock.clone()));
        }
        store
    }

    /// A core's way into the network as the engine gets it.
    pub(crate) fn transport(&self, inner: Rc<dyn Transport>, group: Group) -> Rc<dyn Transport> {
        if self.plant == Plant::Nothing {
            return inner;
        }
        let (ground, chance) = (Rc::clone(&self.ground), Arc::clone(&self.chance));
        Rc::new(PlantedTransport::new(self.plant, inner, ground, chance, group))
    }
}
