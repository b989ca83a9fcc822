//! The call about the nodes that share the store.

use http::StatusCode;

use super::{NativeOperation, of_cell, read};
use crate::dialect::native::cluster;

const TAG: &str = "Cluster";

pub(in crate::dialect::native) fn operations() -> Vec<NativeOperation> {
    let get = read("/cluster", cluster::get).described(|call| {
        of_cell(call.named("getCluster", "Look at who delivers what"))
            .about("The processes that share the store, what each of them delivers for, and how far behind that is.")
            .answers::<cluster::Shown>(StatusCode::OK, "Nodes and groups.")
            .tag(TAG)
    });
    vec![get]
}
