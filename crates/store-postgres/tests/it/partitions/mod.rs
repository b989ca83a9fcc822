//! Events lie in tables by their time: made ahead, dropped when they are old, and what stays is carried.

mod beside;
mod leaving;
mod making;
pub(crate) mod stage;
mod strangers;
mod upgrade;
