//! Use cases and loops: accept events, deliver them, look things up, keep house.
//!
//! The engine is shaped for an imagined ideal client. No wire protocol, no backend and no TLS type is known
//! here; time, randomness and the network come in through the ports of `signalpost_core`.
//!
//! An event's path: [`ingest`] has `fan_out` choose targets and the store commit them, `doorbell` hands the committed
//! event to the delivery cores, a [`core_loop`] starts attempts lane by lane, `attempt` renders, signs and sends
//! one, and its outcome goes back to the store in batches.

mod attempt;
mod balance;
pub mod cells;
mod cluster;
mod committed;
pub mod core_loop;
pub mod credentials;
mod decisions;
pub mod desk;
mod directory;
mod doorbell;
mod engine;
mod event_check;
pub mod explain;
mod fan_out;
mod farewell;
pub mod feed;
pub mod figures;
mod filters;
mod gone;
pub mod guesses;
#[cfg(test)]
mod hand_clock;
mod hash_cache;
mod heavy_work;
mod id_map;
pub mod ingest;
mod lane;
mod lane_config;
pub mod limiter;
mod logins;
pub mod lookup;
mod mailbox;
mod metadata;
pub mod metrics;
pub mod oldest_due;
pub mod once;
pub mod operator;
pub mod operator_keys;
mod owed;
pub mod pass;
mod passwords;
mod permit;
mod places;
pub mod portal;
mod profiles;
mod ready;
mod record;
pub mod redeliver;
mod release;
mod remembered;
pub mod replay;
mod retention;
mod round;
mod sealing;
pub mod secrets;
pub mod sent;
pub mod sessions;
mod signing_keys;
mod subscriptions;
pub mod test_event;
mod timers;
pub mod to_its_end;
mod trust;
mod upkeep;
pub mod users;
pub mod vault;
pub mod webhooks;
mod whose;
pub mod workspaces;

pub use balance::BalanceRule;
pub use core_loop::DeliveryCore;
pub use directory::View;
pub use engine::{Engine, EngineOptions};
pub use id_map::core_of;
/// Words of the store that callers of the engine use.
pub use signalpost_store::Done;
pub use signalpost_store::catalog::{HeldRight, ListWebhooks, WebhookPage};
pub use signalpost_store::cluster::Cluster;
pub use signalpost_store::desk::{ActPage, ListActs, OpenOperatorSession};
pub use signalpost_store::lease_counts::LeaseCounts;
pub use signalpost_store::ledger::{
    DeliveryPage, DeliveryRecord, DeliverySummary, DiskSpace, EventPage, Feed, ListDeliveries, ListEvents,
    Room, Storage, Usage,
};
pub use signalpost_store::replays::Waits;
pub use signalpost_store::rollups::{FailingWebhook, FiguresPage};
