//! How processes on one machine know each other.

/// A process as the operating system tells it from all others, and how to see that another one has ended.
#[derive(Clone, Debug)]
pub struct Process {
    /// Tells it from every other process of any machine, at any time.
    pub name: String,
    /// Whether the process with this name has certainly ended. `false` for one that cannot be seen from here, whose lease
    /// runs out.
    pub is_gone: fn(&str) -> bool,
}
