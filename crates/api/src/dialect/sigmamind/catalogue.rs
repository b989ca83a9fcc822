//! The event types.

const EVENTS: [&str; 3] = ["conversation_started", "conversation_ended", "conversation_analysed"];

pub(super) fn all() -> Vec<String> {
    EVENTS.map(str::to_owned).into()
}
