//! Random sequences of verbs, which the store must answer as the memory model does.

use signalpost_store::testing::differential::{Effort, assert_like_the_model};

use std::sync::Arc;

use signalpost_store::Store;
use signalpost_store::testing::conformance::Harness;
use signalpost_store_sqlite::copy::check;

use crate::support::{Inline, Threaded};

/// An inline store whose tables must agree with each other when a sequence is over.
struct Checked(Inline);

impl Harness for Checked {
    fn open(&self) -> Arc<dyn Store> {
        self.0.open()
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let found = check(self.0.directory.path(), &mut |_| {}).expect("it reads");
        assert_eq!(found.problems, Vec::<String>::new());
    }
}

#[test]
fn the_inline_store_is_like_the_model() {
    assert_like_the_model(Effort { seed: 7, sequences: 60 }, || Checked(Inline::new()));
}

#[test]
fn the_threaded_store_is_like_the_model() {
    assert_like_the_model(Effort { seed: 8, sequences: 20 }, Threaded::new);
}
