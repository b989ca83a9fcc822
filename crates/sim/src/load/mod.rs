//! What happens to the engine while a run lasts: publishers, managers, and the weather.

mod ceilings;
pub(crate) mod crowd;
mod deaths;
mod everywhere;
mod keys;
pub(crate) mod manage;
pub(crate) mod order;
pub(crate) mod publish;
pub(crate) mod reader;
mod redeliver;
mod secrets;
mod spells;
pub(crate) mod weather;
