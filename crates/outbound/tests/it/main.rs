//! The client against receivers that mean harm, over real sockets of this machine.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests are the world: their receivers have threads, their clock is the real one"
)]

mod answers;
mod bounds;
mod certificates;
mod guard;
mod names;
mod rebinding;
mod receiver;
mod reuse;
mod smuggling;
mod ssrf;
mod wire;
mod world;
