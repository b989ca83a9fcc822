//! The contract's own suite.

use crate::support::Fresh;

signalpost_store::conformance_suite!(Fresh::new());
