//! The contract's own suite, once for each shell around the writer.

mod threaded {
    use crate::support::Threaded;

    signalpost_store::conformance_suite!(Threaded::new());
}

mod inline {
    use crate::support::Inline;

    signalpost_store::conformance_suite!(Inline::new());
}
