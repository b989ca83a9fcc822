//! The call about the whole store.

use http::StatusCode;

use super::{NativeOperation, of_cell, read};
use crate::dialect::native::{storage, wire};

const TAG: &str = "Storage";

pub(super) fn operations() -> Vec<NativeOperation> {
    let get = read("/storage", storage::get).described(|call| {
        of_cell(call.named("getStorage", "Look at what is stored"))
            .about("Sizes of the database and of its disk, and how long history is kept.")
            .answers::<wire::Storage>(StatusCode::OK, "What the whole store takes.")
            .tag(TAG)
    });
    vec![get]
}
