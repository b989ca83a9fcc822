//! Moving a whole store into another one, row by row as they lie in tables.
//!
//! Both backends keep nearly the same tables, so they are described once (`tables`). A source hands rows out in pages by
//! their keys, a target takes each page in a transaction that also remembers how far it has come: a move that was killed
//! goes on behind the last page that is there, and no row is there twice. At the end everything is read once more on both
//! sides and compared (`run`).

mod cell;
mod checksum;
mod ends;
mod error;
mod figure;
mod run;
mod table;
mod tables;

pub use cell::{Cell, Key, Record};
pub use checksum::Checksum;
pub use ends::{Bounds, Identity, Page, Source, Stand, Target};
pub use error::TransferError;
pub use run::{Doing, Progress, copy, identity, verify};
pub use table::{Column, Kind, Size, Table};
pub use tables::{KEPT_ANSWERS, TABLES};
