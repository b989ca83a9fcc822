//! Memory in pages of the usual size.
//!
//! The allocator asks the system for huge pages. The first touch of one clears two megabytes, while whoever touched it, and on a busy
//! machine everybody, waits: the first burst after a start had a p99 several times as long. Nothing was gained by them (ADR 28).

/// For this process from now on.
pub(crate) fn do_without() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages cannot be done without");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_takes_note() {
        do_without();
        assert_eq!(rustix::thread::transparent_huge_pages_are_disabled(), Ok(true));
    }
}
