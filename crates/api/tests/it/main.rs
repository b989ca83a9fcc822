//! The routers as a client sees them: one-shot requests in process, over the model store and a clock that stands.

#![expect(clippy::unwrap_used, reason = "a test that unwraps the wrong thing fails, as it should")]

mod abandoned;
mod app;
mod batches;
mod bodies;
mod core;
mod deliveries;
mod documents;
mod event_rules;
mod explain;
mod explain_dialects;
mod filters;
mod health;
mod hostile;
mod idempotency;
mod key_rights;
mod keys;
mod labels;
mod numbers;
mod opentrain;
mod opentrain_branded;
mod opentrain_errors;
mod opentrain_feed;
mod opentrain_partner;
mod profiles;
mod publishing;
mod rates;
mod rates_public;
mod retention;
mod revoked_meanwhile;
mod secrets;
mod shapes;
mod sigmamind;
mod sigmamind_errors;
mod sigmamind_fields;
mod spaaza;
mod spaaza_branded;
mod spaaza_deliveries;
mod spaaza_errors;
mod unserved;
mod users;
mod webhook_login;
mod webhook_options;
mod webhooks;
mod workspaces;
