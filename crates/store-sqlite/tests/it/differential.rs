//! Random sequences of verbs, which the store must answer as the memory model does.

use signalpost_store::testing::differential::{Effort, assert_like_the_model};

use crate::support::{Inline, Threaded};

#[test]
fn the_inline_store_is_like_the_model() {
    assert_like_the_model(Effort { seed: 7, sequences: 60 }, Inline::new);
}

#[test]
fn the_threaded_store_is_like_the_model() {
    assert_like_the_model(Effort { seed: 8, sequences: 20 }, Threaded::new);
}
