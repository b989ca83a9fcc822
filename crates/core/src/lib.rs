//! The words of Signalpost and every decision that can be made without touching the world.
//!
//! What is absent is the point: no I/O, no clock, no randomness, no async runtime and no serialisation
//! derives. Whatever a function here needs to know arrives as an argument, so every rule of the product
//! (who receives an event, when to try again, how a request is signed) can be tested at a chosen instant.

pub mod act;
pub mod attempt;
pub mod base62;
pub mod basic_auth;
pub mod caller_address;
pub mod ceilings;
pub mod cell;
pub mod cidr;
pub mod concurrency;
pub mod credential;
pub mod custom_header;
pub mod delivery;
pub mod error;
mod escape;
pub mod event;
pub mod event_rule;
pub mod explain;
pub mod health;
pub mod hex;
pub mod id;
pub mod id_form;
pub mod idempotency;
mod json_names;
pub mod lane_group;
pub mod lane_share;
pub mod limits;
pub mod masking;
pub mod matching;
pub mod metadata;
pub mod operator_account;
pub mod operator_key;
pub mod operator_session;
pub mod order;
pub mod pace;
pub mod password;
pub mod policy;
pub mod ports;
pub mod principal;
pub mod profile;
pub mod rate;
pub mod replay;
pub mod request_id;
pub mod retention;
pub mod retry;
pub mod role;
pub mod root_key;
pub mod rotation;
pub mod scope;
pub mod seal;
pub mod secret;
pub mod sign;
pub mod signing_key;
pub mod target_url;
pub mod template;
pub mod time;
pub mod token_form;
pub mod user;
pub mod webhook;
pub mod webhook_form;
pub mod workspace;
