//! The store on a PostgreSQL server that the tests start, from outside.

#![expect(
    clippy::disallowed_methods,
    reason = "tests stand on the world's side of the ports: they have real threads and tasks"
)]

mod cells;
mod changes;
mod conformance;
mod desk;
mod differential;
mod faults;
mod feed;
mod leftovers;
mod moving;
mod moving_on;
mod nodes;
mod opening;
mod partitions;
mod support;
mod tls;
mod upgrade;
