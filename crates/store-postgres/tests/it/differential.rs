//! Random sequences of verbs, which the store must answer as the memory model does.

use signalpost_store::testing::differential::{Effort, assert_like_the_model};

use crate::support::Fresh;

#[test]
fn the_store_is_like_the_model() {
    assert_like_the_model(Effort { seed: 9, sequences: 40 }, Fresh::new);
}
