//! What happens to the engine while a run lasts: publishers, managers, and the weather.

pub(crate) mod manage;
pub(crate) mod publish;
mod redeliver;
mod secrets;
pub(crate) mod weather;
