//! What a request is called, in its answer, in the log and on record.

/// Carried with a request from where it is named to whoever writes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);
