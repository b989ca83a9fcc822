//! Sending many deliveries once more: asked for, looked at before anything is sent, and followed.

pub(crate) mod command;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod show;
